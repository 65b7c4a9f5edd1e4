import { openStateOf } from './agent-state.js';
import type { Database, Queryable } from '../database/pool.js';
import { conflict } from '../errors.js';
import { lockSignInsOfGroup, openSignIn, signInEndedBy, type SignIn, type Who } from './open-sign-in.js';
import { verifyPassword } from '../password.js';
import { countFailure, forgetFailures, isLocked, type Suspect } from './sign-in-lock.js';
import { statesBefore } from './transitions.js';

/** Seconds after a sign-in in which another phone cannot take the agent over: two phones that try at once are no move. */
export const settledSeconds = 5;

/** The result of a sign-in; all but the first two changed nothing but a count of failures. */
export type SignInOutcome =
  | { outcome: 'signed-in'; signIn: SignIn }
  /** He was signed in at another phone, `left`, and is here now. */
  | { outcome: 'moved'; signIn: SignIn; left: SignIn }
  | { outcome: 'unknown-agent' | 'unknown-phone' | 'locked' }
  /** `extension`: the one phone of this agent. */
  | { outcome: 'wrong-phone'; extension: string }
  | { outcome: 'pin-wanted' | 'pin-wrong' | 'pin-missing' }
  /** `holder`: who is signed in where. */
  | { outcome: 'agent-elsewhere' | 'agent-in-call' | 'phone-taken'; holder: SignIn };

interface Request {
  agent: string;
  extension: string;
  /** The uniqueid of the call or the name of the command. */
  by: string;
  /** What was keyed when asked for the PIN. Nothing at all is no guess: it is asked for again, and not counted. */
  pin?: string;
  /** The command line is trusted: no PIN, no locks. */
  trusted?: boolean;
  /** A phone (its number) that Asterisk cannot reach: an agent who is in a call there moves all the same. */
  unreachable?: string;
}

/**
 * Signs an agent in at a phone of the same team (spec 20-22, 28: no password; a PIN where the team demands it). Of two
 * phones that try it for one agent in the same moment exactly one succeeds; the other learns why not. One who is
 * signed in at another phone moves here, unless they are in a call at a phone that can be reached. Asking again for what is already so succeeds,
 * because a second server may be asked what the first has done.
 */
export async function signIn(db: Database, team: string, request: Request): Promise<SignInOutcome> {
  // The PIN is checked before anything is locked: its hash takes long on purpose.
  const pin = await checkPin(db, team, request);
  return db.transaction(async (trx): Promise<SignInOutcome> => {
    // Locked, so that neither is changed or removed before this is decided.
    const lock = async <T>(table: string, number: string): Promise<T | undefined> => {
      const { rows } = await trx.raw<{ rows: T[] }>(
        `select own.* from ?? own join teams t on t.id = own.team_id
         where t.identity = ? and own.number = ? and own.removed_at is null for share of own`,
        [table, team, number],
      );
      return rows[0];
    };
    const phone = await lock<PhoneRow>('extensions', request.extension);
    if (!phone) return { outcome: 'unknown-phone' };
    const suspects: Suspect[] = [{ kind: 'phone', number: request.extension }];
    const agent = await lock<AgentRow>('agents', request.agent);
    if (agent) suspects.push({ kind: 'agent', number: request.agent });
    if (!request.trusted && (await isLocked(trx, phone.team_id, suspects))) return { outcome: 'locked' };
    if (!agent) {
      await countFailure(trx, phone.team_id, suspects);
      return { outcome: 'unknown-agent' };
    }
    if (agent.extension_id !== null && agent.extension_id !== phone.id) {
      const own = await trx('extensions')
        .where({ id: agent.extension_id })
        .first<{ number: string }>('number');
      return { outcome: 'wrong-phone', extension: own.number };
    }
    const before = await openSignIn(trx, team, { agent: request.agent });
    if (before?.extension === request.extension) return { outcome: 'signed-in', signIn: before };
    const holder = await openSignIn(trx, team, { extension: request.extension });
    if (holder) return { outcome: 'phone-taken', holder };
    if (pin !== 'right') {
      if (pin === 'pin-wrong') await countFailure(trx, phone.team_id, suspects);
      return { outcome: pin };
    }
    const decided = await enter(trx, team, request, { agent, phone, before });
    if (decided.outcome === 'signed-in' || decided.outcome === 'moved') {
      await forgetFailures(trx, phone.team_id, suspects);
    }
    return decided;
  });
}

