import { signOut as leave } from '../../domain/presence/sign-in.js';
import { feature } from './feature.js';

/** `*65`: signs out whoever is signed in at the phone that dialled. Fails closed. */
export const signOut = feature(async ({ db, membership }, { team, extension, by }) => {
  const result = await leave(db, team, { extension }, by);
  if (result.outcome === 'signed-out') {
    await membership.sync(result.signIn, { thorough: true });
    if (result.offer !== undefined) await membership.cancelOffer(result.offer);
  }
  if (result.outcome === 'fixed') {
    const { agent, extension: own } = result.signIn;
    return { outcome: 'fixed', facts: { agent, extension: own } };
  }
  return result.outcome === 'signed-out'
    ? { outcome: 'signed-out', facts: { agent: result.signIn.agent } }
    : result.outcome;
});
