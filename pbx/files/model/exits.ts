import { placeOf } from '../../../domain/calls/routing/routing.js';
import type { GroupRow } from './team-rows.js';
import type { Slots } from './slots.js';

/** Why a queue lets a caller go, as star64-left has it: slots of a group. */
const reasons = ['timeout', 'full', 'empty'] as const;

/** The keys that lead somewhere, in order: slots `key-0` to `key-9`. */
export const keysOf = (slots: Slots): string[] =>
  Object.keys(slots)
    .flatMap((slot) => /^key-([0-9])$/.exec(slot)?.[1] ?? [])
    .sort();

/** Where the callers of a team's queues go when a queue lets them go, by the reason, and when they press a key, by the group. */
export function exitsOf(
  team: string,
  groups: readonly (Pick<GroupRow, 'name' | 'slots'> & { queue: string; callbackKey: string })[],
) {
  const leading = (slot: string): { name: string; destination: string }[] =>
    groups.flatMap(({ name, slots }) => {
      const to = slots[slot];
      return to === undefined ? [] : [{ name, destination: placeOf(team, to) }];
    });
  return {
    reasons: reasons
      .map((reason) => ({ reason, exits: leading(reason) }))
      .filter(({ exits }) => exits.length > 0),
    keys: groups
      .map(({ name, queue, slots, callbackKey }) => ({
        name,
        // It comes before what the same key would do.
        callback: callbackKey,
        queue,
        keys: keysOf(slots).flatMap((key) => {
          if (key === callbackKey) return [];
          const to = slots[`key-${key}`];
          return to === undefined ? [] : [{ key, queue, destination: placeOf(team, to) }];
        }),
      }))
      .filter(({ keys, callback }) => keys.length > 0 || callback !== ''),
  };
}