interface PhoneRow {
  id: number;
  team_id: number;
}
interface AgentRow {
  id: number;
  team_id: number;
  extension_id: number | null;
}

async function checkPin(
  db: Queryable,
  team: string,
  { agent, pin, trusted }: Request,
): Promise<'right' | 'pin-wanted' | 'pin-wrong' | 'pin-missing'> {
  if (trusted) return 'right';
  const row = await db('teams as t')
    .leftJoin('agents as a', (on) =>
      on.on('a.team_id', 't.id').andOnVal('a.number', agent).andOnNull('a.removed_at'),
    )
    .where('t.identity', team)
    .first<{ demanded: boolean; hash: string | null } | undefined>(
      't.phone_pin as demanded',
      'a.pin_hash as hash',
    );
  if (!row?.demanded) return 'right';
  if (row.hash === null) return 'pin-missing';
  if (pin === undefined || pin === '') return 'pin-wanted';
  return (await verifyPassword(pin, row.hash)) ? 'right' : 'pin-wrong';
}

async function enter(
  trx: Queryable,
  team: string,
  { agent: number, extension, by, unreachable }: Request,
  { agent, phone, before }: { agent: AgentRow; phone: PhoneRow; before: SignIn | undefined },
): Promise<SignInOutcome> {
  if (before) {
    const refused = await refuseMove(trx, before, before.extension === unreachable);
    if (refused) return { outcome: refused, holder: before };
    if (!(await close(trx, [before.id], by))) return { outcome: 'agent-elsewhere', holder: before };
  }
  // The partial unique indexes decide: this waits for a sign-in that is just being made and loses to it.
  const { rows } = await trx.raw<{ rows: { id: number }[] }>(
    `insert into sign_ins (team_id, agent_id, extension_id, signed_in_by, current_group_id, signed_in_at, work_mode)
     select :teamId, :agentId, :extensionId, :by, coalesce(former.current_group_id,
         (select group_id from agent_group_members where agent_id = :agentId order by position, group_id limit 1)),
       coalesce(former.signed_out_at, clock_timestamp()), coalesce(former.work_mode, 'all')
     from (select) as one left join sign_ins former on former.id = :former
     on conflict do nothing returning id`,
    { teamId: agent.team_id, agentId: agent.id, extensionId: phone.id, by, former: before?.id ?? null },
  );
  const created = rows[0];
  if (created) {
    // A pause of their own or a wrap-up moves along with the agent; one for the calls that they missed there does not. So
    // does, out of a call at a phone that is dead, the pause that it interrupted (`b`), which has stood still.
    await trx.raw(
      `insert into agent_states (team_id, agent_id, sign_in_id, started_at, state, reason, pause_digit, offer_id,
         group_id, call_kind, interrupts, deadline_at, at_deadline)
       select i.team_id, i.agent_id, i.id, i.signed_in_at, coalesce(s.state, 'idle'), s.reason, s.pause_digit, s.offer_id,
         s.group_id, s.call_kind, s.interrupts, s.deadline_at, coalesce(s.at_deadline, 'ready')
       from sign_ins i
       left join lateral (select * from agent_states where sign_in_id = :former order by id desc limit 1) l on true
       left join agent_states b on b.id = l.interrupts and b.pause_digit is not null
       left join lateral (
         select l.state, l.reason, l.pause_digit, l.offer_id, l.group_id, l.call_kind, b.id as interrupts, l.deadline_at,
           l.at_deadline
         where l.state = any(:kept::agent_state[]) and not (l.state = 'paused' and l.pause_digit is null)
         union all
         select b.state, b.reason, b.pause_digit, null, null, null, null, i.signed_in_at + (b.deadline_at - b.ended_at),
           b.at_deadline
         where l.state <> all(:kept::agent_state[]) and b.id is not null) s on true
       where i.id = :id`,
      { id: created.id, former: before?.id ?? null, kept: statesBefore('move') },
    );
  }
  const open = await openSignIn(trx, team, { agent: number });
  if (open?.extension === extension) {
    return before ? { outcome: 'moved', signIn: open, left: before } : { outcome: 'signed-in', signIn: open };
  }
  if (open) return { outcome: 'agent-elsewhere', holder: open };
  const winner = await openSignIn(trx, team, { extension });
  // The move must not leave them signed out: the transaction takes everything back.
  if (!winner || before) throw conflict(`extension ${extension} was taken in the same moment: try again.`);
  return { outcome: 'phone-taken', holder: winner };
}

