import { placeOf } from '../../../domain/calls/routing/routing.js';
import type { Slots } from './slots.js';

/** Where a slot leads; without a destination the call ends. */
export const placeIn = (team: string, slots: Slots, slot: string): string =>
  placeOf(team, slots[slot] ?? { kind: 'hangup', name: 'normal' });

/**
 * Where a call ends for which no destination is said, of something that agents send callers on to: a caller whom somebody
 * has sent there goes back (team/call-keys.hbs), and everybody else ends by the word.
 */
export const endOf = (team: string, word: 'normal' | 'busy' | 'unanswered'): string =>
  `${team}-back,${word},1`;

/** What star64-closed is told of something that has hours: they and where calls go while they are closed; none: empty. */
export function closedModel(
  team: string,
  { hours, slots }: { hours: string | null; slots: Slots },
  without?: string,
): { hours: string; closed: string } {
  const closed = slots['closed'] === undefined ? without : undefined;
  return { hours: hours ?? '', closed: closed ?? placeIn(team, slots, 'closed') };
}
