import type { Changes } from '../fields/description.js';
import type { Queryable } from '../../database/pool.js';
import { callKey } from '../nouns/call-key.js';
import { operationsOf } from '../operations/operations.js';

export { callActions, type CallAction } from '../nouns/call-key.js';

/** What agents of a team key within a call; there is each action from the beginning of the team on, and none is removed. */
export const callKeys = operationsOf(callKey);

export type CallKey = Awaited<ReturnType<typeof callKeys.show>>;

/** Changes the keys of an action, or disables it. @throws Star64Error `taken`: other keys begin so, or are the beginning. */
export const setCallKey = (
  db: Queryable,
  team: string,
  action: string,
  given: Changes<typeof callKey>,
): Promise<CallKey> => callKeys.set(db, team, action, given);
