import type { Queryable } from '../../database/pool.js';
import { fail } from '../../errors.js';
import { parseTrunkRule } from '../../trunk-rules.js';
import type { Changes } from '../fields/description.js';
import { trunkGroup } from '../nouns/trunk-group.js';
import { operationsOf } from '../operations/operations.js';

export type TrunkGroupChanges = Changes<typeof trunkGroup>;

/** A caller waits while one after the other fails; more would be a line that Asterisk cuts. */
const mostMembers = 10;
const mostRules = 200;

/** Trunks that stand in for each other. Of two rules for the same beginning the second stands. */
export const trunkGroups = operationsOf(trunkGroup, {
  check: ({ name, given: { members, rules } }) => {
    const tooMany = (field: string, most: number) =>
      fail('too_many', {
        noun: 'trunk-group',
        name,
        facts: { field, most },
        says: `trunk group ${name} can have ${most} ${field} at most`,
        remedy: {
          text: field === 'rules' ? 'put those together that begin alike' : 'make two groups of them',
        },
      });
    if (Array.isArray(members)) {
      if (members.length > mostMembers) throw tooMany('members', mostMembers);
      if (members.length === 0)
        throw fail('required', {
          noun: 'trunk-group',
          name,
          facts: { field: 'members' },
          says: `trunk group ${name} needs at least one member`,
          remedy: { text: 'name it with --members, for example --members main' },
        });
    }
    if (rules && rules.length > mostRules) throw tooMany('rules', mostRules);
  },
  after: async ({ trx, id, given: { rules } }) => {
    if (rules === undefined) return undefined;
    await trx('trunk_group_rules').where({ trunk_group_id: id }).delete();
    const byBeginning = new Map((rules ?? []).map(parseTrunkRule).map((rule) => [rule.beginning, rule]));
    if (byBeginning.size > 0)
      await trx('trunk_group_rules').insert(
        [...byBeginning.values()].map((rule) => ({ trunk_group_id: id, ...rule })),
      );
    return undefined;
  },
});

export type TrunkGroup = Awaited<ReturnType<typeof trunkGroups.show>>;

export const addTrunkGroup = (
  db: Queryable,
  team: string | null,
  { name, ...values }: { name: string } & TrunkGroupChanges,
): Promise<TrunkGroup> => trunkGroups.add(db, team, name, values);
export const setTrunkGroup = trunkGroups.set;
export const showTrunkGroup = trunkGroups.show;
export const removeTrunkGroup = trunkGroups.remove;
