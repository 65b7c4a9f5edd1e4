import type { OutboundDecision, Refusal } from '../../domain/calls/outbound/outbound.js';
import {
  answerSteps,
  writeOutbound,
  type OutboundAnswer,
} from '../../domain/calls/outbound/outbound-answer.js';
import { answer } from '../answer.js';
import type { Script } from './script.js';

/** What is said at the phone instead of calling: Asterisk's core sounds. */
const said: Readonly<Record<Refusal, readonly string[]>> = {
  class: ['beeperr', 'calling', 'number', 'disabled'],
  'work-mode': ['beeperr', 'calling', 'disabled'],
  hours: ['beeperr', 'calling', 'hours', 'disabled'],
  limit: ['beeperr', 'calling', 'please-try-call-later'],
  'no-trunk': ['beeperr', 'feature-not-avail-line'],
  unknown: ['sorry', 'please-try-call-later'],
  nobody: ['beeperr', 'privacy-unident'],
  number: ['beeperr', 'number', 'invalid'],
};

/**
 * Whether a number outside is called, over which trunks, and as whom. Arguments: team, the number as it was dialled behind
 * the outside prefix, the endpoint of the phone that pays (empty: the team does), `h` to hide the caller's number. Answered
 * from memory but for who is signed in at the phone, and fails closed for privileges: with PostgreSQL away national and
 * mobile numbers go out as the last known rights of team and user group say, the rest is refused; without any answer the
 * dialplan goes by the generated files, which open no more than that.
 */
export const outbound: Script = async (
  { outbound, callsOut, log },
  session,
  [team = '', dialled = '', endpoint = '', options = ''],
) => {
  const { uniqueid } = session.request;
  const hidden = options.includes('h');
  const decided = await outbound.decide(team, { dialled, endpoint, hidden, instant: Date.now(), uniqueid });
  if (!decided) {
    log.warn({ team, dialled, uniqueid }, 'no such team: the call goes as the generated configuration says');
    return;
  }
  const { decision, caller } = decided;
  const { number, class: numberClass, extension, userGroup } = decision;
  callsOut.add({
    uniqueid,
    team,
    dialled,
    number,
    class: numberClass,
    refused: decision.go ? null : decision.refused,
    extension,
    agent: caller?.agent?.number ?? null,
    userGroup,
  });
  if (!decision.go)
    log.info(
      { team, uniqueid, dialled, number, class: numberClass, extension, refused: decision.refused },
      'a call to the outside is refused',
    );
  return answer(session, writeOutbound(answerOf(decision)));
};

/** A decision as the dialplan is told it. */
export function answerOf(decision: OutboundDecision): OutboundAnswer {
  if (!decision.go) return { go: false, refused: decision.refused, sounds: said[decision.refused] };
  const { steps, ...rest } = decision;
  return {
    ...rest,
    steps: answerSteps(steps),
    emergency: decision.class === 'emergency',
  };
}
