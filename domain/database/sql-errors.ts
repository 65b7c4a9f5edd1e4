import pg from 'pg';
import { Star64Error } from '../errors.js';

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
