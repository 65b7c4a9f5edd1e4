import type { Database, Queryable } from '../../database/pool.js';
import { prepared } from '../../database/pool.js';
import { endOffer, type CallKind } from '../../presence/agent-state.js';
import { beginCall } from '../../presence/wrap-up.js';
import type { ClickTarget } from './click-target.js';

/** Uniqueid of the channel to the agent's phone, of which Asterisk takes no second one: nobody is rung twice. */
export const clickUniqueid = (command: string): string => `star64-click-${command}`;
/** The command of a channel of that name; undefined: another channel. */
export const clickedBy = (uniqueid: string): string | undefined =>
  /^star64-click-([1-9][0-9]{0,17})$/.exec(uniqueid)?.[1];

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
