import { noReason, ready as endBreak } from '../../domain/presence/pause.js';
import { feature } from './feature.js';

/**
 * `*67`: ends the wrap-up or pause of the agent at the phone that dialled; a pause that a call interrupted goes on. With no server to ask, the dialplan ends a
 * wrap-up by itself.
 */
export const ready = feature(async ({ db, membership }, { team, extension }) => {
  const result = await endBreak(db, team, { extension });
  if (result.outcome === 'resumed') {
    await membership.sync(result.signIn);
    const { reason } = result;
    return reason === null || reason === noReason ? 'resumed' : { outcome: 'resumed-for', facts: { reason } };
  }
  if (result.outcome !== 'ready') return result.outcome;
  await membership.sync(result.signIn);
  return { outcome: 'ready', facts: { agent: result.signIn.agent } };
});
