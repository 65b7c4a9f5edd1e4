import {
  decideOutbound,
  shownNumber,
  type Deciding,
  type OutboundDecision,
  type OutboundQuestion,
} from './outbound.js';
import { limitInWords, noLimits } from '../limits/limits.js';
import type { OutboundTeam, TeamFacts } from './outbound-team.js';
import { noTurns, stepsOf, type TrunkStep } from './ways-out.js';

/**
 * How a number outside is called that an administrator has typed: a destination, an extension of kind external, a member of
 * a ring group. The team itself pays, by its rights, limits and trunks. A team whose phones call nobody outside has said
 * nothing of rights: such a number is called as it stands there, with a + in the form of the trunk, and else as it was typed.
 */
export function decideTyped(
  of: OutboundTeam,
  number: string,
  /** When, and for which call: as in `OutboundQuestion`. */
  asked: Pick<OutboundQuestion, 'instant' | 'uniqueid'>,
  deciding: Deciding,
): OutboundDecision {
  if (of.outsidePrefix !== null)
    return decideOutbound(of, { dialled: number, endpoint: '', hidden: false, ...asked }, null, deciding);
  const { facts, limits = noLimits, turns = noTurns, tell } = deciding;
  const { team } = of;
  const numberClass = of.plan.read(number, of.area)?.class ?? null;
  const known = { number, class: numberClass, extension: null, userGroup: null };
  tell?.(`team ${team} itself pays`);
  const limited = {
    team,
    extension: null,
    class: numberClass ?? 'national',
    at: asked.instant,
    call: asked.uniqueid,
  };
  const limit = limits.check(limited);
  if (limit) {
    tell?.(`a limit is reached: ${limitInWords(limit)}`);
    return { ...known, go: false, refused: 'limit', opens: null };
  }
  const steps = of.way ? stepsOf(of.way, number, turns, tell) : [];
  if (steps.length === 0) return { ...known, go: false, refused: 'no-trunk', opens: null };
  const callerId = shownNumber(of, undefined, steps, facts, tell);
  const counts = limits.counts(limited);
  return { ...known, go: true, callerId, hide: false, record: false, steps, counts, talks: null };
}

/**
 * How Asterisk alone calls such a number: nobody opens the purse by stopping a server. So nothing premium, and nothing
 * international of a team that has said what it may call; one that has said nothing goes on reaching its telephones abroad.
 */
export function typedWithoutServer(
  of: OutboundTeam,
  number: string,
  facts: TeamFacts,
): { readonly steps: readonly TrunkStep[]; readonly callerId: string | null } {
  // Of hours and limits only a server knows; neither is said of what the team itself calls.
  const decision = decideTyped(of, number, { instant: 0 }, { facts });
  const closed =
    of.outsidePrefix === null
      ? // Without a country nothing is known of what a number costs.
        of.plan.country !== null && decision.class === 'premium'
      : decision.class === 'premium' || decision.class === 'international';
  return decision.go && !closed ? decision : { steps: [], callerId: null };
}
