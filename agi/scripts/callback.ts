import { decideCallback } from '../../domain/calls/outbound/callback-number.js';
import { answerSteps, writeOutbound } from '../../domain/calls/outbound/outbound-answer.js';
import { answer } from '../answer.js';
import type { Script } from './script.js';

/** `<uniqueid>:<priority>` of a caller who waits. */
function callIn(text: string): { call: string; priority: number } {
  const at = text.lastIndexOf(':');
  return { call: text.slice(0, at), priority: Number(text.slice(at + 1)) || 0 };
}

/**
 * Whether a caller who has pressed the key is called back. Arguments: team, group, their number (empty: they show none), call
 * and priority. Answered with `confirm|<number>`, which is read out to them, or `no`.
 */
export const callback: Script = async (
  { outbound, callbacks, log },
  session,
  [team = '', group = '', shown = ''],
) => {
  const number = shown === '' ? undefined : await numberOf(outbound, team, shown);
  if (number === undefined || !(await callbacks.offers(team, group, number))) {
    const { uniqueid } = session.request;
    log.info({ team, group, uniqueid, caller: shown }, 'a caller who asks for it is not called back');
    return answer(session, 'no');
  }
  return answer(session, `confirm|${number}`);
};

/** They have confirmed it: kept, with the place that they have. Arguments as those of `callback`. */
export const callbackKeep: Script = async (
  { outbound, callbacks, steps, log },
  session,
  [team = '', group = '', shown = '', asked = ''],
) => {
  const { call, priority } = callIn(asked);
  const number = await numberOf(outbound, team, shown);
  // A caller who has gone meanwhile has confirmed it.
  if (number === undefined || !(await callbacks.keep({ team, group, number, call, priority })))
    return answer(session, 'no');
  steps.add({ call, kind: 'callback-asked', facts: { group, number } });
  log.info({ team, group, call }, 'a caller is to be called back');
  return answer(session, 'kept');
};

/**
 * The place of a caller who goes back into the queue, since when they wait. If they were kept and have not learned it, they
 * are not called back as well. Arguments as those of `callback`.
 */
export const callbackPlace: Script = async (
  { places, callbacks },
  session,
  [team = '', group = '', , asked = ''],
) => {
  const caller = callIn(asked);
  await callbacks.back(caller.call);
  return answer(session, String(await places.placeOf(team, group, caller)));
};

/**
 * How somebody is called back, now that an agent has answered. Arguments: team, `<id of the callback>-<put>`, call. Answered
 * as the question `outbound`; it counts towards the limits of the team from now on. For a put that another server has taken
 * the place of nobody is called: an agent may be calling them already.
 */
export const callbackCall: Script = async (
  { outbound, routing, callbacks, callsOut, log },
  session,
  [team = '', asked = '', call = ''],
) => {
  const [id = '', put = ''] = asked.split('-');
  const found = await callbacks.find(team, id);
  const wanted = found?.puts === Number(put) ? found : undefined;
  const decision = wanted && (await decideCallback(outbound, team, wanted.number, call));
  if (!wanted || !decision)
    return answer(session, writeOutbound({ go: false, refused: 'nobody', sounds: [] }));
  if (!decision.go) {
    const { refused } = decision;
    log.info({ team, callback: id, call, number: wanted.number, refused }, 'somebody is not called back');
    return answer(session, writeOutbound({ go: false, refused, sounds: [] }));
  }
  callsOut.add({
    uniqueid: call,
    team,
    dialled: wanted.number,
    number: decision.number,
    class: decision.class,
    refused: null,
    extension: null,
    agent: null,
    userGroup: null,
  });
  const callerId = (wanted.did === null ? undefined : routing.did(team, wanted.did)) ?? decision.callerId;
  const steps = answerSteps(decision.steps);
  return answer(session, writeOutbound({ ...decision, callerId, steps, emergency: false }));
};

/** The number of a caller in its one form, if they may be called back. */
async function numberOf(
  outbound: Parameters<typeof decideCallback>[0],
  team: string,
  shown: string,
): Promise<string | undefined> {
  const decision = await decideCallback(outbound, team, shown);
  return decision?.go === true ? decision.number : undefined;
}
