import { prepared, type Queryable } from '../database/pool.js';
import type { ExtensionKind } from './phone.js';
import {
  statesBefore,
  transitions,
  type AgentEvent,
  type AgentState,
  type StateEvent,
} from './transitions.js';

/** One open interval of `agent_states`, with what names the agent outside the database. */
export interface OpenState {
  id: number;
  team: string;
  agent: string;
  extension: string;
  extensionKind: ExtensionKind;
  endpoint: string | null;
  signInId: number;
  agentId: number;
  state: AgentState;
  offerId: string | null;
  /** Digit of the pause reason. */
  pauseDigit: string | null;
  /** The interval of the pause that a call has interrupted. */
  interrupts: number | null;
}

/** A call that no queue gives an agent: to the outside, from there to their phone, or between phones of the team. */
export const callKinds = ['out', 'direct', 'internal'] as const;
export type CallKind = (typeof callKinds)[number];

/** The facts that a new interval carries beside its state. */
export interface StateDetails {
  /** Name of the pause reason, and its digit. */
  reason?: string;
  pauseDigit?: string;
  /** Names one offer; see the column's comment. */
  offerId?: string;
  callUniqueid?: string;
  /** Of a call that no queue gives: what it is. */
  callKind?: CallKind;
  groupId?: number;
  /** Seconds until a server ends the state by itself. */
  deadlineSeconds?: number;
  /** What becomes of the agent then; `ready` unless said otherwise. */
  atDeadline?: 'ready' | 'sign-out';
}

const openStateColumns = `
  s.id, t.identity as team, a.number as agent, x.number as extension, x.kind as "extensionKind", x.endpoint,
  s.sign_in_id as "signInId",
  s.agent_id as "agentId", s.state, s.offer_id as "offerId", s.pause_digit as "pauseDigit", s.interrupts`;
const openStateJoins = `
  join sign_ins i on i.id = s.sign_in_id
  join teams t on t.id = s.team_id
  join agents a on a.id = s.agent_id
  join extensions x on x.id = i.extension_id`;

/** How far an offer or another call has come; it never goes back, so that events which are late repeat nothing. */
const offerSteps: readonly AgentState[] = ['ringing', 'talking', 'wrap-up'];
const onceOfAnOffer: ReadonlySet<AgentEvent> = new Set([
  'offer',
  'connect',
  'wrap-up',
  'call-rings',
  'call',
  'call-wrap-up',
] as const);

/**
 * One transition of the table: closes the open interval of a sign-in if the event may happen in its state, and opens the
 * next at the same instant, so that intervals have no gaps and never overlap. `only` narrows it to one interval, or to that
 * of the call `after`; events of app_queue happen once for an offer, and also in states that they do not follow from.
 * Returns the state that has begun and the one before it; undefined: not allowed from where the agent is, or the offer has
 * come further already.
 */
export async function transition(
  db: Queryable,
  signInId: number,
  event: StateEvent,
  details: StateDetails = {},
  only: { id?: number; after?: string } = {},
): Promise<(OpenState & { before: AgentState }) | undefined> {
  const { to } = transitions[event];
  const observed = onceOfAnOffer.has(event);
  const from = statesBefore(event, observed);
  const values = {
    signInId,
    from,
    to,
    id: only.id ?? null,
    reached: observed ? offerSteps.slice(offerSteps.indexOf(to)) : [],
    reason: details.reason ?? null,
    digit: details.pauseDigit ?? null,
    atDeadline: details.atDeadline ?? 'ready',
    offerId: details.offerId ?? null,
    inCall: only.after ?? details.offerId ?? null,
    call: details.callUniqueid ?? null,
    kind: details.callKind ?? null,
    groupId: details.groupId ?? null,
    seconds: details.deadlineSeconds ?? null,
  };
  // Two transitions at once: the loser waited for the winner's row and finds it closed, while the row that the
  // winner opened was not there when its own statement began. Once more sees it.
  for (let attempt = 0; attempt < 3; attempt++) {
    const [begun] = await prepared<OpenState & { before: AgentState }>(db, transitionSql, values);
    if (begun) return begun;
    const open = await openStateOf(db, signInId);
    if (!open || !from.includes(open.state) || (only.id !== undefined && open.id !== only.id))
      return undefined;
    if (details.callKind && isOfAnother(open, only.after ?? details.offerId)) return undefined;
    if (observed && (await hasReached(db, signInId, details.offerId, values.reached))) return undefined;
  }
  return undefined;
}

