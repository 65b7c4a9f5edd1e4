import { noReason, pause as takeBreak } from '../../domain/presence/pause.js';
import { feature } from './feature.js';

/** `*66<digit>`: pauses the agent at the phone that dialled, for the reason of that digit. */
export const pause = feature(async ({ db, membership }, { team, extension, digits: digit }) => {
  const result = await takeBreak(db, team, { extension }, digit);
  if (result.outcome !== 'paused') return result.outcome;
  await membership.sync(result.signIn);
  const { agent } = result.signIn;
  if (digit === undefined || digit === noReason) return { outcome: 'paused', facts: { agent } };
  return { outcome: 'paused-for', facts: { agent, reason: digit } };
});
