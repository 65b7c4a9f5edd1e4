import type { CallKind } from './agent-state.js';
import type { AgentState } from './transitions.js';
import type { Queryable } from '../database/pool.js';
import { openSignIn, type Who } from './open-sign-in.js';
import { noReason } from './pause.js';

/** Where an agent stands now. */
export interface OwnStatus {
  agent: string;
  extension: string;
  state: AgentState;
  /** The kind of a call that no queue gave them, that the state is of; null: another one, or none. */
  callKind: CallKind | null;
  /** Seconds since the state began. */
  seconds: number;
  /** Digit of the reason of a pause; null without one, or in another state. */
  reason: string | null;
  /** The current group, by its id. */
  currentGroupId: number | null;
  /** Numbers of the queues of their groups, the current group first; groups without a number are left out. */
  groups: string[];
}

/** Where the agent stands, or undefined when nobody is signed in there. */
export async function agentStatusOf(db: Queryable, team: string, who: Who): Promise<OwnStatus | undefined> {
  const signIn = await openSignIn(db, team, who);
  if (!signIn) return undefined;
  const { rows } = await db.raw<{ rows: Omit<OwnStatus, 'agent' | 'extension'>[] }>(
    `select s.state, s.call_kind as "callKind", nullif(s.pause_digit, :none) as reason, i.current_group_id as "currentGroupId", greatest(0, floor(extract(epoch from clock_timestamp() - s.started_at)))::integer as seconds,
       array(select g.number from agent_group_members m join agent_groups g on g.id = m.group_id
         where m.agent_id = i.agent_id and g.number is not null
         order by g.id <> i.current_group_id, m.position, g.name) as groups
     from sign_ins i join agent_states s on s.sign_in_id = i.id and s.ended_at is null where i.id = :id`,
    { id: signIn.id, none: noReason },
  );
  return rows[0] && { agent: signIn.agent, extension: signIn.extension, ...rows[0] };
}
