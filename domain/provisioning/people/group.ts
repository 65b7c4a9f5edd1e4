import type { Changes } from '../fields/description.js';
import type { Queryable } from '../../database/pool.js';
import { fail } from '../../errors.js';
import { group } from '../nouns/group.js';
import { operationsOf } from '../operations/operations.js';

export { applications, queueStrategies, workModes, wrapUpModes } from '../nouns/group.js';

export type GroupChanges = Changes<typeof group>;

/**
 * An agent group: one Asterisk queue, `<team>-<name>`. A removed one frees its number at once, and its name once its
 * queue in Asterisk is empty: a queue of that name still has its callers, and a new group would inherit them.
 */
export const groups = operationsOf(group, {
  check: ({ name, given }) => {
    if (given.overflow !== name) return;
    throw fail('overflow_to_itself', {
      noun: 'group',
      name,
      says: `group ${name} cannot overflow to its own agents`,
      remedy: { text: 'name another group' },
    });
  },
  columns: ({ name, given, before }) => {
    const { application, link } = given;
    // Without an application there is nothing that a link could be of.
    if (application === null && typeof link !== 'string') return { link: null };
    const kept = application === undefined ? before?.['application'] : application;
    if (typeof link !== 'string' || typeof kept === 'string') return {};
    throw fail('required', {
      noun: 'group',
      name,
      facts: { field: 'application' },
      says: `group ${name} has no application, and a link is an application's`,
      remedy: { text: 'add --application campaign, customer_service, virtual_office or third_party' },
    });
  },
  after: async ({ trx, scope, id, name }) => {
    const taken = await trx('destinations as d')
      .join('agent_groups as g', 'g.id', 'd.from_group_id')
      .where('g.id', id)
      .whereRaw(`d.slot = 'key-' || g.callback_key`)
      .first<{ key: number } | undefined>('g.callback_key as key');
    if (!taken) return undefined;
    throw fail('taken', {
      noun: 'group',
      name,
      facts: { team: scope.team, key: taken.key },
      says: `key ${taken.key} of group ${name} cannot both lead somewhere and have callers called back`,
      remedy: {
        text: `choose another key, or give one of both up: --no-key-${taken.key} or --no-callback-key`,
      },
    });
  },
  remove: async ({ trx, scope, name, row }) => {
    if (!row['removed_at']) {
      const now = trx.raw('clock_timestamp()');
      await trx('agent_groups').where({ id: row.id }).update({ leaving_since: now, removed_at: now });
    }
    return {
      seen: true,
      says: `group ${name} of team ${scope.team ?? ''} is leaving: it goes once Asterisk has no more callers in its queue`,
    };
  },
});

export type Group = Awaited<ReturnType<typeof groups.show>>;

export const addGroup = (
  db: Queryable,
  team: string,
  { name, ...values }: { name: string } & GroupChanges,
): Promise<Group> => groups.add(db, team, name, values);
export const listGroups = groups.list;
export const showGroup = groups.show;
export const setGroup = groups.set;
/** Removes a group without agents and DIDs, and returns what it is until its queue is empty. */
export const removeGroup = async (db: Queryable, team: string, name: string): Promise<Group> =>
  (await groups.remove(db, team, name)).record as Group;
