import type { RingStrategy } from '../../provisioning/nouns/ring-group.js';

/** What the order of a ring group goes by, of one member. */
export interface RingMember {
  /** What is rung, as star64-ring.conf writes it: an extension, or `o` and a number outside; null: nothing at this moment. */
  rings: string | null;
  /** When their last call ended, in ms of any clock; null: none lately. */
  lastCallAt: number | null;
  /** Calls that they answered lately. */
  calls: number;
}

/**
 * Who is rung by a ring group, step after step; what is in one step rings together. `turn` counts the calls of
 * round-robin. Members of whom the strategy knows no difference are rung in the order of the group. Pure.
 */
export function ringOrder(
  strategy: RingStrategy,
  members: readonly RingMember[],
  turn: number,
  random: () => number = Math.random,
): string[][] {
  const reached = new Map<string, RingMember>();
  // An agent may be signed in at an extension that is a member itself.
  for (const member of members)
    if (member.rings !== null && !reached.has(member.rings)) reached.set(member.rings, member);
  const all = [...reached.keys()];
  const sorted = (before: (one: RingMember, other: RingMember) => number): string[][] =>
    [...reached].sort(([, one], [, other]) => before(one, other)).map(([rings]) => [rings]);
  switch (strategy) {
    case 'ring-all':
      return all.length > 0 ? [all] : [];
    case 'in-order':
      return all.map((rings) => [rings]);
    case 'round-robin':
      return all.map((_, index) => [all[(turn + index) % all.length] ?? '']);
    case 'random':
      return shuffled(all, random).map((rings) => [rings]);
    case 'longest-idle':
      return sorted((one, other) => (one.lastCallAt ?? 0) - (other.lastCallAt ?? 0));
    case 'fewest-calls':
      return sorted((one, other) => one.calls - other.calls);
  }
}

/** Fisher and Yates: every order is as likely as any other. */
function shuffled(all: readonly string[], random: () => number): string[] {
  const left = [...all];
  return all.flatMap(() => left.splice(Math.floor(random() * left.length), 1));
}

/** The steps as star64-ring.conf reads them; `-`: nobody can be rung. */
export const writeSteps = (steps: readonly (readonly string[])[]): string =>
  steps.length === 0 ? '-' : steps.map((step) => step.join('&')).join('-');
