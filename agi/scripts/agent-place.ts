import { placeOf } from '../../domain/calls/routing/routing.js';
import { isAgent, openSignIn } from '../../domain/presence/open-sign-in.js';
import { answer } from '../answer.js';
import type { Script } from './script.js';

/**
 * Where an agent can be called: at the phone at which they are signed in, in whatever state, since a direct call is one to
 * that phone. Arguments: team, agent.
 */
export const agentPlace: Script = async ({ db }, session, [team = '', agent = '']) => {
  const signIn = await openSignIn(db, team, { agent });
  if (signIn) return answer(session, placeOf(team, { kind: 'extension', name: signIn.extension }));
  // No places in any dialplan (star64-not-there); an empty answer would have the next server asked.
  await answer(session, (await isAgent(db, team, agent)) ? 'star64-nowhere,s,1' : 'star64-unknown-agent,s,1');
};
