import type { Changes } from '../fields/description.js';
import type { Queryable } from '../../database/pool.js';
import { pauseReason } from '../nouns/pause-reason.js';
import { operationsOf } from '../operations/operations.js';

export { pauseEnds } from '../nouns/pause-reason.js';

export type PauseReasonChanges = Changes<typeof pauseReason>;

/** Why agents of a team may pause. A pause under way keeps its name and its end when the reason changes or goes. */
export const pauseReasons = operationsOf(pauseReason);

export type PauseReason = Awaited<ReturnType<typeof pauseReasons.show>>;

export const addPauseReason = (
  db: Queryable,
  team: string,
  { digit, ...values }: { digit: string } & PauseReasonChanges,
): Promise<PauseReason> => pauseReasons.add(db, team, digit, values);
export const listPauseReasons = pauseReasons.list;
export const showPauseReason = pauseReasons.show;
export const setPauseReason = pauseReasons.set;
export const removePauseReason = pauseReasons.remove;
