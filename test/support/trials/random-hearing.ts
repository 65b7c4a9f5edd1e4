import type { Phone } from '../../../lab/phone.js';

/** How long somebody hears nothing: neither a person, nor music, nor that it rings. */
export class Hearing {
  /** The longest row of looks at which nothing had been heard since the one before. */
  longest = 0;
  #row = 0;
  #bytes = -1;

  constructor(private readonly phone: Phone) {}

  async look(): Promise<void> {
    const { bytes, last } = await this.phone.hearing(3200);
    const power = last.reduce((sum, sample) => sum + sample * sample, 0) / Math.max(1, last.length);
    const loud = bytes !== this.#bytes && Math.sqrt(power) > 60;
    this.#bytes = bytes;
    this.#row = loud ? 0 : this.#row + 1;
    this.longest = Math.max(this.longest, this.#row);
  }
}
