import type { Database, Queryable } from './database.js';
import { openStateOf, transition, type AgentState, type OpenState } from './agent-state.js';

/** An agent at a phone. */
export interface SignIn {
  id: number;
  teamId: number;
  team: string;
  agentId: number;
  agent: string;
  extension: string;
}

export type SignInOutcome =
  | { outcome: 'signed-in'; signIn: SignIn }
  | { outcome: 'unknown-agent' | 'unknown-phone' | 'wrong-phone' | 'agent-elsewhere' | 'phone-taken' };

const columns = `i.id, i.team_id as "teamId", t.identity as team, i.agent_id as "agentId", a.number as agent,
  x.number as extension`;
const joins = `sign_ins i join teams t on t.id = i.team_id join agents a on a.id = i.agent_id
  join extensions x on x.id = i.extension_id`;

/**
 * Signs an agent in at a phone of the same team (spec 20, 21, 28: no password). Of two phones that try it for one
 * agent in the same instant exactly one succeeds; the other learns why not. Asking again for what is already so
 * succeeds, because a second server may be asked what the first has done.
 * `by` is the uniqueid of the call or the name of the command.
 */
export async function signIn(
  db: Database,
  team: string,
  request: { agent: string; extension: string; by: string },
): Promise<SignInOutcome> {
  return db.transaction(async (trx): Promise<SignInOutcome> => {
    // Locked, so that neither is changed or removed before this is decided.
    const lock = async <T>(table: string, number: string): Promise<T | undefined> => {
      const { rows } = await trx.raw<{ rows: T[] }>(
        `select own.* from ?? own join teams t on t.id = own.team_id
         where t.identity = ? and own.number = ? for share of own`,
        [table, team, number],
      );
      return rows[0];
    };
    const phone = await lock<{ id: number; kind: string }>('extensions', request.extension);
    if (phone?.kind !== 'sip') return { outcome: 'unknown-phone' };
    const agent = await lock<{ id: number; team_id: number; extension_id: number | null }>(
      'agents',
      request.agent,
    );
    if (!agent) return { outcome: 'unknown-agent' };
    if (agent.extension_id !== null && agent.extension_id !== phone.id) return { outcome: 'wrong-phone' };

    // The partial unique indexes decide: this waits for a sign-in that is just being made and loses to it.
    const { rows } = await trx.raw<{ rows: { id: number }[] }>(
      `insert into sign_ins (team_id, agent_id, extension_id, signed_in_by, current_group_id)
       values (:teamId, :agentId, :extensionId, :by,
         (select group_id from agent_group_members where agent_id = :agentId order by position, group_id limit 1))
       on conflict do nothing returning id`,
      { teamId: agent.team_id, agentId: agent.id, extensionId: phone.id, by: request.by },
    );
    const created = rows[0];
    if (created) {
      await trx.raw(
        `insert into agent_states (team_id, agent_id, sign_in_id, state, started_at)
         select team_id, agent_id, id, 'idle', signed_in_at from sign_ins where id = ?`,
        [created.id],
      );
    }
    const open = await openSignIn(trx, team, { agent: request.agent });
    if (open?.extension === request.extension) return { outcome: 'signed-in', signIn: open };
    return { outcome: open ? 'agent-elsewhere' : 'phone-taken' };
  });
}

export type SignOutOutcome = { outcome: 'signed-out'; signIn: SignIn } | { outcome: 'not-signed-in' };

/** Signs out whoever is signed in at a phone, or a named agent. Asked again by the same call, it succeeds again. */
export async function signOut(
  db: Database,
  team: string,
  who: { extension: string } | { agent: string },
  by: string,
): Promise<SignOutOutcome> {
  return db.transaction(async (trx): Promise<SignOutOutcome> => {
    const open = await openSignIn(trx, team, who);
    const closed = open ? await close(trx, open.id, by) : false;
    if (open && closed) return { outcome: 'signed-out', signIn: open };
    const before = await find(trx, team, who, 'i.signed_out_by = :by', { by });
    return before ? { outcome: 'signed-out', signIn: before } : { outcome: 'not-signed-in' };
  });
}

async function close(trx: Queryable, id: number, by: string): Promise<boolean> {
  // Two statements: the first waits for a transition under way, the second sees the interval that it opened.
  const closed = await trx('sign_ins')
    .where({ id, signed_out_at: null })
    .update({ signed_out_at: trx.raw('greatest(clock_timestamp(), signed_in_at)'), signed_out_by: by });
  if (closed === 0) return false;
  await trx.raw(
    `with ended as (
       update agent_states set ended_at = greatest(clock_timestamp(), started_at)
       where sign_in_id = :id and ended_at is null returning ended_at)
     update sign_ins set signed_out_at = ended.ended_at from ended where id = :id`,
    { id },
  );
  return true;
}

export type ReadyOutcome =
  | { outcome: 'ready'; signIn: SignIn; state: OpenState }
  | { outcome: 'not-signed-in' }
  | { outcome: 'busy'; signIn: SignIn };

/** Ends a pause or a wrap-up (spec 52, 56): harmless when the agent is idle already, refused in a call. */
export async function ready(
  db: Queryable,
  team: string,
  who: { extension: string } | { agent: string },
): Promise<ReadyOutcome> {
  const open = await openSignIn(db, team, who);
  if (!open) return { outcome: 'not-signed-in' };
  const leaving: AgentState[] = ['wrap-up', 'paused'];
  const before = await openStateOf(db, open.id);
  if (before && leaving.includes(before.state)) {
    // The token goes on with the idle interval: a pause that still carries it in Asterisk is one to be lifted.
    const details = before.token === null ? {} : { token: before.token };
    const state = await transition(db, open.id, leaving, 'idle', details, { id: before.id });
    if (state) return { outcome: 'ready', signIn: open, state };
  }
  const now = await openStateOf(db, open.id);
  if (!now) return { outcome: 'not-signed-in' };
  return now.state === 'idle'
    ? { outcome: 'ready', signIn: open, state: now }
    : { outcome: 'busy', signIn: open };
}

/** The open sign-in at a phone or of an agent. */
export function openSignIn(
  db: Queryable,
  team: string,
  who: { extension: string } | { agent: string },
): Promise<SignIn | undefined> {
  return find(db, team, who, 'i.signed_out_at is null', {});
}

async function find(
  db: Queryable,
  team: string,
  who: { extension: string } | { agent: string },
  condition: string,
  values: Record<string, string>,
): Promise<SignIn | undefined> {
  const [column, number] = 'agent' in who ? ['a.number', who.agent] : ['x.number', who.extension];
  const { rows } = await db.raw<{ rows: SignIn[] }>(
    `select ${columns} from ${joins} where t.identity = :team and ${column} = :number and ${condition}
     order by i.id desc limit 1`,
    { team, number, ...values },
  );
  return rows[0];
}
