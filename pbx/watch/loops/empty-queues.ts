import type { Logger } from 'pino';
import { unservedQueues } from '../../../domain/calls/queue/unserved-queues.js';
import { failureOf } from '../../../domain/database/sql-errors.js';
import type { Database } from '../../../domain/database/pool.js';
import { LastingFault } from '../../../domain/machine/lasting-fault.js';
import { AmiError } from '../../ami/errors.js';
import type { ManagerActions } from '../../ami/manager.js';
import { queueOf, wrapUpReason } from '../../queue/names.js';
import { readQueues, type Member, type Waiting } from '../../queue/status.js';
import { inPortions } from './in-portions.js';
import { Loop } from './loop.js';

export interface EmptyQueuesSettings {
  everyMs: number;
  /** For how long nobody may be there before callers are sent away. A phone that registers anew, or a start of Asterisk, is over by then. */
  graceMs: number;
}

export const emptyQueuesDefaults: EmptyQueuesSettings = { everyMs: 2000, graceMs: 30_000 };

/**
 * Takes callers out of queues whose agents are signed in, but for some time all unreachable or paused by something other
 * than wrap-up: star64-left.conf tells them so. That nobody is signed in Asterisk sees by itself (leavewhenempty). Only
 * the server that watches the node does it; one that takes over begins to count anew.
 */
export class EmptyQueues extends Loop {
  constructor(
    db: Database,
    node: string,
    manager: ManagerActions,
    leading: () => boolean,
    log: Logger,
    { everyMs, graceMs }: EmptyQueuesSettings = emptyQueuesDefaults,
  ) {
    /** Since when, on our monotonic clock, nobody has been there, by the queue. */
    let since = new Map<string, number>();
    const look = async (queue: string): Promise<[string, number] | undefined> => {
      const now = performance.now();
      const { members, waiting } = await readQueues(manager, { queue });
      // Without members it is Asterisk's, or they are on their way.
      if (members.length === 0 || !members.every(isAway)) return undefined;
      const from = since.get(queue) ?? now;
      if (now - from >= graceMs) {
        log.info({ queue, callers: waiting.length }, 'nobody is there: the callers are told');
        await inPortions(waiting, (caller) => withdraw(manager, caller));
      }
      return [queue, from];
    };
    const failing = new LastingFault(log, {
      fault: 'queues could not be looked at',
      over: 'queues are looked at again',
      level: 'error',
    });
    super(async () => {
      try {
        if (!leading() || !manager.connected) {
          since = new Map();
          return everyMs;
        }
        const queues = (await unservedQueues(db, node)).map(({ team, group }) => queueOf(team, group));
        const seen = await inPortions(queues, look);
        since = new Map(seen.flatMap((one) => (one ? [one] : [])));
        failing.over();
      } catch (error) {
        // Who was there meanwhile was not seen.
        since = new Map();
        if (!(error instanceof AmiError) && failureOf(error) === undefined)
          failing.met((error as Error).message, { err: error });
      }
      return everyMs;
    });
  }
}

/** A wrap-up ends by itself, or its agent is there to end it. */
export const isAway = ({ unavailable, paused, reason }: Member): boolean =>
  unavailable || (paused && reason !== wrapUpReason);

/** Asterisk 16.25, 18.11 and later (status says where it is older); the caller goes on in the dialplan behind Queue(). */
async function withdraw(manager: ManagerActions, { queue, channel }: Waiting): Promise<void> {
  try {
    await manager.action('QueueWithdrawCaller', { Queue: queue, Caller: channel });
  } catch (error) {
    // Gone, or told already.
    if (!(error instanceof AmiError) || error.code !== 'rejected') throw error;
  }
}
