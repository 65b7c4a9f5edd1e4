import { prepared, type Queryable } from '../../database/pool.js';
import { transition, type OpenState } from '../../presence/agent-state.js';
import { statesBefore } from '../../presence/transitions.js';
import type { OfferResult } from './offer-counts.js';

/** What a pause for missed calls is called; it has no digit, by which it differs from every pause of the agent's own. */
const missedReason = 'missed';

/** Whether an offer was one that the phone refused, or that nobody answered. */
export const isUnanswered = (result: OfferResult | null): boolean =>
  result !== null && result !== 'cancelled';

/**
 * Pauses those agents who have now let so many offers in a row go unanswered as the group of the last one allows, since
 * they last did something themselves. Offers whose caller was gone or taken by somebody else do not count, and those of
 * which nothing is known neither. `offerIds`: offers that have just ended so, each its channel's uniqueid. Returns the
 * pauses that have begun.
 */
export async function pauseForMissed(
  db: Queryable,
  node: string,
  offerIds: readonly string[],
): Promise<OpenState[]> {
  if (offerIds.length === 0) return [];
  const due = await prepared<{ signInId: number; stateId: number }>(
    db,
    `select i.id as "signInId", s.id as "stateId"
     from offers o
     join sign_ins i on i.id = o.sign_in_id and i.signed_out_at is null
     join agent_states s on s.sign_in_id = i.id and s.ended_at is null and s.state = any(:from::agent_state[])
       -- Another call rings already: what becomes of that one decides.
       and (s.state <> 'ringing' or s.offer_id = any(:offerIds::text[]))
     join agent_groups g on g.id = o.group_id and g.missed_limit > 0
     where o.node = :node and o.kind = 'queue' and o.uniqueid = any(:offerIds::text[]) and g.missed_limit = (
       select count(*) filter (where last.result <> 'answered') from (
         select p.result from offers p
         where p.sign_in_id = i.id and p.kind = 'queue' and p.result <> 'cancelled' and p.offered_at > i.acted_at
         order by p.id desc limit g.missed_limit) as last)`,
    { node, offerIds: [...offerIds], from: statesBefore('missed') },
  );
  const paused: OpenState[] = [];
  for (const { signInId, stateId } of due) {
    const begun = await transition(db, signInId, 'missed', { reason: missedReason }, { id: stateId });
    if (begun) paused.push(begun);
  }
  return paused;
}
