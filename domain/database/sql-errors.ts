import pg from 'pg';
import { Star64Error } from '../errors.js';

/** The SQLSTATE and constraint of an error that PostgreSQL reported, undefined for any other error. */
export function sqlError(error: unknown): { code: string; constraint: string | undefined } | undefined {
  if (!(error instanceof pg.DatabaseError) || error.code === undefined) return undefined;
  return { code: error.code, constraint: error.constraint };
}

/**
 * Why PostgreSQL did not do a statement that was right:
 * - `unreachable`: no connection, it is starting, going down, frozen or a standby: nothing works;
 * - `too-slow`: this statement, or the wait for a free connection, took longer than its deadline: others may well work;
 * - `conflict`: it met another transaction (deadlock, lock not available): the same again may work at once;
 * - `out-of-room`: no disk, memory or other resource is left: reading works, writing does not until somebody acts.
 */
export type DatabaseFailure = 'unreachable' | 'too-slow' | 'conflict' | 'out-of-room';

/** By SQLSTATE, https://www.postgresql.org/docs/current/errcodes-appendix.html; the first that fits. */
const byState: readonly [RegExp, DatabaseFailure][] = [
  // 57P01-57P03: shutdown, crash, starting up; 53300: no connection is left; 25006: a standby, not the primary yet.
  [/^(08|57P0|53300|25006)/, 'unreachable'],
  // 57014: cancelled, by statement_timeout mostly; 25P03: we ourselves hung in the middle of a transaction.
  [/^(57014|25P03)/, 'too-slow'],
  [/^(40|55P03)/, 'conflict'],
  [/^(53|58)/, 'out-of-room'],
];

/** pg raises these as plain errors with nothing but a text, and knex puts the statement before it. */
const lostConnection =
  /(^| - )(Connection terminated.*|Query read timeout|timeout e(xpired|xceeded.*)|Client (has encountered|was closed).*)$/i;

/** Why PostgreSQL did not do it; undefined for a statement that is wrong in itself, and for errors of other things. */
export function failureOf(error: unknown): DatabaseFailure | undefined {
  if (error instanceof pg.DatabaseError) {
    const { code = '' } = error;
    return byState.find(([states]) => states.test(code))?.[1];
  }
  if (!(error instanceof Error)) return undefined;
  // Every connection of the pool is busy: with statements that are slow, or with a server that is gone.
  if (error.name === 'KnexTimeoutError') return 'too-slow';
  const code = (error as NodeJS.ErrnoException).code ?? '';
  const lost =
    /^(ECONN|EPIPE|ETIMEDOUT|EHOSTUNREACH|ENETUNREACH|ENOTFOUND|EAI_AGAIN|ENOENT)/.test(code) ||
    lostConnection.test(error.message) ||
    /connection (error|timeout)/i.test(error.message);
  return lost ? 'unreachable' : undefined;
}

/** True when nothing works with PostgreSQL; a statement that was too slow, for example, is another matter. */
export const isUnreachable = (error: unknown): boolean => failureOf(error) === 'unreachable';

const words: Record<DatabaseFailure, (reason: string) => string> = {
  unreachable: (reason) =>
    `PostgreSQL cannot be reached (${reason || 'no connection'}): check DATABASE_URL and that the server runs.`,
  'too-slow': (reason) =>
    `PostgreSQL did not do it in time (${reason}): look what keeps it busy (pg_stat_activity), and try again.`,
  conflict: (reason) => `PostgreSQL had another change in the way (${reason}): try again.`,
  'out-of-room': (reason) => `PostgreSQL has no room for it (${reason}): free disk or memory, and try again.`,
};

/**
 * Runs `work`; what failed because PostgreSQL did not do it becomes a `database_unreachable` error, whose message says
 * which of the four it was.
 */
export async function withDatabaseErrors<T>(work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    const failure = error instanceof Star64Error ? undefined : failureOf(error);
    if (failure === undefined) throw error;
    const message = words[failure](withoutStatement(error as Error));
    throw new Star64Error('database_unreachable', message, { cause: error });
  }
}

/** Why it failed, in one line: knex puts the statement and a dash in front. */
const withoutStatement = ({ message }: Error): string => message.split(' - ').at(-1) ?? message;
