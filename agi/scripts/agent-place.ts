import { placeOf } from '../../domain/calls/routing.js';
import { openSignIn } from '../../domain/presence/open-sign-in.js';
import { answer } from '../answer.js';
import type { Script } from './script.js';

/** Where an agent can be called: at the phone at which they are signed in. Arguments: team, agent. */
export const agentPlace: Script = async ({ db }, session, [team = '', agent = '']) => {
  const signIn = await openSignIn(db, team, { agent });
  // No place in any dialplan; an empty answer would have the next server asked.
  const nowhere = 'star64-nowhere,s,1';
  await answer(session, signIn ? placeOf(team, { kind: 'extension', name: signIn.extension }) : nowhere);
};
