import { createHash } from 'node:crypto';
import knexModule, { type Knex } from 'knex';
import pg from 'pg';

export type Database = Knex;
/** The database itself or a transaction on it. */
export type Queryable = Knex | Knex.Transaction;

const int8 = 20;
const types: pg.CustomTypesConfig = {
  /** int8 as a number: ids and counts stay far below 2^53. */
  getTypeParser: (oid, format) =>
    (oid as number) === int8 ? Number : (pg.types.getTypeParser(oid, format) as (text: string) => unknown),
};

/** The part of a knex client that its types leave out: a connection of one's own, without a transaction. */
export interface Connections {
  acquireConnection: () => Promise<unknown>;
  releaseConnection: (connection: unknown) => Promise<void>;
}

/** How long a statement may take before its caller gets an error, in milliseconds; holds for a frozen server too. */
export const statementDeadlineMs = 3000;

/** How long a transaction may wait for its server between two statements before PostgreSQL takes it back. */
export const idleDeadlineMs = 10_000;

/** Settings that every connection of star64 shares, the pool's and the listener's; `sessionSettings` follow. */
export function connectionSettings(
  url: string,
  { deadlineMs = statementDeadlineMs, dialMs = Math.min(2000, deadlineMs * 0.8) }: PoolOptions = {},
): pg.ClientConfig {
  return {
    connectionString: url,
    application_name: 'star64',
    // Before the wait for a free connection ends, which would not say that there is none to be had.
    connectionTimeoutMillis: dialMs,
    // The server gives up a slow statement before we give up the server, so that the two can be told apart.
    query_timeout: deadlineMs,
    keepAlive: true,
    keepAliveInitialDelayMillis: 10_000,
    types,
  };
}

/**
 * The first statement of every connection. Not sent with the connection itself, as pg could: PgBouncer refuses a start
 * with settings that it does not know.
 */
export function sessionSettings(deadlineMs = statementDeadlineMs, idleMs = idleDeadlineMs): string {
  // A server that hangs in the middle of a transaction would keep its locks for as long as its connection lives.
  return `set statement_timeout = ${Math.ceil(deadlineMs * 0.8)}; set idle_in_transaction_session_timeout = ${idleMs}`;
}

export interface PoolOptions {
  /** How many connections at most. Default: 10. */
  max?: number;
  /** Deadline of a statement. Default: `statementDeadlineMs`. */
  deadlineMs?: number;
  /** Default: `idleDeadlineMs`. */
  idleMs?: number;
  /** How long a new connection may take, in milliseconds. Default: four fifths of the deadline, and at most 2000. */
  dialMs?: number;
}

/** A pool of connections; nothing is dialled before the first query. */
export function connect(url: string, options: PoolOptions = {}): Database {
  const db = knexModule({
    client: 'pg',
    connection: connectionSettings(url, options) as Knex.PgConnectionConfig,
    pool: {
      min: 0,
      max: options.max ?? 10,
      acquireTimeoutMillis: options.deadlineMs ?? statementDeadlineMs,
      afterCreate: (connection: pg.Client, done: Created) => prepare(connection, options, done),
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
  (db.client as { driver: unknown }).driver = { ...pg, Client: Connection };
  return db;
}

/**
 * pg leaves the socket of a start that failed on our side (no password to send) open, and the process with it, until the
 * server loses its patience after a minute.
 */
class Connection extends pg.Client {
  constructor(config?: pg.ClientConfig) {
    super(config);
    const dial = super.connect.bind<() => Promise<pg.Client>>(this);
    this.connect = () =>
      dial().catch((error: unknown) => {
        void this.end().catch(() => undefined);
        throw error;
      });
  }
}

/** Names of prepared statements by their text. There are as many as texts: few. */
const names = new Map<string, string>();

/**
 * Runs a statement that PostgreSQL parses and plans once for a connection and not every time, which is half of the
 * work of a small one: for those that every call needs. Each text stays with the connection, so there must be few.
 */
export async function prepared<T>(
  db: Queryable,
  sql: string,
  values: readonly Knex.RawBinding[] | Knex.ValueDict = [],
): Promise<T[]> {
  let name = names.get(sql);
  if (name === undefined) {
    // By its text: behind a proxy that shares connections, a name must mean the same to every server.
    name = `star64_${createHash('sha1').update(sql).digest('hex')}`;
    names.set(sql, name);
  }
  const { rows } = await db.raw<{ rows: T[] }>(sql, values).options({ name });
  return rows;
}

type Created = (error: Error | null, connection: pg.Client) => void;

/** Makes a new connection ready for the pool. */
function prepare(connection: pg.Client, { deadlineMs, idleMs }: PoolOptions, done: Created): void {
  leaveWhenLate(connection);
  connection.query(sessionSettings(deadlineMs, idleMs), (error: Error | null) => {
    // The pool forgets a connection that did not become ready, and does not end it.
    if (error) void connection.end();
    done(error, connection);
  });
}

type Answered = (error: Error | null, result?: pg.QueryResult) => void;

/** What pg says when a query had no answer within `query_timeout`. */
const late = 'Query read timeout';

/**
 * pg gives up a query after its time but keeps the connection, and a frozen server carries the query out when it
 * comes back. Its transaction would still be open then, and whoever gets the connection next would commit what was
 * reported as failed. Ending the connection makes the server roll back.
 */
function leaveWhenLate(connection: pg.Client): void {
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
}
