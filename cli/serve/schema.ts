import { setTimeout as sleep } from 'node:timers/promises';
import type { Logger } from 'pino';
import type { DatabaseName } from '../../domain/database/name.js';
import { connect } from '../../domain/database/pool.js';
import { migrate, migrationDeadlineMs } from '../../domain/database/migrate.js';
import { requireSessions } from '../../domain/database/sessions.js';
import { isUnreachable } from '../../domain/database/sql-errors.js';
import { LastingFault } from '../../domain/machine/lasting-fault.js';
import type { Part } from './parts.js';

const againMs = 1000;

/** The tables of this version. Starts when PostgreSQL can be reached, however long that takes. */
export class Schema implements Part {
  readonly name = 'schema';
  readonly #stopping = new AbortController();
  readonly #waiting: LastingFault;

  constructor(
    private readonly databaseUrl: string,
    private readonly named: DatabaseName,
    private readonly log: Logger,
  ) {
    this.#waiting = new LastingFault(log, { fault: 'waiting for PostgreSQL', over: 'PostgreSQL is there' });
  }

  /** @throws when the database is a newer version's, or shares its connections in a way that star64 cannot use. */
  async start(): Promise<void> {
    for (;;) {
      const db = connect(this.databaseUrl, { max: 1, deadlineMs: migrationDeadlineMs });
      try {
        await requireSessions(this.databaseUrl);
        const done = await migrate(db, (remark) => this.log.warn({ remark }, 'migrated'));
        this.#waiting.over();
        if (done.length > 0) this.log.info({ done }, 'migrated');
        return;
      } catch (error) {
        if (!isUnreachable(error) && !isUnreachable((error as Error).cause)) throw error;
        if (this.#stopping.signal.aborted) throw error;
        const { label, from } = this.named;
        this.#waiting.met((error as Error).message, { database: label, from });
        await sleep(againMs, undefined, { signal: this.#stopping.signal });
      } finally {
        await db.destroy();
      }
    }
  }

  stop(): void {
    this.#stopping.abort();
  }
}
