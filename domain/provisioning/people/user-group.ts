import type { Changes } from '../fields/description.js';
import type { Queryable } from '../../database/pool.js';
import { userGroup } from '../nouns/user-group.js';
import { operationsOf } from '../operations/operations.js';
import { requireOwnDid } from '../values/own-did.js';
import type { Scope } from '../values/scope.js';
import { refuseTwoWaysOut } from '../operations/way-out.js';

export type UserGroupChanges = Changes<typeof userGroup>;

/** Users who call out over the same trunks. A new group is behind the last one, unless a position is given. */
export const userGroups = operationsOf(userGroup, {
  columns: async (change) => {
    const { trx, scope, name, given, before } = change;
    refuseTwoWaysOut({ noun: 'user-group', name, team: scope.team }, change);
    const columns: Record<string, unknown> = {};
    if (!before && given.position === undefined) columns['position'] = await behindTheLast(trx, scope);
    if (typeof given.callerId === 'string')
      columns['caller_id'] = await requireOwnDid(trx, scope, { noun: 'user-group', name }, given.callerId);
    return columns;
  },
});

/** Two that are added at once are one behind the other: the team is locked until the first is there. */
async function behindTheLast(trx: Queryable, { teamId }: Scope): Promise<number> {
  await trx('teams').where({ id: teamId }).forNoKeyUpdate().select('id');
  const last = await trx('user_groups')
    .where({ team_id: teamId, removed_at: null })
    .max('position as position')
    .first<{ position: number | null }>();
  return (last.position ?? 0) + 1;
}

export type UserGroup = Awaited<ReturnType<typeof userGroups.show>>;

export const addUserGroup = (
  db: Queryable,
  team: string,
  { name, ...values }: { name: string } & UserGroupChanges,
): Promise<UserGroup> => userGroups.add(db, team, name, values);
export const setUserGroup = userGroups.set;
export const showUserGroup = userGroups.show;
export const listUserGroups = userGroups.list;
export const removeUserGroup = userGroups.remove;
