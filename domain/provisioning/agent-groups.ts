import type { Queryable } from '../database/pool.js';
import { usage } from '../errors.js';
import { requireStayingGroup } from './group.js';
import { checkWhole, command, quoted } from '../names.js';

interface Member {
  id: number;
  teamId: number;
  number: string;
}

/** The groups of an agent: at least one, each once (spec 23). */
export function checkGroups(number: string, groups: readonly string[]): readonly string[] {
  if (groups.length === 0) {
    throw usage(
      `agent ${number} needs at least one group: name it with --groups, for example --groups support.`,
    );
  }
  const twice = groups.find((name, index) => groups.indexOf(name) !== index);
  if (twice !== undefined)
    throw usage(`agent ${number} can be in group ${quoted(twice)} only once: name it once.`);
  return groups;
}

/** Makes these the agent's groups, positions in their order; a penalty in a group that stays is kept. */
export async function putInGroups(
  trx: Queryable,
  team: string,
  agent: Member,
  groups: readonly string[],
): Promise<void> {
  const ids: number[] = [];
  for (const name of groups) ids.push(await requireStayingGroup(trx, team, name));
  await trx('agent_group_members').where({ agent_id: agent.id }).whereNotIn('group_id', ids).delete();
  await trx('agent_group_members')
    .insert(
      ids.map((group_id, index) => ({
        team_id: agent.teamId,
        group_id,
        agent_id: agent.id,
        position: index + 1,
      })),
    )
    .onConflict(['group_id', 'agent_id'])
    .merge(['position']);
  await trx('sign_ins')
    .where({ agent_id: agent.id, signed_out_at: null })
    .where((query) => {
      void query.whereNull('current_group_id').orWhereNotIn('current_group_id', ids);
    })
    .update({ current_group_id: ids[0] });
}

/** Penalties that app_queue takes. */
export function checkPenalties(penalties: Readonly<Record<string, number>> = {}): [string, number][] {
  return Object.entries(penalties).map(([group, penalty]) => [
    group,
    checkWhole(`penalty in group ${quoted(group)}`, { from: 0, to: 1000 }, penalty),
  ]);
}

/** Sets the agent's penalties in groups that he is in. */
export async function setPenalties(
  trx: Queryable,
  team: string,
  agent: Member,
  penalties: readonly (readonly [string, number])[],
): Promise<void> {
  for (const [group, penalty] of penalties) {
    const groupId = await requireStayingGroup(trx, team, group);
    const changed = await trx('agent_group_members')
      .where({ agent_id: agent.id, group_id: groupId })
      .update({ penalty });
    if (changed === 0) {
      throw usage(
        `agent ${agent.number} is not in group ${group} and has no penalty there: add the group with ${command(team, `agent set ${agent.number} --groups <all his groups>`)}.`,
      );
    }
  }
}
