import type { Queryable } from './database.js';
import { openSignIn, type SignIn, type Who } from './open-sign-in.js';

export type CurrentGroupOutcome =
  | { outcome: 'group-set'; number: string; signIn: SignIn }
  | { outcome: 'group-wanted' | 'unknown-group' }
  | { outcome: 'not-signed-in' };

/** Chooses the current group of an agent among his own, by the number of its queue. */
export async function setCurrentGroup(
  db: Queryable,
  team: string,
  who: Who,
  number: string | undefined,
): Promise<CurrentGroupOutcome> {
  const signIn = await openSignIn(db, team, who);
  if (!signIn) return { outcome: 'not-signed-in' };
  if (number === undefined) return { outcome: 'group-wanted' };
  const { rows } = await db.raw<{ rows: unknown[] }>(
    `update sign_ins i set current_group_id = g.id
     from agent_group_members m join agent_groups g on g.id = m.group_id
     where i.id = ? and i.signed_out_at is null and m.agent_id = i.agent_id and g.number = ?
     returning 1`,
    [signIn.id, number],
  );
  return rows.length === 0 ? { outcome: 'unknown-group' } : { outcome: 'group-set', number, signIn };
}
