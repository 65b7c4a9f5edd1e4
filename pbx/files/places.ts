import { placeOf } from '../../domain/calls/routing.js';
import type { Slots } from './slots.js';

/** Where a slot leads; without a destination the call ends. */
export const placeIn = (team: string, slots: Slots, slot: string): string =>
  placeOf(team, slots[slot] ?? { kind: 'hangup', name: 'normal' });

/** What star64-closed is told of something that has hours: they and where calls go while they are closed; none: empty. */
export function closedModel(
  team: string,
  { hours, slots }: { hours: string | null; slots: Slots },
): { hours: string; closed: string } {
  return { hours: hours ?? '', closed: placeIn(team, slots, 'closed') };
}
