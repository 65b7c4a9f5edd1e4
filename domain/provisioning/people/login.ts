import { prepared, type Database, type Queryable } from '../../database/pool.js';
import { withDatabaseErrors } from '../../database/sql-errors.js';
import { hashPassword, verifyPassword } from '../../password.js';
import {
  countFailure,
  holdAccount,
  lockedSeconds,
  noteSuccess,
  unlockAccount,
  type Attempt,
} from './login-lock.js';
import { hashOfToken, loginSeconds, makeToken, principalOf, type Principal } from './principal.js';
import type { Scope } from '../values/scope.js';

/** Who logs in, as they typed it. */
export type Credentials = { team: string; password: string } & ({ agent: string } | { username: string });

export type LoginOutcome =
  | { outcome: 'logged-in'; token: string; principal: Principal; expiresAt: Date }
  /** There is no such account, it has no password, or another one. */
  | { outcome: 'wrong' }
  /** Too many were wrong; whether this one is right is not said. */
  | { outcome: 'locked'; seconds: number }
  /** The user administers neither the team nor a group of it. */
  | { outcome: 'no-rights' };

interface Account {
  teamId: number;
  id: number;
  hash: string;
}

/** So many logins of one account are open; the one that was used longest ago makes room. */
const mostLogins = 20;

// There is only one, and nobody's password gives it.
let decoy: Promise<string> | undefined;

/**
 * Logs somebody in with their password, for `loginSeconds` after each use. The same is done, and said, for an account that does
 * not exist as for a wrong password: it is hashed, counted and locked. Guesses at one account are decided one after the other.
 *
 * @param from the address that is counted, and where it is kept for whoever asks later who logged in.
 */
export async function logIn(db: Database, given: Credentials, from: string): Promise<LoginOutcome> {
  const { team, password } = given;
  const account = 'agent' in given ? `agent ${given.agent}` : `user ${given.username}`;
  const attempt: Attempt = { door: 'web', team, account, address: from };
  decoy ??= hashPassword(makeToken('machine'));
  const nobodys = await decoy;
  return withDatabaseErrors(async () => {
    const found = await find(db, given);
    const seconds = await lockedSeconds(db, attempt);
    if (seconds > 0) return { outcome: 'locked', seconds };
    // Before anything is held: a hash takes long on purpose.
    const right = (await verifyPassword(password, found?.hash ?? nobodys)) && found !== undefined;
    return db.transaction(async (trx): Promise<LoginOutcome> => {
      // Before the account is held: who gives it another password has the row already, and waits for the account.
      const now = right ? await find(trx, given, 'for share of o') : undefined;
      await holdAccount(trx, team, account);
      const meanwhile = await lockedSeconds(trx, attempt);
      if (meanwhile > 0) return { outcome: 'locked', seconds: meanwhile };
      if (!right) {
        await countFailure(trx, attempt);
        return { outcome: 'wrong' };
      }
      // Changed or taken away in between: this was another password.
      if (now?.hash !== found.hash) return { outcome: 'wrong' };
      await noteSuccess(trx, attempt);
      return open(trx, found, 'agent' in given ? 'agent' : 'user', from);
    });
  });
}

async function find(
  db: Queryable,
  given: Credentials,
  lock: '' | 'for share of o' = '',
): Promise<Account | undefined> {
  const [table, key, name] =
    'agent' in given ? ['agents', 'number', given.agent] : ['users', 'username', given.username];
  const [row] = await prepared<Account>(
    db,
    `select o.id, o.team_id as "teamId", o.password_hash as hash from ${table} o join teams t on t.id = o.team_id
     where t.identity = ? and o.${key} = ? and o.removed_at is null and o.password_hash is not null ${lock}`,
    [given.team, name],
  );
  return row;
}

async function open(
  trx: Queryable,
  { teamId, id }: Account,
  kind: 'agent' | 'user',
  from: string,
): Promise<LoginOutcome> {
  const token = makeToken(kind);
  const rows = await prepared<{ id: number; expiresAt: Date }>(
    trx,
    `insert into api_tokens (team_id, ${kind}_id, hash, created_by, expires_at, last_used_at)
     values (?, ?, ?, ?, clock_timestamp() + interval '${loginSeconds} seconds', clock_timestamp())
     returning id, expires_at as "expiresAt"`,
    [teamId, id, hashOfToken(token), `login from ${from}`],
  );
  const [made] = rows;
  const principal = await principalOf(trx, token);
  if (!made) throw new Error('the database returned no row for a login');
  if (!principal) {
    await endLogin(trx, made.id);
    return { outcome: 'no-rights' };
  }
  await prepared(
    trx,
    `delete from api_tokens where ${kind}_id = :id and team_id = :teamId and (expires_at <= clock_timestamp() or id in (
       select id from api_tokens where ${kind}_id = :id and team_id = :teamId
       order by last_used_at desc, id desc offset ${mostLogins}))`,
    { id, teamId },
  );
  return { outcome: 'logged-in', token, principal, expiresAt: made.expiresAt };
}

/** Ends a token, by its id: a login is forgotten, a program's token stays known as one that was taken away. */
export async function endLogin(db: Queryable, tokenId: number): Promise<void> {
  await withDatabaseErrors(async () => {
    await prepared(
      db,
      `with gone as (delete from api_tokens where id = :id and name is null returning id)
       update api_tokens set revoked_at = clock_timestamp() where id = :id and name is not null and revoked_at is null`,
      { id: tokenId },
    );
  });
}

/** Ends the logins of somebody whose password has changed, or who is gone, and lets them in again where they were locked out. */
export async function endLogins(
  trx: Queryable,
  { team, teamId }: Scope,
  { noun, name, id }: { noun: 'agent' | 'user'; name: string; id: number },
): Promise<void> {
  if (team === null || teamId === null) return;
  await trx('api_tokens')
    .where({ team_id: teamId, [`${noun}_id`]: id })
    .delete();
  await unlockAccount(trx, team, `${noun} ${name}`);
}
