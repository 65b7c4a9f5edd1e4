import type { Queryable } from '../database/pool.js';
import { transition, type OpenState } from './agent-state.js';

/** What a group says of the wrap-up after its calls. */
export interface WrapUpOf {
  groupId: number;
  /** Longest wrap-up; 0: until the agent ends it. */
  wrapUpSeconds: number;
}

/**
 * A wrap-up that Asterisk has begun after an offer, with the deadline that its group gives it; `elapsedSeconds` of it are
 * over already. Undefined: that offer's wrap-up has been recorded before, or the agent is in a pause.
 */
export function beginWrapUp(
  db: Queryable,
  signInId: number,
  offerId: string,
  group: WrapUpOf | undefined,
  elapsedSeconds = 0,
): Promise<OpenState | undefined> {
  const seconds = group?.wrapUpSeconds ?? 0;
  return transition(db, signInId, 'wrap-up', {
    offerId,
    ...(group && { groupId: group.groupId }),
    ...(seconds > 0 && { deadlineSeconds: Math.max(0, seconds - elapsedSeconds) }),
  });
}
