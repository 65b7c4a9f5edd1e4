const most = 1000;

/** What is told of teams, read at most once in `forMs` for each, however many ask. */
export class Recent<T> {
  readonly #read = new Map<string, { team: string; until: number; status: Promise<T> }>();

  constructor(
    private readonly read: (team: string, withinSeconds?: number) => Promise<T>,
    private readonly forMs = 1000,
  ) {}

  /** @throws Star64Error as what reads it; that is not kept. */
  of(team: string, withinSeconds?: number): Promise<T> {
    const key = `${team} ${withinSeconds ?? ''}`;
    const known = this.#read.get(key);
    if (known && performance.now() < known.until) return known.status;
    // At its end again: those at the beginning are the oldest.
    this.#read.delete(key);
    const status = (async () => this.read(team, withinSeconds))();
    const entry = { team, until: performance.now() + this.forMs, status };
    this.#read.set(key, entry);
    const [oldest] = this.#read.keys();
    if (this.#read.size > most && oldest !== undefined) this.#read.delete(oldest);
    status.catch(() => {
      if (this.#read.get(key) === entry) this.#read.delete(key);
    });
    return status;
  }

  /** Something was done in the team: who did it sees it with their next request. */
  forget(team: string): void {
    for (const [key, entry] of this.#read) if (entry.team === team) this.#read.delete(key);
  }
}
