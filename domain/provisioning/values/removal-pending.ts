import type { Queryable } from '../../database/pool.js';
import { fail, type Star64Error } from '../../errors.js';

/** Groups of this node that have been removed, and are generated until their queue is empty in Asterisk. */
export function groupsPendingRemoval(
  db: Queryable,
  node: string,
): Promise<{ id: number; team: string; name: string }[]> {
  return db('agent_groups as g')
    .join('teams as t', 't.id', 'g.team_id')
    .where('t.node', node)
    .whereNotNull('g.leaving_since')
    .select<{ id: number; team: string; name: string }[]>('g.id', 't.identity as team', 'g.name');
}

/**
 * Asterisk has no caller and no member in the queues of these groups that are pending removal: they leave the generated
 * file, and their names are free. History goes on naming them; they let go of whoever helped their callers out until now.
 */
export async function removeGroups(db: Queryable, ids: readonly number[]): Promise<void> {
  await db('agent_groups')
    .whereIn('id', ids)
    .whereNotNull('leaving_since')
    .update({ leaving_since: null, overflow_id: null });
}

/** Why the name of a removed group is not free at once. */
export const removalPending = (team: string | null, name: string): Star64Error =>
  fail('removal_pending', {
    noun: 'group',
    name,
    facts: { team },
    says: `group ${name} of team ${team ?? ''} is leaving: it was removed, but its queue stays until Asterisk has no more callers in it.`,
    remedy: {
      text: 'Wait until {0} no longer shows it, or choose another name',
      steps: [{ noun: 'group', verb: 'list', team }],
    },
  });