const transitionSql = `
  with open as (
    -- One change at a time for a sign-in: a sign-out takes the same lock.
    select id from sign_ins where id = :signInId and signed_out_at is null for no key update
  ), ended as (
    update agent_states s set ended_at = greatest(clock_timestamp(), started_at) from open
    where s.sign_in_id = open.id and ended_at is null and state = any(:from::agent_state[])
      and (:id::bigint is null or s.id = :id::bigint)
      and not exists (select from agent_states r where r.sign_in_id = open.id
        and r.offer_id = :offerId::text and r.state = any(:reached::agent_state[]))
      -- A call beside that of a queue, on hold or not yet answered, says nothing of it.
      and (:kind::text is null or state not in ('ringing', 'talking') or s.offer_id is not distinct from :inCall::text)
    returning s.id, team_id, agent_id, sign_in_id, state, interrupts, ended_at,
      s.saved and s.offer_id is not distinct from :offerId::text as saved
  ), s as (
    insert into agent_states
      (team_id, agent_id, sign_in_id, state, reason, pause_digit, offer_id, call_uniqueid, call_kind, interrupts, group_id,
        started_at, deadline_at, at_deadline, saved)
    select team_id, agent_id, sign_in_id, :to::agent_state, :reason, :digit, :offerId::text, :call, :kind::text,
      case when :kind::text is not null then case state when 'paused' then id else interrupts end end, :groupId::integer,
      ended_at,
      -- What an agent does in a wrap-up is done.
      case when saved and :to::agent_state = 'wrap-up' then ended_at
        else ended_at + make_interval(secs => :seconds::double precision) end, :atDeadline::pause_end,
      saved and :to::agent_state = 'talking'
    from ended
    returning *
  )
  select ${openStateColumns}, (select state from ended) as before from s ${openStateJoins}`;

async function hasReached(
  db: Queryable,
  signInId: number,
  offerId: string | undefined,
  states: readonly AgentState[],
): Promise<boolean> {
  const row = await db('agent_states')
    .where({ sign_in_id: signInId, offer_id: offerId ?? null })
    .whereIn('state', states)
    .first<{ id: number } | undefined>('id');
  return row !== undefined;
}

/**
 * The offer is over without a wrap-up: the agent is idle again, or back in the pause that it interrupted (a pause does
 * not stop an offer that rings already), whose longest time has gone on. The end of another offer changes nothing. A call
 * that no queue gave them ends likewise, but the longest time of the pause has stood still.
 */
export async function endOffer(db: Queryable, signInId: number, offerId: string | null): Promise<void> {
  await prepared(db, goBackSql, { signInId, offerId, id: null, from: statesBefore('offer-end') });
}

/** The wrap-up after a call that interrupted a pause is over: the pause goes on. False: it was over already. */
export async function resumePause(db: Queryable, { signInId, id, offerId }: OpenState): Promise<boolean> {
  const rows = await prepared(db, goBackSql, { signInId, offerId, id, from: statesBefore('resume') });
  return rows.length > 0;
}

/** SQL: what an interval of the rows `e` goes back to, in the columns of `b`; a pause that a call interrupted has stood still. */
const interrupted = `
  select b.state, b.reason, b.pause_digit, b.at_deadline, e.ended_at + (b.deadline_at - b.ended_at) as deadline_at
  from agent_states b where b.id = e.interrupts`;

const goBackSql = `
  with open as (
    select id from sign_ins where id = :signInId and signed_out_at is null for no key update
  ), ended as (
    update agent_states s set ended_at = greatest(clock_timestamp(), started_at) from open
    where s.sign_in_id = open.id and ended_at is null and state = any(:from::agent_state[])
      and (:id::bigint is null or s.id = :id::bigint)
      and s.offer_id is not distinct from :offerId::text
    returning team_id, agent_id, sign_in_id, call_kind, interrupts, ended_at
  )
  insert into agent_states (team_id, agent_id, sign_in_id, state, reason, pause_digit, offer_id, started_at,
    deadline_at, at_deadline)
  select e.team_id, e.agent_id, e.sign_in_id, coalesce(b.state, 'idle'), b.reason, b.pause_digit,
    case when b.state is null then :offerId::text end, e.ended_at, b.deadline_at, coalesce(b.at_deadline, 'ready')
  from ended e left join lateral (
    ${interrupted}
    union all
    select last.state, last.reason, last.pause_digit, last.at_deadline, last.deadline_at from (
      select * from agent_states p where p.sign_in_id = e.sign_in_id and p.state <> all(:from::agent_state[])
      order by p.id desc limit 1) as last
    where last.state = 'paused' and e.call_kind is null) b on true
  returning 1`;

