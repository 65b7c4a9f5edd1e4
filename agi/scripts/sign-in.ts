import { signIn as enter, type SignInOutcome } from '../../domain/presence/sign-in.js';
import { openStateOf } from '../../domain/presence/agent-state.js';
import type { Told } from '../answer.js';
import { feature } from './feature.js';
import type { Services } from './script.js';

/** `*64<agent>`: signs the agent in at the phone that dialled. Fails closed. */
export const signIn = feature(async (services, { team, extension, digits: agent, by }) => {
  if (agent === undefined) return 'agent-wanted';
  return tell(services, await enterOrTakeOver(services, team, { agent, extension, by }), agent);
});

/**
 * Signs in, also an agent who is in a call elsewhere, if the phone there has lost power or network. No connection to the
 * database is held while that phone is asked.
 */
export async function enterOrTakeOver(
  { db, membership }: Services,
  team: string,
  request: Parameters<typeof enter>[2],
): Promise<SignInOutcome> {
  const result = await enter(db, team, request);
  if (result.outcome !== 'agent-in-call' || !(await membership.isUnreachable(result.holder))) return result;
  return enter(db, team, { ...request, unreachable: result.holder.extension });
}

/** Makes the queues follow a sign-in, and says what came of it. `agent`: the number that was dialled. */
export async function tell(
  { db, membership }: Services,
  result: SignInOutcome,
  agent: string,
): Promise<Told> {
  switch (result.outcome) {
    case 'signed-in':
      await membership.sync(result.signIn, { thorough: true });
      return 'signed-in';
    case 'moved':
      await membership.sync(result.left, { thorough: true });
      await membership.sync(result.signIn, { thorough: true });
      return {
        outcome: 'moved',
        facts: { extension: result.signIn.extension },
        // The wrap-up has come along, and so has its mark: Asterisk must watch it, for when no server is left.
        marked: (await openStateOf(db, result.signIn.id))?.state === 'wrap-up',
      };
    case 'agent-elsewhere':
      return 'agent-elsewhere';
    case 'wrong-phone':
      return { outcome: 'wrong-phone', facts: { agent, extension: result.extension } };
    case 'pin-missing':
      return { outcome: 'pin-missing', facts: { agent } };
    case 'agent-in-call':
    case 'phone-taken': {
      const { agent: holder, extension } = result.holder;
      return { outcome: result.outcome, facts: { agent: holder, extension } };
    }
    default:
      return result.outcome;
  }
}
