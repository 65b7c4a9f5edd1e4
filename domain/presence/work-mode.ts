import type { Queryable } from '../database/pool.js';
import { openSignIn, type SignIn, type Who } from './open-sign-in.js';

/** What an agent does: everything, only queue calls, only calls to the outside (spec 48-50). */
export type WorkMode = 'all' | 'inbound' | 'outbound';

/** The digit of each mode, as keyed after `*62`. */
export const workModes: ReadonlyMap<string, WorkMode> = new Map([
  ['1', 'all'],
  ['2', 'inbound'],
  ['3', 'outbound'],
]);

/**
 * SQL: whether an agent takes the queue calls of a group, of a row `g` of agent_groups and `i` of sign_ins. The group
 * decides, or leaves it to the agent.
 */
export const takesQueueCalls = `case g.work_mode when 'choice' then i.work_mode::text else g.work_mode::text end <> 'outbound'`;

export type WorkModeOutcome =
  | { outcome: 'mode-set'; mode: WorkMode; signIn: SignIn }
  | { outcome: 'mode-wanted' | 'unknown-mode' }
  /** No group of the agent leaves the choice to them. */
  | { outcome: 'no-choice'; signIn: SignIn }
  | { outcome: 'not-signed-in' };

/** Sets the work mode of an agent for those of their groups that leave it to them, in any state and at once. */
export async function setWorkMode(
  db: Queryable,
  team: string,
  who: Who,
  digit: string | undefined,
): Promise<WorkModeOutcome> {
  const signIn = await openSignIn(db, team, who);
  if (!signIn) return { outcome: 'not-signed-in' };
  const mayChoose = await db('agent_group_members as m')
    .join('agent_groups as g', 'g.id', 'm.group_id')
    .where({ 'm.agent_id': signIn.agentId, 'g.work_mode': 'choice' })
    .first<{ id: number } | undefined>('g.id');
  if (!mayChoose) return { outcome: 'no-choice', signIn };
  if (digit === undefined) return { outcome: 'mode-wanted' };
  const mode = workModes.get(digit);
  if (mode === undefined) return { outcome: 'unknown-mode' };
  const changed = await db('sign_ins')
    .where({ id: signIn.id, signed_out_at: null })
    .update({ work_mode: mode });
  return changed === 0 ? { outcome: 'not-signed-in' } : { outcome: 'mode-set', mode, signIn };
}