/** Whether the agent is in another call than the one that something is told of. */
const isOfAnother = ({ state, offerId }: OpenState, told: string | undefined): boolean =>
  (state === 'ringing' || state === 'talking') && offerId !== (told ?? null);

/**
 * The application has saved its record of a call that goes on, by the channel of the agent's phone: the wrap-up after it ends as
 * it begins. False: the agent is not in that call, or not any more.
 */
export async function saveDuringCall(db: Queryable, agentId: number, channel: string): Promise<boolean> {
  const rows = await prepared(
    db,
    `update agent_states set saved = true where agent_id = ? and offer_id = ? and ended_at is null
       and state in ('ringing', 'talking') returning id`,
    [agentId, channel],
  );
  return rows.length > 0;
}

/** The open interval of a sign-in, undefined once it has ended. */
export async function openStateOf(db: Queryable, signInId: number): Promise<OpenState | undefined> {
  const [open] = await prepared<OpenState>(
    db,
    `select ${openStateColumns} from agent_states s ${openStateJoins} where s.sign_in_id = ? and s.ended_at is null`,
    [signInId],
  );
  return open;
}

/** A state that a deadline has begun: what it has ended, and how much later than it was to. */
export interface Begun extends OpenState {
  before: AgentState;
  lateSeconds: number;
}

/** How many states one call ends: when a thousand end in the same moment, the servers share them. */
const atOnce = 100;

/**
 * Ends states whose deadline has passed, unless the agent is to be signed out then (`signOutOverdue`): they are idle
 * from that moment on, or back in the pause that a call interrupted. Any number of servers may
 * call this at once; each state is ended by exactly one of them. Returns the states that this call began, and the
 * milliseconds until the next deadline by the database's clock (undefined: none is set).
 */
export async function endOverdueStates(
  db: Queryable,
  node: string,
): Promise<{ begun: Begun[]; nextInMs: number | undefined }> {
  const begun = await prepared<Begun>(
    db,
    `
    with due as (
      select d.id from agent_states d join sign_ins i on i.id = d.sign_in_id join agents a on a.id = d.agent_id
      join teams t on t.id = d.team_id and t.node = ?
      where d.ended_at is null and d.deadline_at <= clock_timestamp() and i.signed_out_at is null
        and d.state = any(?::agent_state[])
        -- A fixed agent is never signed out.
        and (d.at_deadline = 'ready' or a.kind = 'fixed')
      order by d.deadline_at limit ${atOnce} for no key update of d, i skip locked
    ), ended as (
      update agent_states e set ended_at = greatest(clock_timestamp(), e.started_at)
      from due where e.id = due.id
      returning e.team_id, e.agent_id, e.sign_in_id, e.offer_id, e.interrupts, e.ended_at, e.state, e.deadline_at
    ), s as (
      insert into agent_states (team_id, agent_id, sign_in_id, state, reason, pause_digit, offer_id, started_at,
        deadline_at, at_deadline)
      select e.team_id, e.agent_id, e.sign_in_id, coalesce(b.state, 'idle'), b.reason, b.pause_digit,
        case when b.state is null then e.offer_id end, e.ended_at, b.deadline_at, coalesce(b.at_deadline, 'ready')
      from ended e left join lateral (${interrupted}) b on true
      returning *
    )
    select ${openStateColumns}, ended.state as before,
      extract(epoch from ended.ended_at - ended.deadline_at)::double precision as "lateSeconds"
    from s join ended on ended.sign_in_id = s.sign_in_id ${openStateJoins}`,
    [node, statesBefore('deadline')],
  );
  const [next] = await prepared<{ ms: number | null }>(
    db,
    `
    select extract(epoch from min(deadline_at) - clock_timestamp())::double precision * 1000 as ms
    from agent_states s join teams t on t.id = s.team_id and t.node = ?
    where ended_at is null and deadline_at is not null and at_deadline = 'ready'`,
    [node],
  );
  return { begun, nextInMs: next?.ms ?? undefined };
}
