import type { Database, Queryable } from '../database/pool.js';
import { prepared } from '../database/pool.js';
import { withDatabaseErrors } from '../database/sql-errors.js';
import { fail, type ErrorCode, type Star64Error } from '../errors.js';
import { quoted, unknown } from '../names.js';
import { endOffer, type CallKind } from '../presence/agent-state.js';
import type { PhoneName } from '../presence/phone.js';
import type { AgentState } from '../presence/transitions.js';
import { beginCall } from '../presence/wrap-up.js';
import { requireTeam } from '../provisioning/team.js';
import { callCommandTimes, checkDone, giveCommandOfTeam, resultOf } from './call-commands.js';

/** A call that software starts for an agent (spec 41-44). */
export interface CallWanted {
  /** Number of the agent. */
  agent: string;
  /** As they would dial it, or with + in front a number outside. */
  to: string;
  /** Made up by who asks: given again, nothing is done again, and the first answer comes. */
  id?: string | undefined;
  /** Has the agent's phone pick up by itself, if it can (Call-Info, Alert-Info). */
  autoAnswer?: boolean | undefined;
  /** Who asks, as `cli:anna:1f0c9a2b`. */
  by: string;
}

/** A call whose first leg rings. */
export interface CallStarted {
  team: string;
  /** Asterisk's uniqueid of the call. */
  call: string;
  agent: string;
  extension: string;
  to: string;
}

/** What can be dialled for an agent: no feature code, which would be another function of theirs. */
const dialledForm = /^[+]?[0-9]{1,30}$/;
const requestForm = /^[!-~]{1,100}$/;

/** Uniqueid of the channel to the agent's phone, of which Asterisk takes no second one: nobody is rung twice. */
export const clickUniqueid = (command: string): string => `star64-click-${command}`;
/** The command of a channel of that name; undefined: another channel. */
export const clickedBy = (uniqueid: string): string | undefined =>
  /^star64-click-([1-9][0-9]{0,17})$/.exec(uniqueid)?.[1];

/**
 * Starts a call for an agent: their phone is rung, and the number is called once they have answered, as if they had dialled it
 * (their rights, limits, caller ID and records). Returns when their phone is being rung.
 *
 * @throws Star64Error `not_signed_in`, `in_call`, `no_application`, `call_not_allowed`, `phone_unreachable`,
 *   `phone_is_telephone`, `manager_may_not`, `no_server`, `call_command_unknown` (nobody tries again), `not_dialled`,
 *   `invalid_request_id`, `request_taken`, `unknown`.
 */
export async function startCall(
  db: Database,
  team: string,
  wanted: CallWanted,
  times = callCommandTimes,
): Promise<CallStarted> {
  const { agent, to, id: request, by } = wanted;
  if (!dialledForm.test(to))
    throw fail('not_dialled', {
      noun: 'call',
      name: to,
      facts: { team },
      says: `${quoted(to)} is not dialled for an agent`,
      remedy: { text: 'give up to 30 digits as they would dial them, or a number outside with + in front' },
    });
  if (request !== undefined && !requestForm.test(request))
    throw fail('invalid_request_id', {
      facts: { team },
      says: 'the id of a call has 1 to 100 visible characters and no spaces',
    });
  const autoAnswer = wanted.autoAnswer === true;
  const given = { agent, to, ...(autoAnswer && { auto_answer: 'yes' }) };
  const command = await withDatabaseErrors(async () => {
    const before = request === undefined ? undefined : await givenBefore(db, team, request, given);
    if (before) return before;
    await clickTarget(db, team, agent, { autoAnswer });
    return (
      (await giveCommandOfTeam(db, { team, kind: 'originate', given, by, request }, times.claimSeconds)) ??
      givenBefore(db, team, request ?? '', given)
    );
  });
  if (!command) throw unknown('team', null, team);
  const became = await resultOf(db, command.id, times);
  checkDone(
    became,
    { noun: 'agent', name: agent, facts: { team, node: command.node, kind: 'originate' } },
    times,
  );
  return withDatabaseErrors(async () => {
    const [row] = await prepared<{ extension: string }>(
      db,
      `select x.number as extension from call_commands k join clicks o on o.call_id = k.call_id
       join extensions x on x.id = o.extension_id where k.id = ?`,
      [command.id],
    );
    return { team, call: clickUniqueid(command.id), agent, extension: row?.extension ?? '', to };
  });
}

/** The command that was given with this id; one that no server has taken in time did nothing, and is given anew. */
async function givenBefore(
  db: Queryable,
  team: string,
  request: string,
  given: object,
): Promise<{ id: string; node: string } | undefined> {
  const teamId = await requireTeam(db, team);
  await prepared(
    db,
    `update call_commands set request = null where team_id = ? and request = ? and result = 'expired' and claimed_at is null`,
    [teamId, request],
  );
  const [row] = await prepared<{ id: string; node: string; same: boolean }>(
    db,
    `select id, node, kind = 'originate' and arguments = :given::jsonb as same from call_commands
     where team_id = :teamId and request = :request`,
    { teamId, request, given: JSON.stringify(given) },
  );
  if (row && !row.same)
    throw fail('request_taken', {
      facts: { team, id: request },
      says: `the id ${request} was given before for another call`,
      remedy: {
        text: 'make up a new id for each call, and give it again only with the same agent, number and auto_answer',
      },
    });
  return row;
}

