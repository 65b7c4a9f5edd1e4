import { feature } from './feature.js';
import { enterOrTakeOver, tell } from './sign-in.js';

const tries = 3;
const patienceMs = 7000;
const longestPin = 10;

/**
 * `*64` in a team that demands a PIN: asks for it and signs the agent in. It is the one script that listens to a
 * person: what is keyed here is in no log and no variable. No connection to the database is held while it waits.
 */
export const signInPin = feature(async (services, { team, extension, digits: agent = '', by, session }) => {
  let prompt = 'agent-pass';
  for (let attempt = 1; ; attempt++) {
    const pin = await session.getData(prompt, patienceMs, longestPin);
    const result = await enterOrTakeOver(services, team, { agent, extension, by, pin });
    const asksAgain = result.outcome === 'pin-wrong' || result.outcome === 'pin-wanted';
    if (!asksAgain) return tell(services, result, agent);
    if (attempt === tries) return result.outcome === 'pin-wanted' ? 'pin-silence' : 'pin-wrong';
    prompt = result.outcome === 'pin-wanted' ? 'agent-pass' : 'auth-incorrect';
  }
});
