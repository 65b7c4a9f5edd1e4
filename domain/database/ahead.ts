import { setTimeout as sleep } from 'node:timers/promises';
import type { IndexAhead } from '../../migrations/index-ahead.js';
import { migrations } from '../../migrations/index.js';
import type { Connections, Database } from './pool.js';

/** Any fixed number does, as long as nothing else in the database takes the same one. */
const aheadLock = 640066;
const againMs = 200;
/** So long others may wait behind the lock for a column. */
const lockMs = 100;

/**
 * Builds the indexes that steps still to come want on tables which may hold months; `done` has the steps that the database
 * has. It takes as long as it takes, and nobody waits for it: servers of the version before go on reading and writing.
 * (PostgreSQL waits for transactions that are older than the building of an index, of which star64 has none that lasts.) Any
 * number may build at once. What one who was killed has left behind is built anew. Returns the names of those it has built.
 */
export async function buildAhead(db: Database, done: ReadonlySet<string>): Promise<string[]> {
  const wanted = migrations
    .filter(({ name }) => !done.has(name))
    .flatMap(({ ahead = [] }) => ahead)
    .filter(({ since }) => done.has(since));
  if (wanted.length === 0) return [];
  const client = db.client as Connections;
  const own = await client.acquireConnection();
  const ask = async <T>(sql: string, values: readonly (string | number)[] = []): Promise<T[]> => {
    const { rows } = await db.raw<{ rows: T[] }>(sql, [...values]).connection(own);
    return rows;
  };
  try {
    // Asked again and again: whoever waits within a statement is one of the transactions for which the building waits.
    const locked = async (): Promise<boolean> =>
      (await ask<{ got: boolean }>('select pg_try_advisory_lock(?) as got', [aheadLock]))[0]?.got === true;
    while (!(await locked())) await sleep(againMs);
    try {
      const built: string[] = [];
      for (const index of wanted) if (await build(index, ask)) built.push(index.name);
      return built;
    } finally {
      await ask('select pg_advisory_unlock(?)', [aheadLock]);
    }
  } finally {
    await client.releaseConnection(own);
  }
}

type Ask = <T>(sql: string, values?: readonly string[]) => Promise<T[]>;

/** False: it is there already. */
async function build({ name, on, column }: IndexAhead, ask: Ask): Promise<boolean> {
  const [found] = await ask<{ valid: boolean }>(
    'select indisvalid as valid from pg_index where indexrelid = to_regclass(?)',
    [name],
  );
  if (found?.valid === true) return false;
  if (found) await ask(`drop index concurrently ${name}`);
  if (column) await addColumn(column, ask);
  await ask(`create index concurrently ${name} on ${on}`);
  return true;
}

/**
 * Adds a column that is not there. Whoever waits for the lock that this takes for a moment has everybody else wait behind it, so
 * that it is given up soon and tried again: a dump of the database may read the table for hours.
 */
async function addColumn({ table, adds }: NonNullable<IndexAhead['column']>, ask: Ask): Promise<void> {
  const [name = ''] = adds.split(' ');
  const isThere = async (): Promise<boolean> =>
    (
      await ask(
        'select from pg_attribute where attrelid = to_regclass(?) and attname = ? and not attisdropped',
        [table, name],
      )
    ).length > 0;
  await ask(`set lock_timeout = ${lockMs}`);
  try {
    while (!(await isThere()))
      try {
        await ask(`alter table ${table} add column if not exists ${adds}`);
      } catch (error) {
        if (!isLockTimeout(error)) throw error;
        await sleep(againMs);
      }
  } finally {
    await ask('reset lock_timeout');
  }
}

/** `lock_not_available` (PostgreSQL, appendix A). */
const isLockTimeout = (error: unknown): boolean =>
  error instanceof Error && 'code' in error && error.code === '55P03';
