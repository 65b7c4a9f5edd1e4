import { randomUUID } from 'node:crypto';
import { fail } from '../errors.js';
import { connect, type Connections, type Database, type PoolOptions } from './pool.js';

/** A setting of the session that means nothing to PostgreSQL: whoever else reads it shares the session. */
const setting = 'star64.session';

/**
 * Refuses a pooler that gives each transaction whatever connection is free, such as PgBouncer in transaction mode:
 * notifications (LISTEN), prepared statements and settings belong to a session, and half of star64 would work without
 * them. It is seen by its effects, since a pooler says nothing of itself to its clients: another connection reads a
 * setting of ours, or our own has gone to another process. It takes two connections for a moment.
 */
export async function requireSessions(url: string, options: PoolOptions = {}): Promise<void> {
  const db = connect(url, { ...options, max: 2 });
  let shared: boolean;
  try {
    shared = await sharesSessions(db);
  } catch (error) {
    // What PgBouncer says to BEGIN in statement mode.
    if (!/statement pooling/.test((error as Error).message)) throw error;
    shared = true;
  } finally {
    await db.destroy();
  }
  if (!shared) return;
  throw fail('database_unfit', {
    says: 'the database is behind a connection pooler that does not keep sessions, such as PgBouncer with pool_mode = transaction',
    remedy: { text: 'set pool_mode = session for star64, or let DATABASE_URL name PostgreSQL itself' },
  });
}

interface Session {
  pid: number;
  mark: string | null;
}

async function sharesSessions(db: Database): Promise<boolean> {
  // knex gives a connection of its own only inside a transaction, which a pooler would keep together.
  const client = db.client as Connections;
  const first = await client.acquireConnection();
  try {
    const mark = randomUUID();
    const own = async (sql: string): Promise<Session | undefined> => {
      const { rows } = await db.raw<{ rows: Session[] }>(sql, [setting]).connection(first);
      return rows[0];
    };
    const look = 'select pg_backend_pid() as pid, current_setting(?, true) as mark';
    const before = await own(`select pg_backend_pid() as pid, set_config(?, '${mark}', false) as mark`);
    // A transaction keeps what it was given: ours is either the one in use then, or has to be another one.
    const [other, after] = await db.transaction(async (trx) => {
      const { rows } = await trx.raw<{ rows: Session[] }>(look, [setting]);
      return [rows[0], await own(look)];
    });
    if (other?.mark === mark || after?.pid !== before?.pid || after?.mark !== mark) return true;
    await own("select 0 as pid, set_config(?, '', false) as mark");
    return false;
  } finally {
    await client.releaseConnection(first);
  }
}
