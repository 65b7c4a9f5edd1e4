import { writeOutbound } from '../../domain/calls/outbound/outbound-answer.js';
import { answer } from '../answer.js';
import { answerOf } from './outbound.js';
import type { Script } from './script.js';

/**
 * How a number outside is called that an administrator has typed, and the team pays. Arguments: team, number, the call that is sent
 * there. Answered from memory. It is no call of its own: what is tried, and what limits count, belongs to that one.
 */
export const outside: Script = async ({ outbound, log }, session, [team = '', number = '', call = '']) => {
  const uniqueid = call || session.request.uniqueid;
  const decision = outbound.typed(team, number, { instant: Date.now(), uniqueid });
  if (!decision) {
    log.warn({ team, number }, 'no such team: the call goes as the generated configuration says');
    return;
  }
  if (!decision.go) {
    const { class: numberClass, refused } = decision;
    log.warn({ team, uniqueid, number, class: numberClass, refused }, 'a number outside is not called');
  }
  return answer(session, writeOutbound(answerOf(decision)));
};
