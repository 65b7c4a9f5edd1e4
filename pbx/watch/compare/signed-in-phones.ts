import { prepared, type Database } from '../../../domain/database/pool.js';
import type { CallKind } from '../../../domain/presence/agent-state.js';
import type { Phone } from '../../../domain/presence/phone.js';
import type { AgentState } from '../../../domain/presence/transitions.js';
import { directCallsOf, type Wanted } from '../../queue/wanted.js';
import { queuesOf } from '../../../domain/presence/queues-of.js';

/** A phone where somebody is signed in, with their state and the queues that they belong in. */
export interface SignedInPhone extends Phone {
  signInId: number;
  agent: string;
  stateId: number;
  state: AgentState;
  offerId: string | null;
  /** Digit of the pause, also of one that the call of the state interrupts. */
  pauseDigit: string | null;
  /** Of a call that no queue gave them. */
  callKind: CallKind | null;
  /** The call of the state interrupts a pause, which goes on in Asterisk. */
  interrupts: boolean;
  /** As {@link Wanted.directCalls}. */
  directCalls: Wanted['directCalls'];
  /** As {@link Wanted.currentGroup}. */
  currentGroup: string | null;
  /** The group of the state's call. */
  groupName: string | null;
  /** Those whose queue calls the agent takes. */
  groups: { name: string; penalty: number }[];
}

/** Every phone of this node where somebody is signed in. */
export function readSignedInPhones(db: Database, node: string): Promise<SignedInPhone[]> {
  return prepared<SignedInPhone>(
    db,
    `select i.id as "signInId", t.identity as team, x.number as extension, x.kind as "extensionKind", x.endpoint,
       a.id as "agentId", a.number as agent, s.id as "stateId", s.state, s.offer_id as "offerId",
       coalesce(s.pause_digit, b.pause_digit) as "pauseDigit", s.call_kind as "callKind",
       s.interrupts is not null as interrupts, ${directCallsOf} as "directCalls", c.name as "currentGroup",
       sg.name as "groupName", (
         ${queuesOf}) as groups
     from sign_ins i
     join teams t on t.id = i.team_id and t.node = ?
     join extensions x on x.id = i.extension_id
     join agents a on a.id = i.agent_id
     join agent_states s on s.sign_in_id = i.id and s.ended_at is null
     left join agent_states b on b.id = s.interrupts
     left join agent_groups c on c.id = i.current_group_id
     left join agent_groups sg on sg.id = s.group_id
     where i.signed_out_at is null`,
    [node],
  );
}

/** The names of all queues of this node that are ours; the operator's own, and whom they have put there, are none of our business. */
export async function readQueueNames(db: Database, node: string): Promise<Set<string>> {
  const rows = await prepared<{ name: string }>(
    db,
    `select t.identity || '-' || g.name as name from agent_groups g join teams t on t.id = g.team_id
     where t.node = ? and (g.removed_at is null or g.leaving_since is not null)`,
    [node],
  );
  return new Set(rows.map(({ name }) => name));
}
