import type { Outbound } from './outbound-memory.js';
import type { OutboundDecision } from './outbound.js';
import { noTurns } from './ways-out.js';

/**
 * Whether a caller may be called back, over which trunks, and as whom: by the rights and limits of the team, which pays.
 * Emergency and premium numbers never are, whatever a caller says their number is: nobody's own number is one of them. `call`: it is called now, for this call, which then counts
 * towards the limits; without it nothing is used up. Undefined: there is no such team.
 */
export async function decideCallback(
  outbound: Outbound,
  team: string,
  number: string,
  call?: string,
): Promise<OutboundDecision | undefined> {
  const question = { dialled: number, endpoint: '', hidden: false, instant: Date.now(), uniqueid: call };
  const decided = await outbound.decide(team, question, call === undefined ? { turns: noTurns } : {});
  if (!decided) return undefined;
  const { decision } = decided;
  if (decision.class !== 'emergency' && decision.class !== 'premium') return decision;
  const { number: found, class: numberClass, extension, userGroup } = decision;
  return {
    number: found,
    class: numberClass,
    extension,
    userGroup,
    go: false,
    refused: 'number',
    opens: null,
  };
}
