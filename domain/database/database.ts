import { createHash } from 'node:crypto';
import knexModule, { type Knex } from 'knex';
import pg from 'pg';
import { migrations, type Migration } from '../../migrations/index.js';
import { Star64Error } from '../errors.js';

export type Database = Knex;
/** The database itself or a transaction on it. */
export type Queryable = Knex | Knex.Transaction;

const int8 = 20;
const types: pg.CustomTypesConfig = {
  /** int8 as a number: ids and counts stay far below 2^53. */
  getTypeParser: (oid, format) =>
    (oid as number) === int8 ? Number : (pg.types.getTypeParser(oid, format) as (text: string) => unknown),
};

/** How long a statement may take before its caller gets an error, in milliseconds; holds for a frozen server too. */
export const statementDeadlineMs = 3000;

/** How long a transaction may wait for its server between two statements before PostgreSQL takes it back. */
export const idleDeadlineMs = 10_000;

/** Settings that every connection of star64 shares, the pool's and the listener's. */
export function connectionSettings(url: string, deadlineMs = statementDeadlineMs): pg.ClientConfig {
  return {
    connectionString: url,
    application_name: 'star64',
    connectionTimeoutMillis: 2000,
    query_timeout: deadlineMs,
    statement_timeout: deadlineMs,
    // A server that hangs in the middle of telling Asterisk would keep the others from those phones for hours.
    idle_in_transaction_session_timeout: idleDeadlineMs,
    keepAlive: true,
    keepAliveInitialDelayMillis: 10_000,
    types,
  };
}

/** A pool of connections; nothing is dialled before the first query. */
export function connect(url: string, options: { max?: number; deadlineMs?: number } = {}): Database {
  return knexModule({
    client: 'pg',
    connection: connectionSettings(url, options.deadlineMs) as Knex.PgConnectionConfig,
    pool: {
      min: 0,
      max: options.max ?? 10,
      acquireTimeoutMillis: options.deadlineMs ?? statementDeadlineMs,
      afterCreate: leaveWhenLate,
    },
    // Values may be secrets, and error messages reach logs.
    compileSqlOnError: false,
    acquireConnectionTimeout: options.deadlineMs ?? statementDeadlineMs,
    log: {
      warn: () => undefined,
      error: () => undefined,
      debug: () => undefined,
      deprecate: () => undefined,
    },
  });
}

/**
 * Runs a statement that PostgreSQL parses and plans once for a connection and not every time, which is half of the
 * work of a small one: for those that every call needs. Each text stays with the connection, so there must be few.
 */
export async function prepared<T>(
  db: Queryable,
  sql: string,
  values: readonly Knex.RawBinding[] | Knex.ValueDict = [],
): Promise<T[]> {
  // By its text: behind a proxy that shares connections, a name must mean the same to every server.
  const name = `star64_${createHash('sha1').update(sql).digest('hex')}`;
  const { rows } = await db.raw<{ rows: T[] }>(sql, values).options({ name });
  return rows;
}

type Answered = (error: Error | null, result?: pg.QueryResult) => void;

/** What pg says when a query had no answer within `query_timeout`. */
const late = 'Query read timeout';

/**
 * pg gives up a query after its time but keeps the connection, and a frozen server carries the query out when it
 * comes back. Its transaction would still be open then, and whoever gets the connection next would commit what was
 * reported as failed. Ending the connection makes the server roll back.
 */
function leaveWhenLate(
  connection: pg.Client,
  done: (error: Error | null, connection: pg.Client) => void,
): void {
  const query = connection.query.bind(connection) as (config: pg.QueryConfig, answered: Answered) => void;
  connection.query = ((config: pg.QueryConfig, answered: Answered) =>
    query(config, (error, result) => {
      if (error?.message === late) {
        // knex sets this mark itself, but only once the socket is closed: it might hand the connection out before.
        Object.assign(connection, { __knex__disposed: error });
        // With a query under way this destroys the socket, and waits for nothing.
        void connection.end();
      }
      answered(error, result);
    })) as pg.Client['query'];
  done(null, connection);
}

/** How long a migration may take, or wait for another starter's; for `connect` of what migrates. Milliseconds. */
export const migrationDeadlineMs = 120_000;

/** Any fixed number does, as long as nothing else in the database takes the same one. */
const migrationLock = 640064;

