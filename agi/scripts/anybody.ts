import { isAnybodySignedIn } from '../../domain/presence/anybody.js';
import { answer } from '../answer.js';
import type { Script } from './script.js';

/**
 * Whether an agent of a group is signed in, for a caller whose queue is empty in Asterisk: after its start, and while an
 * agent moves from one phone to another, its members are on their way. Arguments: team, group.
 */
export const anybody: Script = async ({ db }, session, [team = '', group = '']) => {
  await answer(session, (await isAnybodySignedIn(db, team, group)) ? 'yes' : 'no');
};
