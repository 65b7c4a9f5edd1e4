import { prepared, type Queryable } from '../database/pool.js';
import { openSignIn, type SignIn, type Who } from './open-sign-in.js';

export type CurrentGroupOutcome =
  | { outcome: 'group-set'; signIn: SignIn }
  | { outcome: 'group-wanted' | 'unknown-group' }
  /** They are in no group beside the current one that a phone could name. */
  | { outcome: 'no-choice' }
  | { outcome: 'not-signed-in' };

/** A group by the number of its queue, as a phone names it, or by its name. */
export type GroupChoice = { number: string } | { name: string };

/**
 * Chooses the current group of an agent among the groups that they are in. Without a choice it says whether there is one
 * to be made, so that nobody is asked for a number in vain.
 */
export async function setCurrentGroup(
  db: Queryable,
  team: string,
  who: Who,
  choice: GroupChoice | undefined,
): Promise<CurrentGroupOutcome> {
  const signIn = await openSignIn(db, team, who);
  if (!signIn) return { outcome: 'not-signed-in' };
  if (choice === undefined) {
    const { rows } = await db.raw<{ rows: unknown[] }>(
      `select from agent_group_members m join agent_groups g on g.id = m.group_id join sign_ins i on i.agent_id = m.agent_id
       where i.id = ? and g.number is not null and g.id is distinct from i.current_group_id limit 1`,
      [signIn.id],
    );
    return { outcome: rows.length > 0 ? 'group-wanted' : 'no-choice' };
  }
  const [column, value] = 'name' in choice ? ['g.name', choice.name] : ['g.number', choice.number];
  const { rows } = await db.raw<{ rows: unknown[] }>(
    `update sign_ins i set current_group_id = g.id
     from agent_group_members m join agent_groups g on g.id = m.group_id
     where i.id = ? and i.signed_out_at is null and m.agent_id = i.agent_id and ${column} = ?
     returning 1`,
    [signIn.id, value],
  );
  return rows.length === 0 ? { outcome: 'unknown-group' } : { outcome: 'group-set', signIn };
}

/**
 * The current group of who is signed in at a phone, named as in its device: `astercc-5000`, `7000@astercc-telephones`, or an
 * endpoint of the operator's. Undefined: nobody is, or the group is being removed.
 */
export async function currentGroupAt(
  db: Queryable,
  team: string,
  phone: string,
): Promise<string | undefined> {
  const number =
    phone.startsWith(`${team}-`) || phone.endsWith(`@${team}-telephones`)
      ? (/(?<=-)[0-9]{2,10}$|^[0-9]{2,10}(?=@)/.exec(phone)?.[0] ?? '')
      : '';
  const [found] = await prepared<{ group: string }>(
    db,
    `select g.name as "group" from teams t
     join extensions x on x.team_id = t.id and x.removed_at is null and (x.number = :number or x.endpoint = :phone)
     join sign_ins i on i.extension_id = x.id and i.signed_out_at is null
     join agent_groups g on g.id = i.current_group_id and g.removed_at is null
     where t.identity = :team limit 1`,
    { team, number, phone },
  );
  return found?.group;
}