/** The agent of a call that is to be started, and where they are. */
export interface ClickTarget extends PhoneName {
  signInId: number;
  teamId: number;
  agentId: number;
  extensionId: number;
  agent: string;
  state: AgentState;
}

/**
 * `autoAnswer`: their phone is to pick up by itself, which opens the room in which it stands: it must be one of their user, or
 * the one that they are fixed to.
 *
 * @throws Star64Error where they can be in no such call now.
 */
export async function clickTarget(
  db: Queryable,
  team: string,
  agent: string,
  { autoAnswer = false } = {},
): Promise<ClickTarget> {
  const [row] = await prepared<
    Omit<ClickTarget, 'signInId'> & {
      signInId: number | null;
      own: boolean;
      group: string | null;
      application: string | null;
    }
  >(
    db,
    `select t.id as "teamId", t.identity as team, a.id as "agentId", a.number as agent, i.id as "signInId",
       x.id as "extensionId", x.number as extension, x.kind as "extensionKind", x.endpoint, s.state,
       x.user_id = a.user_id or a.kind = 'fixed' as own, g.name as "group", g.application
     from agents a join teams t on t.id = a.team_id
     left join sign_ins i on i.agent_id = a.id and i.signed_out_at is null
     left join extensions x on x.id = i.extension_id
     left join agent_states s on s.sign_in_id = i.id and s.ended_at is null
     left join agent_groups g on g.id = i.current_group_id and g.removed_at is null
     where t.identity = :team and a.number = :agent and a.removed_at is null`,
    { team, agent },
  );
  if (!row) throw unknown('agent', team, agent);
  const { signInId, own, group, application, ...target } = row;
  const refuse = (code: ErrorCode, says: string, text: string): Star64Error =>
    fail(code, {
      noun: 'agent',
      name: agent,
      facts: {
        team,
        ...(group !== null && { group }),
        ...(code === 'call_not_allowed' && { reason: 'auto-answer' }),
      },
      says,
      remedy: { text },
    });
  if (signInId === null)
    throw refuse('not_signed_in', `agent ${agent} is not signed in`, 'they sign in at a phone with *64');
  if (application === null)
    throw refuse(
      'no_application',
      group === null
        ? `agent ${agent} has no current group`
        : `group ${group}, which agent ${agent} has as current group, has no application`,
      group === null
        ? 'they choose one with *63'
        : `\`star64 group set ${group} --application customer_service --team ${team}\` gives it one`,
    );
  if (autoAnswer && !own)
    throw refuse(
      'call_not_allowed',
      `agent ${agent} is at extension ${target.extension}, which is not theirs, and it picks up nothing by itself for them`,
      'leave auto_answer out',
    );
  if (target.state === 'ringing' || target.state === 'talking')
    throw refuse('in_call', `agent ${agent} is in a call, or their phone rings`, 'try again when it is over');
  return { ...target, signInId };
}

/**
 * Records that an agent's phone is going to be rung for a call, and has them ringing, if they are idle. False: they are not
 * signed in there any more, or in a call since a moment ago, and nothing was recorded.
 */
export async function beginClick(
  db: Database,
  target: ClickTarget,
  given: { command: string; node: string; dialled: string; inside: boolean; autoAnswer: boolean; by: string },
): Promise<boolean> {
  const uniqueid = clickUniqueid(given.command);
  return db.transaction(async (trx) => {
    // The lock that every change of the sign-in takes, so that nobody comes in between.
    const [free] = await prepared(
      trx,
      `select from sign_ins i join agent_states s on s.sign_in_id = i.id and s.ended_at is null
       where i.id = ? and i.signed_out_at is null and s.state not in ('ringing', 'talking') for no key update of i`,
      [target.signInId],
    );
    if (!free) return false;
    await prepared(
      trx,
      `with call as (
         insert into calls (team_id, node, uniqueid, direction, dialled, from_extension_id, from_agent_id, user_id, group_id,
           extension_id, arrived_at, clicked)
         select i.team_id, :node::text, :uniqueid::text, case when :inside::boolean then 'internal' else 'out' end, :dialled::text, i.extension_id,
           i.agent_id, x.user_id, i.current_group_id,
           (select r.id from extensions r where :inside::boolean and r.team_id = i.team_id and r.number = :dialled::text and r.removed_at is null),
           clock_timestamp(), true
         from sign_ins i join extensions x on x.id = i.extension_id where i.id = :signInId::integer
         returning id, team_id, arrived_at
       ), noted as (
         update call_commands k set call_id = call.id from call where k.id = :command::bigint
       )
       insert into clicks (call_id, team_id, agent_id, extension_id, auto_answer, given_by, began_at)
       select id, team_id, :agentId::integer, :extensionId::integer, :autoAnswer::boolean, :by::text, arrived_at from call`,
      {
        ...given,
        uniqueid,
        signInId: target.signInId,
        agentId: target.agentId,
        extensionId: target.extensionId,
      },
    );
    await beginCall(trx, target.signInId, 'call-rings', {
      offerId: uniqueid,
      call: uniqueid,
      kind: given.inside ? 'internal' : 'out',
    });
    return true;
  });
}

