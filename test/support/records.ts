import { CallRecords, type Caller } from '../../domain/calls/records/records.js';
import type { Queryable } from '../../domain/database/pool.js';

/** The node on which teams live unless a test says otherwise. */
export const defaultNode = 'default';

/** A channel in a queue that is the caller's own. */
export const callerOf = (queue: string, uniqueid: string): Caller => ({
  queue,
  uniqueid,
  linkedid: uniqueid,
});

/** A caller has joined a queue. */
export const callJoined = (
  db: Queryable,
  queue: string,
  uniqueid: string,
  number: string | null = null,
): Promise<void> => new CallRecords(db, defaultNode).joined(callerOf(queue, uniqueid), { number });
