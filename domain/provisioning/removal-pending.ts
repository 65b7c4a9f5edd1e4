import type { Queryable } from '../database/pool.js';

/** Deletes groups that have been removed and of which `isEmpty` says that Asterisk has no caller and no member. */
export async function removeLeftGroups(
  db: Queryable,
  isEmpty: (team: string, group: string) => boolean,
): Promise<void> {
  const leaving = await db('agent_groups as g')
    .join('teams as t', 't.id', 'g.team_id')
    .whereNotNull('g.leaving_since')
    .select<{ id: number; team: string; name: string }[]>('g.id', 't.identity as team', 'g.name');
  const empty = leaving.filter(({ team, name }) => isEmpty(team, name)).map(({ id }) => id);
  if (empty.length > 0) await db('agent_groups').whereIn('id', empty).whereNotNull('leaving_since').delete();
}