/** Why the agent cannot leave the phone where they are; locks the sign-in, so that no offer begins meanwhile. */
async function refuseMove(
  trx: Queryable,
  from: SignIn,
  unreachable: boolean,
): Promise<'agent-elsewhere' | 'agent-in-call' | undefined> {
  const { rows } = await trx.raw<{ rows: { settled: boolean }[] }>(
    `select signed_in_at < clock_timestamp() - make_interval(secs => ?) as settled from sign_ins
     where id = ? and signed_out_at is null for no key update`,
    [settledSeconds, from.id],
  );
  if (!rows[0]?.settled) return 'agent-elsewhere';
  const state = (await openStateOf(trx, from.id))?.state;
  const allowed = [...statesBefore('move'), ...(unreachable ? statesBefore('take-over') : [])];
  return state !== undefined && !allowed.includes(state) ? 'agent-in-call' : undefined;
}

export type SignOutOutcome =
  /** `offer`: the call that rang at the phone, which another agent is to get now. */
  | { outcome: 'signed-out'; signIn: SignIn; offer?: string }
  /** A fixed agent is signed in as long as they are provisioned; they pause instead. */
  | { outcome: 'fixed'; signIn: SignIn }
  | { outcome: 'not-signed-in' };

/** Signs out whoever is signed in at a phone, or a named agent. Asked again by the same call, it succeeds again. */
export async function signOut(db: Database, team: string, who: Who, by: string): Promise<SignOutOutcome> {
  return db.transaction(async (trx): Promise<SignOutOutcome> => {
    const open = await openSignIn(trx, team, who);
    if (open && (await isFixed(trx, open.agentId))) return { outcome: 'fixed', signIn: open };
    if (open && (await close(trx, [open.id], by))) {
      const last = await trx('agent_states')
        .where({ sign_in_id: open.id })
        .orderBy('id', 'desc')
        .first<{ state: string; offerId: string | null } | undefined>('state', 'offer_id as offerId');
      const offer = last?.state === 'ringing' ? last.offerId : null;
      return { outcome: 'signed-out', signIn: open, ...(offer !== null && { offer }) };
    }
    const before = await signInEndedBy(trx, team, who, by);
    return before ? { outcome: 'signed-out', signIn: before } : { outcome: 'not-signed-in' };
  });
}

async function isFixed(db: Queryable, agentId: number): Promise<boolean> {
  const row = await db('agents').where({ id: agentId }).first<{ kind: string } | undefined>('kind');
  return row?.kind === 'fixed';
}

/** Signs out every agent of a group, in any state, but for its fixed ones. */
export function signOutAll(
  db: Database,
  team: string,
  group: string,
  by: string,
): Promise<{ outcome: 'signed-out' | 'fixed'; signIn: SignIn }[]> {
  return db.transaction(async (trx) => {
    const open = await lockSignInsOfGroup(trx, team, group);
    const leaving = open.filter(({ fixed }) => !fixed).map(({ id }) => id);
    await close(trx, leaving, by);
    return open.map(({ fixed, ...signIn }) => ({ outcome: fixed ? 'fixed' : 'signed-out', signIn }));
  });
}

/** Ends sign-ins, each with its open state at one instant; false when all had ended already. Call it in a transaction. */
export async function close(trx: Queryable, ids: readonly number[], by: string): Promise<boolean> {
  // Two statements: the first waits for a transition under way, the second sees the interval that it opened.
  const closed = await trx('sign_ins')
    .whereIn('id', ids)
    .whereNull('signed_out_at')
    .update({ signed_out_at: trx.raw('greatest(clock_timestamp(), signed_in_at)'), signed_out_by: by })
    .returning<{ id: number }[]>('id');
  if (closed.length === 0) return false;
  await trx.raw(
    `with ended as (
       update agent_states set ended_at = greatest(clock_timestamp(), started_at)
       where sign_in_id = any(?::integer[]) and ended_at is null returning sign_in_id, ended_at)
     update sign_ins set signed_out_at = ended.ended_at from ended where id = ended.sign_in_id`,
    [closed.map(({ id }) => id)],
  );
  return true;
}
