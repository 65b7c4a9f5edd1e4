import {
  openStateOf,
  transition,
  type AgentState,
  type OpenState,
  type StateDetails,
} from './agent-state.js';
import type { Queryable } from '../database/pool.js';
import { openSignIn, type SignIn, type Who } from './open-sign-in.js';

/** The digit of a pause without a reason; every team has it. */
export const noReason = '0';

/** From where an agent may pause (spec 47); pausing in a pause changes its reason. */
const pausable: AgentState[] = ['idle', 'wrap-up', 'paused'];

export type PauseOutcome =
  | { outcome: 'paused'; signIn: SignIn }
  /** The team has reasons, and one is to be named by its digit. */
  | { outcome: 'reason-wanted' | 'unknown-reason' }
  | { outcome: 'not-signed-in' }
  /** He rings or talks. */
  | { outcome: 'busy'; signIn: SignIn };

/**
 * Pauses an agent (spec 45-47), with a reason of his team named by its digit; without a digit only in a team that has
 * no reasons. A wrap-up ends with it. Asked again with the same reason, it changes nothing.
 */
export async function pause(db: Queryable, team: string, who: Who, digit?: string): Promise<PauseOutcome> {
  const signIn = await openSignIn(db, team, who);
  if (!signIn) return { outcome: 'not-signed-in' };
  const reason = await findReason(db, signIn.teamId, digit);
  if (typeof reason === 'string') return { outcome: reason };
  const before = await openStateOf(db, signIn.id);
  if (!before) return { outcome: 'not-signed-in' };
  if (before.state === 'paused' && before.pauseDigit === reason.pauseDigit)
    return { outcome: 'paused', signIn };
  if (await transition(db, signIn.id, pausable, 'paused', reason)) return { outcome: 'paused', signIn };
  return (await openStateOf(db, signIn.id)) ? { outcome: 'busy', signIn } : { outcome: 'not-signed-in' };
}

async function findReason(
  db: Queryable,
  teamId: number,
  digit: string | undefined,
): Promise<StateDetails | 'reason-wanted' | 'unknown-reason'> {
  if (digit === noReason) return { pauseDigit: noReason };
  const reasons = await db('pause_reasons')
    .where({ team_id: teamId })
    .select<{ digit: string; name: string; max_seconds: number | null; at_end: 'ready' | 'sign-out' }[]>();
  if (digit === undefined) return reasons.length > 0 ? 'reason-wanted' : { pauseDigit: noReason };
  const reason = reasons.find((one) => one.digit === digit);
  if (!reason) return 'unknown-reason';
  return {
    pauseDigit: digit,
    reason: reason.name,
    atDeadline: reason.at_end,
    ...(reason.max_seconds !== null && { deadlineSeconds: reason.max_seconds }),
  };
}

export type ReadyOutcome =
  | { outcome: 'ready'; signIn: SignIn; state: OpenState }
  | { outcome: 'not-signed-in' }
  | { outcome: 'busy'; signIn: SignIn };

/** Ends a pause or a wrap-up (spec 52, 56): harmless when the agent is idle already, refused in a call. */
export async function ready(db: Queryable, team: string, who: Who): Promise<ReadyOutcome> {
  const open = await openSignIn(db, team, who);
  if (!open) return { outcome: 'not-signed-in' };
  const leaving: AgentState[] = ['wrap-up', 'paused'];
  const before = await openStateOf(db, open.id);
  if (before && leaving.includes(before.state)) {
    // The offer id goes on with the idle interval: a pause that still carries it in Asterisk is one to be lifted.
    const details = before.offerId === null ? {} : { offerId: before.offerId };
    const state = await transition(db, open.id, leaving, 'idle', details, { id: before.id });
    if (state) return { outcome: 'ready', signIn: open, state };
  }
  const now = await openStateOf(db, open.id);
  if (!now) return { outcome: 'not-signed-in' };
  return now.state === 'idle'
    ? { outcome: 'ready', signIn: open, state: now }
    : { outcome: 'busy', signIn: open };
}

/**
 * This offer is over without a wrap-up: the agent is idle again, or back in the pause in which it found
 * him (a pause does not stop an offer that rings already).
 */
export async function endOffer(db: Queryable, signInId: number, offerId: string): Promise<void> {
  const { rows } = await db.raw<{
    rows: {
      state: string;
      reason: string | null;
      pauseDigit: string | null;
      atDeadline: 'ready' | 'sign-out';
      left: number | null;
    }[];
  }>(
    `select state, reason, pause_digit as "pauseDigit", at_deadline as "atDeadline",
       greatest(0, extract(epoch from deadline_at - clock_timestamp()))::double precision as left
     from agent_states where sign_in_id = ? and state not in ('ringing', 'talking') order by id desc limit 1`,
    [signInId],
  );
  const before = rows[0];
  if (before?.state !== 'paused') {
    await transition(db, signInId, ['ringing', 'talking'], 'idle', { offerId }, { offerId });
    return;
  }
  await transition(
    db,
    signInId,
    ['ringing', 'talking'],
    'paused',
    {
      atDeadline: before.atDeadline,
      ...(before.reason !== null && { reason: before.reason }),
      ...(before.pauseDigit !== null && { pauseDigit: before.pauseDigit }),
      ...(before.left !== null && { deadlineSeconds: before.left }),
    },
    { offerId },
  );
}
