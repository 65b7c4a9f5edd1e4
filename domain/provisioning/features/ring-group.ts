import { parseDestination, type Destination } from '../../destination.js';
import type { Queryable } from '../../database/pool.js';
import { fail, type Star64Error } from '../../errors.js';
import { bare } from '../../telephone-numbers.js';
import type { Changes } from '../fields/description.js';
import { ringGroup } from '../nouns/ring-group.js';
import { operationsOf } from '../operations/operations.js';
import { refuseOwnNumber } from '../values/own-number.js';
import { requireReferred } from '../values/rows.js';
import type { Scope } from '../values/scope.js';

export type RingGroupChanges = Changes<typeof ringGroup>;

/** More would be a line that Asterisk cuts. */
const mostMembers = 50;

/** Phones that ring for a call without a queue. */
export const ringGroups = operationsOf(ringGroup, {
  check: ({ name, given: { members } }) => {
    if (members === undefined) return;
    if (members.length === 0) throw needsMember(name);
    if (members.length > mostMembers)
      throw fail('too_many', {
        noun: 'ring-group',
        name,
        facts: { field: 'members', most: mostMembers },
        says: `ring group ${name} can have ${mostMembers} members at most`,
        remedy: { text: 'ring fewer phones, or let an agent group do it' },
      });
  },
  after: async ({ trx, scope, id, name, given: { members } }) => {
    if (members) await putMembers(trx, scope, { id, name }, members);
    return undefined;
  },
});

export type RingGroup = Awaited<ReturnType<typeof ringGroups.show>>;

export const addRingGroup = (
  db: Queryable,
  team: string,
  { number, ...values }: { number: string } & RingGroupChanges,
): Promise<RingGroup> => ringGroups.add(db, team, number, values);

const needsMember = (name: string): Star64Error =>
  fail('required', {
    noun: 'ring-group',
    name,
    facts: { field: 'members' },
    says: `ring group ${name} needs at least one member`,
    remedy: { text: 'name it with --members, for example --members 5000' },
  });

/** Makes these the members, in their order. */
async function putMembers(
  trx: Queryable,
  scope: Scope,
  { id: ringGroupId, name }: { id: number; name: string },
  members: readonly string[],
): Promise<void> {
  const rows: Record<string, unknown>[] = [];
  for (const [index, typed] of members.entries()) {
    const member = await columnOf(trx, scope, name, parseDestination('member', typed, []));
    rows.push({ team_id: scope.teamId, ring_group_id: ringGroupId, position: index + 1, ...member });
  }
  await trx('ring_group_members').where({ ring_group_id: ringGroupId }).delete();
  await trx('ring_group_members').insert(rows);
}

async function columnOf(
  trx: Queryable,
  scope: Scope,
  ringGroup: string,
  { kind, name }: Destination,
): Promise<Record<string, unknown>> {
  if (kind === 'outside') {
    await refuseOwnNumber(trx, scope, { noun: 'ring-group', name: ringGroup }, name);
    return { outside: name, outside_key: bare(name) };
  }
  const { id } = await requireReferred(trx, kind === 'agent' ? 'agent' : 'extension', scope, name);
  return { [kind === 'agent' ? 'agent_id' : 'extension_id']: id };
}
