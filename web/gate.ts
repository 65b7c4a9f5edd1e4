import { Refusal } from './problems.js';

/** Lets only so many do something at once, and so many wait for it: hashes take a processor and 32 MiB each. */
export class Gate {
  #inside = 0;
  readonly #waiting: (() => void)[] = [];

  constructor(
    private readonly most: number,
    private readonly mostWaiting: number,
  ) {}

  /** @throws Refusal `busy` when too many wait already. */
  async through<T>(work: () => Promise<T>): Promise<T> {
    if (this.#inside >= this.most) {
      if (this.#waiting.length >= this.mostWaiting)
        throw new Refusal(503, 'busy', 'too many log in at this moment: try again');
      // Whoever leaves hands their place on.
      await new Promise<void>((resolve) => this.#waiting.push(resolve));
    } else this.#inside++;
    try {
      return await work();
    } finally {
      const next = this.#waiting.shift();
      if (next) next();
      else this.#inside--;
    }
  }
}
