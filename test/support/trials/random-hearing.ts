import type { Phone } from '../../../lab/phone.js';

/** How loud a fifth of a second is where something is heard, and how much of it is looked at for one look at most. */
const loudness = 60;
const part = 1600;
const most = 50 * part;
/** How many of the last looks are told. */
const told = 60;

/** How long somebody hears nothing: neither a person, nor music, nor that it rings. */
export class Hearing {
  /** The longest row of looks at which nothing had been heard since the one before. */
  longest = 0;
  /** The row that goes on. */
  row = 0;
  #bytes = 0;
  readonly #looks: string[] = [];

  constructor(private readonly phone: Phone) {}

  async look(): Promise<void> {
    // A look may be late on a busy machine: all that came since the last one counts, and twice that at least. Fewer bytes than
    // before are another recording.
    const { bytes: now } = await this.phone.hearing(0);
    const came = now - this.#bytes;
    const { last } = await this.phone.hearing(
      Math.min(most, Math.max(2 * part, Math.ceil((came < 0 ? now : came) / 2))),
    );
    let loudest = 0;
    for (let at = 0; at < last.length; at += part)
      loudest = Math.max(loudest, power(last.subarray(at, at + part)));
    this.#bytes = now;
    this.row = came !== 0 && loudest > loudness ? 0 : this.row + 1;
    this.longest = Math.max(this.longest, this.row);
    this.#looks.push(`${new Date().toISOString().slice(11, 23)} ${came} ${Math.round(loudest)}`);
  }

  /** The last looks: when, how many bytes the phone has recorded since the one before (16,000 a second), and how loud. */
  get looks(): string {
    return this.#looks.slice(-told).join(', ');
  }
}

function power(samples: Int16Array): number {
  return Math.sqrt(samples.reduce((sum, sample) => sum + sample * sample, 0) / Math.max(1, samples.length));
}
