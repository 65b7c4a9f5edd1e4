import pg from 'pg';
import { fail, Star64Error } from '../errors.js';
import type { DatabaseName } from './name.js';

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
 * - `out-of-room`: no disk, memory or other resource is left: reading works, writing does not until somebody acts;
 * - `refused`: it runs, and lets us not in (password, pg_hba.conf, no such database) or not at its tables.
 */
export type DatabaseFailure = 'unreachable' | 'too-slow' | 'conflict' | 'out-of-room' | 'refused';

/** By SQLSTATE, https://www.postgresql.org/docs/current/errcodes-appendix.html; the first that fits. */
const byState: readonly [RegExp, DatabaseFailure][] = [
  // 57P01-57P03: shutdown, crash, starting up; 53300: no connection is left; 25006: a standby, not the primary yet.
  [/^(08|57P0|53300|25006)/, 'unreachable'],
  // 57014: cancelled, by statement_timeout mostly; 25P03: we ourselves hung in the middle of a transaction.
  [/^(57014|25P03)/, 'too-slow'],
  [/^(40|55P03)/, 'conflict'],
  [/^(53|58)/, 'out-of-room'],
  // 28P01: the password; 28000: no such role, or pg_hba.conf; 3D000: no such database; 42501: no right.
  [/^(28|3D000|42501)/, 'refused'],
];

/** pg raises these as plain errors with nothing but a text, and knex puts the statement before it. */
const lostConnection =
  /(^| - )(Connection terminated.*|Query read timeout|timeout e(xpired|xceeded.*)|Client (has encountered|was closed).*)$/i;

/** What pg says where a password is asked for and the URL has none. */
const noPassword = /SASL: .*password must be/;

/** Why PostgreSQL did not do it; undefined for a statement that is wrong in itself, and for errors of other things. */
export function failureOf(error: unknown): DatabaseFailure | undefined {
  if (error instanceof pg.DatabaseError) {
    const { code = '' } = error;
    return byState.find(([states]) => states.test(code))?.[1];
  }
  if (!(error instanceof Error)) return undefined;
  // Every connection of the pool is busy: with statements that are slow, or with a server that is gone.
  if (error.name === 'KnexTimeoutError') return 'too-slow';
  if (noPassword.test(error.message)) return 'refused';
  const { code = '', syscall } = error as NodeJS.ErrnoException;
  const lost =
    /^(ECONN|EPIPE|ETIMEDOUT|EHOSTUNREACH|ENETUNREACH|ENOTFOUND|EAI_AGAIN|ERR_TLS_CERT|[A-Z_]*(SELF_SIGNED|UNABLE_TO_VERIFY|CERT_HAS_EXPIRED))/.test(
      code,
    ) ||
    // A socket in the file system; of any other file it says nothing.
    (code === 'ENOENT' && syscall === 'connect') ||
    lostConnection.test(error.message) ||
    /connection (error|timeout)|does not support SSL/i.test(error.message);
  return lost ? 'unreachable' : undefined;
}

/** True when nothing works with PostgreSQL; a statement that was too slow, for example, is another matter. */
export const isUnreachable = (error: unknown): boolean => failureOf(error) === 'unreachable';

/** What PostgreSQL is in a sentence, and where a wrong setting would be. */
interface Named {
  readonly server: string;
  readonly setting: string;
  readonly user: string;
  readonly database: string;
}

const named = (name: DatabaseName | undefined): Named => ({
  server: name ? `${name.label} (${name.from})` : 'PostgreSQL',
  setting: name?.from ?? 'the setting of the database',
  user: name?.user ?? '<user>',
  database: name?.database ?? '<database>',
});

type Words = (named: Named, reason: string) => { says: string; cure: string };

const words: Record<Exclude<DatabaseFailure, 'refused'>, Words> = {
  unreachable: ({ server, setting }, reason) => ({
    says: `${server} cannot be reached (${reason || 'no connection'})`,
    cure: `check that it runs, and that ${setting} is right`,
  }),
  'too-slow': ({ server }, reason) => ({
    says: `${server} did not do it in time (${reason})`,
    cure: 'look what keeps it busy (pg_stat_activity), and try again',
  }),
  conflict: ({ server }, reason) => ({
    says: `${server} had another change in the way (${reason})`,
    cure: 'try again',
  }),
  'out-of-room': ({ server }, reason) => ({
    says: `${server} has no room for it (${reason})`,
    cure: 'free disk or memory, and try again',
  }),
};

/** Of a refusal, by SQLSTATE; without one pg itself has found no password to send. */
function refusal(code: string | undefined): Words {
  switch (code) {
    case '28P01':
      return ({ server, setting, user }, reason) => ({
        says: `${server} refuses the password (${reason})`,
        cure: `correct it in ${setting}, or give the user that one: alter role ${user} password '…'`,
      });
    case '3D000':
      return ({ server, user, database }, reason) => ({
        says: `${server} has no such database (${reason})`,
        cure: `create it as PostgreSQL's administrator: createdb --owner=${user} ${database}`,
      });
    case '42501':
      return ({ server, user, database }, reason) => ({
        says: `${server} does not give star64 the right (${reason})`,
        cure: `let its user own the database: alter database ${database} owner to ${user}`,
      });
    case undefined:
      return ({ server, setting }) => ({
        says: `${server} asks for a password`,
        cure: `write it into ${setting}: postgres://user:password@host/database`,
      });
    default:
      return ({ server, setting, user }, reason) => ({
        says: `${server} does not let ${user} in (${reason})`,
        cure: `check the user in ${setting}, and pg_hba.conf of the server`,
      });
  }
}

/**
 * Runs `work`; what failed because PostgreSQL did not do it becomes an error of kind `database_unreachable`, whose
 * message says which of the five it was.
 */
export async function withDatabaseErrors<T>(work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    throw error instanceof Star64Error ? error : (databaseError(error) ?? error);
  }
}

/**
 * The error of `withDatabaseErrors` for what PostgreSQL did not do, undefined for any other; with `name` it says which
 * PostgreSQL that was, and where the setting stands. An error that has become one already is said anew.
 */
export function databaseError(error: unknown, name?: DatabaseName): Star64Error | undefined {
  if (error instanceof Star64Error && error.kind !== 'database_unreachable') return undefined;
  const cause = error instanceof Star64Error ? error.cause : error;
  const failure = failureOf(cause);
  if (failure === undefined) return undefined;
  const word = failure === 'refused' ? refusal(sqlError(cause)?.code) : words[failure];
  const { says, cure } = word(named(name), withoutStatement(cause as Error));
  const facts = { failure, ...(name && { database: name.label, setting: name.from }) };
  const code = failure === 'refused' ? 'database_refused' : 'database_unreachable';
  return fail(code, { facts, says, remedy: { text: cure } }, { cause });
}

/** Why it failed, in one line: knex puts the statement and a dash in front. */
const withoutStatement = ({ message }: Error): string => message.split(' - ').at(-1) ?? message;
