import { prepared, type Database } from '../../domain/database/pool.js';
import type { Phone } from '../../domain/presence/phone.js';
import type { AgentState } from '../../domain/presence/transitions.js';
import { queuesOf } from '../../domain/presence/queues-of.js';
import { memberOf, queueOf } from './names.js';

/**
 * What the database says of one phone: who is signed in there, in which state, in which queues. A pause that a call of
 * theirs interrupts goes on in Asterisk: the state is `paused` then.
 */
export interface Wanted {
  agent: string;
  agentId: number;
  state: AgentState;
  offerId: string | null;
  pauseDigit: string | null;
  /** Wrap-up mode for calls that no queue gives them (`off`: they are only followed); null: such calls do nothing. */
  directCalls: 'ring' | 'answer' | 'off' | null;
  /** The name of their current group; null: none. */
  currentGroup: string | null;
  queues: { queue: string; penalty: number }[];
}

/** SQL: the state of an interval `s` as the queues have it, where a pause that a call interrupts goes on. */
export const inQueues = `case when s.interrupts is null then s.state else 'paused' end`;

/** SQL: what calls that no queue gives do to who has the group `c` as current one; see {@link Wanted.directCalls}. */
export const directCallsOf = `case c.direct_calls when 'talking' then 'off' when 'wrap-up' then c.wrap_up_mode::text end`;

/** By the phone's name as a queue member; without those at which nobody is signed in. */
export async function readWanted(db: Database, phones: readonly Phone[]): Promise<Map<string, Wanted>> {
  const rows = await prepared<
    Omit<Wanted, 'queues'> & { at: number; groups: { name: string; penalty: number }[] }
  >(
    db,
    `select phones.at, a.number as agent, a.id as "agentId",
       ${inQueues} as state, s.offer_id as "offerId", coalesce(s.pause_digit, b.pause_digit) as "pauseDigit",
       ${directCallsOf} as "directCalls", c.name as "currentGroup", (
       ${queuesOf}) as groups
     from unnest(?::text[], ?::text[]) with ordinality as phones (team, extension, at)
     join teams t on t.identity = phones.team
     join extensions x on x.team_id = t.id and x.number = phones.extension and x.removed_at is null
     join sign_ins i on i.extension_id = x.id and i.signed_out_at is null
     join agents a on a.id = i.agent_id
     join agent_states s on s.sign_in_id = i.id and s.ended_at is null
     left join agent_states b on b.id = s.interrupts
     left join agent_groups c on c.id = i.current_group_id`,
    [phones.map(({ team }) => team), phones.map(({ extension }) => extension)],
  );
  const wanted = new Map<string, Wanted>();
  for (const { at, groups, ...row } of rows) {
    const phone = phones[at - 1];
    if (!phone) continue;
    const queues = groups.map(({ name, penalty }) => ({ queue: queueOf(phone.team, name), penalty }));
    wanted.set(memberOf(phone), { ...row, queues });
  }
  return wanted;
}

/** Whether the wrap-up after an offer has been written down for who is signed in at a phone; it may be over. */
export async function knowsWrapUp(db: Database, phone: Phone, offerId: string): Promise<boolean> {
  const rows = await prepared(
    db,
    `select 1 from sign_ins i join agent_states s on s.sign_in_id = i.id and s.offer_id = ? and s.state = 'wrap-up'
     where i.agent_id = ? and i.signed_out_at is null limit 1`,
    [offerId, phone.agentId],
  );
  return rows.length > 0;
}

/** Every queue of the agent who is, or was last, at a phone. */
export async function queuesOfAgent(db: Database, phone: Phone): Promise<string[]> {
  const rows = await prepared<{ name: string }>(
    db,
    'select q.name from queue_agents m join agent_groups q on q.id = m.group_id where m.agent_id = ?',
    [phone.agentId],
  );
  return rows.map(({ name }) => queueOf(phone.team, name));
}
