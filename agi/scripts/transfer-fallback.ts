import { placeOf } from '../../domain/calls/routing/routing.js';
import { currentGroupAt } from '../../domain/presence/current-group.js';
import { answer } from '../answer.js';
import type { Script } from './script.js';

/**
 * Where a caller goes whom an agent has sent on and nobody has taken, where neither a queue nor the team says so: the queue of
 * the group in which that agent works. Arguments: team, the phone by the word of its mark (star64-wrap-up.conf).
 */
export const transferFallback: Script = async ({ db }, session, [team = '', phone = '']) => {
  const group = await currentGroupAt(db, team, phone);
  // No place in any dialplan: an empty answer would have the next server asked.
  await answer(
    session,
    group === undefined ? 'star64-nobody,s,1' : placeOf(team, { kind: 'group', name: group }),
  );
};
