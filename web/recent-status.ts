import type { Database } from '../domain/database/pool.js';
import { readStatus, type TeamStatus } from '../domain/monitor/status.js';

const most = 1000;

/** How teams stand, read at most once in `forMs` for each, however many ask. */
export class RecentStatus {
  readonly #read = new Map<string, { team: string; until: number; status: Promise<TeamStatus> }>();

  constructor(
    private readonly db: Database,
    private readonly forMs = 1000,
  ) {}

  /** @throws Star64Error as {@link readStatus}; that is not kept. */
  of(team: string, withinSeconds?: number): Promise<TeamStatus> {
    const key = `${team} ${withinSeconds ?? ''}`;
    const known = this.#read.get(key);
    if (known && performance.now() < known.until) return known.status;
    // At its end again: those at the beginning are the oldest.
    this.#read.delete(key);
    const status = (async () => readStatus(this.db, team, withinSeconds))();
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