/** What became of ringing the agent's phone; `clicks.agent_result`. */
export type AgentResult = 'answered' | 'busy' | 'rejected' | 'no-answer' | 'unreachable' | 'unknown';

/** The agent's phone rings. Told twice it is said once. */
export async function clickRings(db: Queryable, node: string, uniqueid: string): Promise<void> {
  await prepared(
    db,
    `update clicks k set agent_ringing_at = greatest(clock_timestamp(), k.began_at) from calls c
     where c.node = :node and c.uniqueid = :uniqueid and k.call_id = c.id and k.agent_ringing_at is null
       and k.agent_ended_at is null`,
    { node, uniqueid },
  );
}

/**
 * The agent has answered: the number is called now, and they talk. Of a wrap-up the dialplan alone says whether the call ends it
 * (star64-own-call.conf).
 */
export async function clickAnswered(db: Queryable, node: string, uniqueid: string): Promise<void> {
  await prepared(
    db,
    `update clicks k set agent_answered_at = m.at, agent_ended_at = m.at, agent_result = 'answered',
       agent_ringing_at = coalesce(k.agent_ringing_at, m.at)
     from calls c, lateral (select clock_timestamp() as at) m
     where c.node = :node and c.uniqueid = :uniqueid and k.call_id = c.id and coalesce(k.agent_result, 'unknown') = 'unknown'`,
    { node, uniqueid },
  );
  const [signIn] = await prepared<{ id: number; kind: CallKind }>(
    db,
    `select i.id, c.direction as kind from calls c join clicks k on k.call_id = c.id and k.agent_result = 'answered'
     join sign_ins i on i.agent_id = k.agent_id and i.extension_id = k.extension_id and i.signed_out_at is null
     join agent_states s on s.sign_in_id = i.id and s.ended_at is null and s.state <> 'wrap-up'
     where c.node = ? and c.uniqueid = ? and c.ended_at is null`,
    [node, uniqueid],
  );
  if (!signIn) return;
  await beginCall(db, signIn.id, 'call', { offerId: uniqueid, call: uniqueid, kind: signIn.kind });
}

/**
 * The channel to the agent's phone is gone. If they had not answered, nobody was called and the call is over; and whatever it
 * was, it keeps them no longer. `sentOut`: a call to the outside has been told of, which has an end of its own; without one,
 * who hung up before it was decided whether they may call has called nobody.
 */
export async function clickOver(
  db: Queryable,
  node: string,
  uniqueid: string,
  result: AgentResult,
  { sentOut = false } = {},
): Promise<void> {
  await prepared(
    db,
    `with missed as (
       update clicks k set agent_ended_at = greatest(clock_timestamp(), k.began_at), agent_result = :result::text
       from calls c where c.node = :node and c.uniqueid = :uniqueid and k.call_id = c.id and k.agent_result is null
       returning k.call_id
     )
     update calls c set ended_at = greatest(clock_timestamp(), c.arrived_at), outcome = 'no-agent', ended_by = 'system'
     from missed where c.id = missed.call_id and c.ended_at is null`,
    { node, uniqueid, result },
  );
  if (!sentOut)
    await prepared(
      db,
      `update calls set ended_at = greatest(clock_timestamp(), arrived_at), outcome = 'abandoned', ended_by = 'caller'
       where node = :node and uniqueid = :uniqueid and direction = 'out' and clicked and ended_at is null and not decided
         and number is null`,
      { node, uniqueid },
    );
  const [state] = await prepared<{ signInId: number }>(
    db,
    `select s.sign_in_id as "signInId" from calls c join clicks k on k.call_id = c.id
     join agent_states s on s.agent_id = k.agent_id and s.ended_at is null and s.offer_id = c.uniqueid
     where c.node = ? and c.uniqueid = ?`,
    [node, uniqueid],
  );
  if (state) await endOffer(db, state.signInId, uniqueid);
}

/** What of the team's a number is that an agent dials; undefined: nothing of the team. */
export async function insideNumber(db: Queryable, team: string, number: string): Promise<string | undefined> {
  const [row] = await prepared<{ kind: string }>(
    db,
    `select n.kind from numbers n join teams t on t.id = n.team_id where t.identity = ? and n.number = ?`,
    [team, number],
  );
  return row?.kind;
}
