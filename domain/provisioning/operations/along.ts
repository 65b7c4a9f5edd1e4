import type { Queryable } from '../../database/pool.js';

/** What somebody else does in the transaction of a change: each may refuse it, and then nothing has changed. */
export interface Along {
  /** Before anything is looked at. */
  readonly first?: (trx: Queryable) => Promise<void>;
  /** Whether the thing may be changed in the version that it has; any unless said. */
  readonly fits?: (version: string) => boolean;
  /** When all is written; `row` is what the command shows, with a secret that was made new. */
  readonly last?: (trx: Queryable, done: { row: object; version: string }) => Promise<void>;
}
