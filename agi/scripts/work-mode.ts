import { setWorkMode } from '../../domain/presence/work-mode.js';
import { feature } from './feature.js';

/** `*62<digit>`: what the agent does, queue calls, calls to the outside, or both. */
export const workMode = feature(async ({ db, membership }, { team, extension, digits }) => {
  const result = await setWorkMode(db, team, { extension }, digits);
  if (result.outcome !== 'mode-set') return result.outcome;
  await membership.sync(result.signIn, { thorough: true });
  return `mode-${result.mode}`;
});
