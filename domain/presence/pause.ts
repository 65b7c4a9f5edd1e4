import { openStateOf, resumePause, transition, type OpenState, type StateDetails } from './agent-state.js';
import type { Queryable } from '../database/pool.js';
import { openSignIn, type SignIn, type Who } from './open-sign-in.js';
import { statesBefore } from './transitions.js';

/** The digit of a pause without a reason; every team has it. */
export const noReason = '0';

export type PauseOutcome =
  | { outcome: 'paused'; signIn: SignIn }
  /** The team has reasons, and one is to be named by its digit. */
  | { outcome: 'reason-wanted' | 'unknown-reason' }
  | { outcome: 'not-signed-in' }
  /** He rings or talks. */
  | { outcome: 'busy'; signIn: SignIn };

/**
 * Pauses an agent (spec 45-47), with a reason of the team named by its digit; without a digit only in a team that has
 * no reasons. A wrap-up ends with it. Asked again with the same reason, it changes nothing.
 */
export async function pause(db: Queryable, team: string, who: Who, digit?: string): Promise<PauseOutcome> {
  const signIn = await openSignIn(db, team, who);
  if (!signIn) return { outcome: 'not-signed-in' };
  const before = await openStateOf(db, signIn.id);
  if (!before) return { outcome: 'not-signed-in' };
  // Said at once: nobody is asked for a reason in vain.
  if (!statesBefore('pause').includes(before.state)) return { outcome: 'busy', signIn };
  const reason = await findReason(db, signIn.teamId, digit);
  if (typeof reason === 'string') return { outcome: reason };
  if (before.state === 'paused' && before.pauseDigit === reason.pauseDigit)
    return { outcome: 'paused', signIn };
  if (await transition(db, signIn.id, 'pause', reason)) return { outcome: 'paused', signIn };
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
  /** The wrap-up after a call that interrupted a pause has ended, and the pause goes on; `reason`: its digit. */
  | { outcome: 'resumed'; signIn: SignIn; reason: string | null }
  | { outcome: 'not-signed-in' }
  | { outcome: 'busy'; signIn: SignIn };

/**
 * Ends a pause or a wrap-up (spec 52, 56): harmless when the agent is idle already, refused in a call. One at a time: after
 * a call that interrupted a pause the wrap-up ends, and the pause goes on. `after` narrows it to the wrap-up after that
 * offer, or other call, by the channel of the phone: from everything else they are busy.
 */
export async function ready(
  db: Queryable,
  team: string,
  who: Who,
  { after: channel }: { after?: string } = {},
): Promise<ReadyOutcome> {
  const open = await openSignIn(db, team, who);
  if (!open) return { outcome: 'not-signed-in' };
  const before = await openStateOf(db, open.id);
  if (channel !== undefined && (before?.state !== 'wrap-up' || before.offerId !== channel))
    return { outcome: 'busy', signIn: open };
  if (before?.state === 'wrap-up' && before.interrupts !== null) {
    await resumePause(db, before);
    // Also where the end of the wrap-up came first, by its deadline.
    const after = await openStateOf(db, open.id);
    if (after?.state === 'paused') return { outcome: 'resumed', signIn: open, reason: after.pauseDigit };
  }
  if (before && statesBefore('ready').includes(before.state)) {
    // The offer id goes on with the idle interval: a pause that still carries it in Asterisk is one to be lifted.
    const details = before.offerId === null ? {} : { offerId: before.offerId };
    const state = await transition(db, open.id, 'ready', details, { id: before.id });
    if (state) return { outcome: 'ready', signIn: open, state };
  }
  const now = await openStateOf(db, open.id);
  if (!now) return { outcome: 'not-signed-in' };
  return now.state === 'idle'
    ? { outcome: 'ready', signIn: open, state: now }
    : { outcome: 'busy', signIn: open };
}
