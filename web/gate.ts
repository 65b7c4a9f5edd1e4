import { Refusal } from './problems.js';

/** Lets only so many do something at once, and so many wait for it: hashes take a processor and 32 MiB each, reports connections to the database. */
export class Gate {
  #inside = 0;
  readonly #waiting: (() => void)[] = [];
  readonly #perNetwork = new Map<string, number>();

  constructor(
    private readonly most: number,
    private readonly mostWaiting: number,
    /** Of one network, inside and waiting: others find room beside whoever sends as much as they can. */
    private readonly mostOfOne = Infinity,
    private readonly doing = 'log in',
  ) {}

  /** @throws Refusal `busy` when too many are there already, of all or of the network. */
  async through<T>(work: () => Promise<T>, network = ''): Promise<T> {
    const others = this.#perNetwork.get(network) ?? 0;
    const full = this.#inside >= this.most;
    if ((full && this.#waiting.length >= this.mostWaiting) || others >= this.mostOfOne)
      throw new Refusal(503, 'busy', `too many ${this.doing} at this moment: try again`);
    this.#perNetwork.set(network, others + 1);
    // Whoever leaves hands their place on.
    if (full) await new Promise<void>((resolve) => this.#waiting.push(resolve));
    else this.#inside++;
    try {
      return await work();
    } finally {
      const left = (this.#perNetwork.get(network) ?? 1) - 1;
      if (left > 0) this.#perNetwork.set(network, left);
      else this.#perNetwork.delete(network);
      const next = this.#waiting.shift();
      if (next) next();
      else this.#inside--;
    }
  }
}
