import { prepared, type Queryable } from '../database/pool.js';
import type { ExtensionKind } from './phone.js';

/** The states of a signed-in agent; `signed-out` is the absence of an open sign-in. */
export type AgentState = 'idle' | 'ringing' | 'talking' | 'wrap-up' | 'paused';

/** One open interval of `agent_states`, with what names the agent outside the database. */
export interface OpenState {
  id: number;
  team: string;
  agent: string;
  extension: string;
  extensionKind: ExtensionKind;
  signInId: number;
  agentId: number;
  state: AgentState;
  offerId: string | null;
  /** Digit of the pause reason. */
  pauseDigit: string | null;
}

/** What a new interval carries beside its state. */
export interface StateDetails {
  /** Name of the pause reason, and its digit. */
  reason?: string;
  pauseDigit?: string;
  /** Names one offer; see the column's comment. */
  offerId?: string;
  callUniqueid?: string;
  groupId?: number;
  /** Seconds until a server ends the state by itself. */
  deadlineSeconds?: number;
  /** What becomes of the agent then; `ready` unless said otherwise. */
  atDeadline?: 'ready' | 'sign-out';
}

const openStateColumns = `
  s.id, t.identity as team, a.number as agent, x.number as extension, x.kind as "extensionKind",
  s.sign_in_id as "signInId",
  s.agent_id as "agentId", s.state, s.offer_id as "offerId", s.pause_digit as "pauseDigit"`;
const openStateJoins = `
  join sign_ins i on i.id = s.sign_in_id
  join teams t on t.id = s.team_id
  join agents a on a.id = s.agent_id
  join extensions x on x.id = i.extension_id`;

/**
 * One transition: closes the open interval of a sign-in if its state is one of `from`, and opens the next at the
 * same instant, so that intervals have no gaps and never overlap. `only` narrows it to one interval or one offer.
 * Undefined: not allowed from where the agent is.
 */
export async function transition(
  db: Queryable,
  signInId: number,
  from: readonly AgentState[],
  to: AgentState,
  details: StateDetails = {},
  only: { id?: number; offerId?: string } = {},
): Promise<OpenState | undefined> {
  const sql = `
    with open as (
      -- One change at a time for a sign-in: a sign-out takes the same lock.
      select id from sign_ins where id = :signInId and signed_out_at is null for no key update
    ), ended as (
      update agent_states s set ended_at = greatest(clock_timestamp(), started_at) from open
      where s.sign_in_id = open.id and ended_at is null and state = any(:from::agent_state[])
        ${only.id === undefined ? '' : 'and s.id = :id'} ${only.offerId === undefined ? '' : 'and s.offer_id = :only'}
      returning team_id, agent_id, sign_in_id, ended_at
    ), s as (
      insert into agent_states
        (team_id, agent_id, sign_in_id, state, reason, pause_digit, offer_id, call_uniqueid, group_id, started_at,
          deadline_at, at_deadline)
      select team_id, agent_id, sign_in_id, :to::agent_state, :reason, :digit, :offerId, :call, :groupId::integer, ended_at,
        ended_at + make_interval(secs => :seconds::double precision), :atDeadline::pause_end
      from ended
      returning *
    )
    select ${openStateColumns} from s ${openStateJoins}`;
  const values = {
    signInId,
    from: [...from],
    to,
    id: only.id ?? 0,
    only: only.offerId ?? '',
    reason: details.reason ?? null,
    digit: details.pauseDigit ?? null,
    atDeadline: details.atDeadline ?? 'ready',
    offerId: details.offerId ?? null,
    call: details.callUniqueid ?? null,
    groupId: details.groupId ?? null,
    seconds: details.deadlineSeconds ?? null,
  };
  // Two transitions at once: the loser waited for the winner's row and finds it closed, while the row that the
  // winner opened was not there when its own statement began. Once more sees it.
  for (let attempt = 0; attempt < 3; attempt++) {
    const [begun] = await prepared<OpenState>(db, sql, values);
    if (begun) return begun;
    const open = await openStateOf(db, signInId);
    if (!open || !from.includes(open.state) || (only.id !== undefined && open.id !== only.id))
      return undefined;
  }
  return undefined;
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

/** How many states one call ends: when a thousand end in the same moment, the servers share them. */
const atOnce = 100;

/**
 * Ends states whose deadline has passed, unless the agent is to be signed out then (`signOutOverdue`): he is idle
 * from that moment on. Any number of servers may
 * call this at once; each state is ended by exactly one of them. Returns the states that this call began, and the
 * milliseconds until the next deadline by the database's clock (undefined: none is set).
 */
export async function endOverdueStates(
  db: Queryable,
): Promise<{ begun: OpenState[]; nextInMs: number | undefined }> {
  const begun = await prepared<OpenState>(
    db,
    `
    with due as (
      select d.id from agent_states d join sign_ins i on i.id = d.sign_in_id join agents a on a.id = d.agent_id
      where d.ended_at is null and d.deadline_at <= clock_timestamp() and i.signed_out_at is null
        -- A fixed agent is never signed out.
        and (d.at_deadline = 'ready' or a.kind = 'fixed')
      order by d.deadline_at limit ${atOnce} for no key update of d, i skip locked
    ), ended as (
      update agent_states e set ended_at = greatest(clock_timestamp(), e.started_at)
      from due where e.id = due.id
      returning e.team_id, e.agent_id, e.sign_in_id, e.offer_id, e.ended_at
    ), s as (
      insert into agent_states (team_id, agent_id, sign_in_id, state, offer_id, started_at)
      select team_id, agent_id, sign_in_id, 'idle', offer_id, ended_at from ended
      returning *
    )
    select ${openStateColumns} from s ${openStateJoins}`,
  );
  const [next] = await prepared<{ ms: number | null }>(
    db,
    `
    select extract(epoch from min(deadline_at) - clock_timestamp())::double precision * 1000 as ms
    from agent_states where ended_at is null and deadline_at is not null and at_deadline = 'ready'`,
  );
  return { begun, nextInMs: next?.ms ?? undefined };
}
