import type { Database, Queryable } from '../database/pool.js';
import { verifyPassword } from '../password.js';
import { countFailure, forgetFailures, isLocked, type Suspect } from './sign-in-lock.js';

/**
 * - `right`: it is this user's PIN; what went wrong before is forgotten.
 * - `wrong`: it is not, which is counted; the fifth time in a row locks.
 * - `locked`: too many were wrong; whether this one is right is not said.
 * - `silence`: nothing was keyed, which is no guess and not counted.
 * - `missing`: there is no such user, or the user has no PIN.
 */
export type PinCheck = 'right' | 'wrong' | 'locked' | 'silence' | 'missing';

/** A user by user name, or by id where the code knows the owner of a phone. */
export type PinOwner = { username: string } | { userId: number };

interface Owner {
  id: number;
  teamId: number;
  username: string;
  hash: string | null;
}

/**
 * Checks what somebody keyed as the PIN of a user of a team. Failures are counted for the user and, if given, for the
 * phone where it was keyed (its number), as those of agents are: whoever tries many users at one phone is locked, too.
 * Guesses that come at once are counted one after the other.
 */
export async function checkUserPin(
  db: Database,
  team: string,
  who: PinOwner,
  pin: string,
  options: { phone?: string } = {},
): Promise<PinCheck> {
  const owner = await find(db, team, who);
  if (owner === undefined || owner.hash === null) return 'missing';
  const suspects: Suspect[] = [
    { kind: 'user', number: owner.username },
    ...(options.phone === undefined ? [] : [{ kind: 'phone' as const, number: options.phone }]),
  ];
  if (await isLocked(db, owner.teamId, suspects)) return 'locked';
  if (pin === '') return 'silence';
  // Before anything is held: a hash takes long on purpose.
  const right = await verifyPassword(pin, owner.hash);
  return db.transaction(async (trx) => {
    const { hash } = await trx('users')
      .where({ id: owner.id })
      .forNoKeyUpdate()
      .first<{ hash: string | null }>('pin_hash as hash');
    // Changed or taken away in between: this guess was at another PIN.
    if (hash !== owner.hash) return 'missing';
    if (await isLocked(trx, owner.teamId, suspects)) return 'locked';
    await (right ? forgetFailures : countFailure)(trx, owner.teamId, suspects);
    return right ? 'right' : 'wrong';
  });
}

async function find(db: Queryable, team: string, who: PinOwner): Promise<Owner | undefined> {
  const [column, value] = 'username' in who ? ['u.username', who.username] : ['u.id', who.userId];
  return db('users as u')
    .join('teams as t', 't.id', 'u.team_id')
    .where({ 't.identity': team, [column]: value, 'u.removed_at': null })
    .first<Owner | undefined>('u.id', 'u.team_id as teamId', 'u.username', 'u.pin_hash as hash');
}
