import type { Callbacks } from '../../domain/calls/queue/callbacks.js';
import type { QueuePlaces } from '../../domain/calls/queue/queue-places.js';
import type { ManagerActions } from '../ami/manager.js';
import { callbackChannel } from './callback-channel.js';
import { queueOf } from './names.js';
import { readQueues, type Waiting } from './status.js';

/** Somebody who waits, or is to. */
export interface Arrival {
  priority: number;
  /** In seconds since 1970. */
  arrivedAt: number;
}

/**
 * The place in a queue of somebody who arrives anew and has waited before: behind everybody with a higher priority, and
 * behind those of the same who came earlier. 1: the first.
 */
export const placeAmong = (mine: Arrival, others: readonly (Arrival & { position: number })[]): number =>
  1 +
  Math.max(
    0,
    ...others
      .filter(
        (other) =>
          other.priority > mine.priority ||
          (other.priority === mine.priority && other.arrivedAt <= mine.arrivedAt),
      )
      .map(({ position }) => position),
  );

/** Who waits in a queue of a team, and since when they do in truth: who is called back, or was let back, waits for longer than Asterisk knows. */
export async function readArrivals(
  manager: ManagerActions,
  callbacks: Callbacks,
  team: string,
  group: string,
): Promise<(Arrival & Waiting)[]> {
  const { waiting } = await readQueues(manager, { queue: queueOf(team, group) });
  const known = await callbacks.arrivals(
    team,
    group,
    waiting.map(({ uniqueid }) => uniqueid),
  );
  const open = new Map((await callbacks.open()).map(({ id, arrivedAt }) => [id, arrivedAt]));
  const now = Date.now() / 1000;
  return waiting.map((one) => {
    const callback = callbackChannel(one.uniqueid);
    const arrivedAt = callback ? open.get(callback.id) : known.get(one.uniqueid);
    return { ...one, arrivedAt: arrivedAt ?? now - one.waitedSeconds };
  });
}

/** The places of callers who go back into a queue. */
export const queuePlaces = (manager: ManagerActions, callbacks: Callbacks): QueuePlaces => ({
  placeOf: async (team, group, { call, priority }) => {
    const own = await callbacks.arrivals(team, group, [call]);
    const mine = { priority, arrivedAt: own.get(call) ?? Date.now() / 1000 };
    const others = await readArrivals(manager, callbacks, team, group);
    return placeAmong(
      mine,
      others.filter(({ uniqueid }) => uniqueid !== call),
    );
  },
});
