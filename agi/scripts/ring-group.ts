import { writeSteps } from '../../domain/calls/routing/ring-order.js';
import { answer } from '../answer.js';
import type { Script } from './script.js';

/**
 * Whom a ring group rings, in which order. Arguments: team, number of the ring group, how many calls it has had (for
 * round-robin, counted in Asterisk). Fails open: without an answer it is the order of the generated files.
 */
export const ringGroup: Script = async (
  { ringGroups, log },
  session,
  [team = '', number = '', turn = ''],
) => {
  const steps = await ringGroups.order(team, number, Number(turn) || 0);
  if (steps) return answer(session, writeSteps(steps));
  log.warn({ team, number }, 'no such ring group: the call goes where the generated configuration says');
};