const migrationTable = 'star64_migrations';

const source: Knex.MigrationSource<Migration> = {
  getMigrations: () => Promise.resolve([...migrations]),
  getMigrationName: (migration) => migration.name,
  getMigration: (migration) =>
    Promise.resolve({
      up: async (knex: Knex): Promise<void> => {
        // knex reads a bare question mark as a place for a value.
        await knex.raw(migration.sql.replaceAll('?', '\\?'));
      },
      down: () => Promise.reject(new Error('star64 migrations only go forward')),
    }),
};

/**
 * Brings the schema up to this version in one transaction under an advisory lock: any number of starters at once
 * all succeed, and one that is killed leaves nothing half done. `db` is connected with `migrationDeadlineMs`. Returns the names of the steps it carried out.
 */
export async function migrate(db: Database): Promise<string[]> {
  return withDatabaseErrors(() =>
    db.transaction(async (trx) => {
      await trx.raw('select pg_advisory_xact_lock(?)', [migrationLock]);
      const settings = { migrationSource: source, tableName: migrationTable, disableTransactions: true };
      await refuseNewerSchema(trx);
      const [, done] = (await trx.migrate.latest(settings)) as [number, string[]];
      return done;
    }),
  );
}

/** A server never runs on a schema that it does not know. */
async function refuseNewerSchema(trx: Knex.Transaction): Promise<void> {
  if (!(await trx.schema.hasTable(migrationTable))) return;
  const known = new Set(migrations.map(({ name }) => name));
  const unknown = (await trx(migrationTable).pluck<string[]>('name')).filter((name) => !known.has(name));
  if (unknown.length > 0) {
    throw new Star64Error(
      'failure',
      `The database has migrations that this version does not know (${unknown.join(', ')}): install the newer star64.`,
    );
  }
}

/** True when every migration of this version has been carried out. */
export async function isMigrated(db: Queryable): Promise<boolean> {
  if (!(await db.schema.hasTable(migrationTable))) return false;
  const done = new Set(await db(migrationTable).pluck<string[]>('name'));
  return migrations.every(({ name }) => done.has(name));
}

/** The SQLSTATE and constraint of an error that PostgreSQL reported, undefined for any other error. */
export function sqlError(error: unknown): { code: string; constraint: string | undefined } | undefined {
  if (!(error instanceof pg.DatabaseError) || error.code === undefined) return undefined;
  return { code: error.code, constraint: error.constraint };
}

/** True for errors that say nothing about the statement: no connection, a time-out, a server going down. */
export function isUnreachable(error: unknown): boolean {
  if (error instanceof pg.DatabaseError) {
    // 57P01-57P03: shutdown, crash, starting up; 57014: cancelled by statement_timeout; 53300: too many clients;
    // 25P03: the server hung in the middle of a transaction; 25006: a standby that is not the primary yet.
    return /^(08|57P0|57014|53300|25P03|25006)/.test(error.code ?? '');
  }
  if (!(error instanceof Error)) return false;
  const code = (error as NodeJS.ErrnoException).code ?? '';
  return (
    /^(ECONN|EPIPE|ETIMEDOUT|EHOSTUNREACH|ENETUNREACH|ENOTFOUND|EAI_AGAIN|ENOENT)/.test(code) ||
    error.name === 'KnexTimeoutError' ||
    // pg raises these as plain errors with nothing but a text, and knex puts the statement before it.
    /(^| - )(Connection terminated.*|Query read timeout|timeout e(xpired|xceeded.*)|Client (has encountered|was closed).*)$/i.test(
      error.message,
    ) ||
    /connection (error|timeout)/i.test(error.message)
  );
}

/** Runs `work`; what failed because PostgreSQL is away becomes a `database_unreachable` error. */
export async function withDatabaseErrors<T>(work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    if (error instanceof Star64Error || !isUnreachable(error)) throw error;
    throw new Star64Error(
      'database_unreachable',
      `PostgreSQL cannot be reached (${withoutStatement(error as Error) || 'no connection'}): check DATABASE_URL and that the server runs.`,
      { cause: error },
    );
  }
}

/** Why it failed, in one line: knex puts the statement and a dash in front. */
const withoutStatement = ({ message }: Error): string => message.split(' - ').at(-1) ?? message;
