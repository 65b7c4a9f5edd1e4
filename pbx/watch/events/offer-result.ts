import type { OfferResult } from '../../../domain/calls/queue/offer-counts.js';
import type { KnownQueue } from '../../../domain/calls/records/records.js';
import type { SignIn } from '../../../domain/presence/open-sign-in.js';
import type { AmiMessage } from '../../ami/message.js';

/** What was seen of an offer until its channel went. */
export interface OfferSoFar {
  /** The event with which it began, if that was seen. */
  called?: AmiMessage;
  /** Whose phone it is, once the offer is written down. */
  signIn?: SignIn;
  /** Its queue, once the offer is written down; null: one of the operator's, of which nothing is. */
  queue?: KnownQueue | null;
  /** The agent was joined to the caller. */
  connected?: true;
  /** app_queue has said that this phone did not answer: it refused, or its time was up. Says nothing of who is to blame. */
  gaveUp?: true;
  /** The phone's last reply by the end of the offer, a number of SIP, where our dialplan has told it. */
  reply?: string;
}

/**
 * Causes by which a phone says no after it rang: 486 and 600 are "user busy" (17), 603 and 403 "call rejected" (21), 480
 * "no answer" or "out of order" (19, 27), 404 "unallocated" (1); see hangup_cause2sip in res_pjsip.
 */
export const refusals: ReadonlySet<string> = new Set(['1', '17', '18', '19', '20', '21', '27']);

/** What came of an offer, by the Hangup event of the channel to the phone. Null: its answer has been written already. */
export function resultOf(
  { connected, gaveUp, reply = '' }: OfferSoFar,
  { headers }: AmiMessage,
): OfferResult | null {
  if (connected) return null;
  const state = headers.get('channelstatedesc');
  // Picked up, and never joined to the caller: too late, or the caller had gone.
  // A phone that sends its calls on has said no, of which app_queue tells nothing.
  const sentOn = /^3..$/.test(reply);
  if (state === 'Up' || (!gaveUp && !sentOn)) return 'cancelled';
  if (state !== 'Ringing') return 'refused';
  return sentOn || refusals.has(headers.get('cause') ?? '') ? 'rejected' : 'missed';
}
