import { answerSteps, writeTrunkSteps } from '../../../domain/calls/outbound/outbound-answer.js';
import type { TeamFacts } from '../../../domain/calls/outbound/outbound-team.js';
import { typedWithoutServer } from '../../../domain/calls/outbound/typed-number.js';
import { bare } from '../../../domain/telephone-numbers.js';
import type { TeamRows } from './team-rows.js';
import { countsOf } from '../outside/ways.js';

/**
 * A number outside that an administrator has typed, as star64-number calls it: which number, over what without a server
 * (empty: not at all), as whom then (empty: as who calls), and what counts it.
 */
export function outsideModel(rows: TeamRows, number: string) {
  const { steps, callerId } = typedWithoutServer(rows.out, number, factsOf(rows));
  return {
    called: number,
    steps: writeTrunkSteps(answerSteps(steps)),
    callerId: callerId ?? '',
    counts: countsOf(rows.callsAtOnce),
  };
}

/** What a team has of numbers, as `TeamFacts` say it, without a server. */
export const factsOf = ({ dids, prefixes }: TeamRows): TeamFacts => ({
  did: (_team, number) =>
    dids.find((did) => bare(did.number) === bare(number))?.number ??
    prefixes.find((did) => bare(number).startsWith(bare(did.number)))?.number,
  // The team itself calls at any time.
  hours: () => undefined,
});
