import { answer } from '../answer.js';
import { go } from './inbound.js';
import type { Script } from './script.js';

/**
 * What becomes of a call whose number is in no generated file. Arguments: nothing, endpoint, number. It may be a DID all
 * the same: added since, or written in a way that only the country of this trunk tells. Else it is counted, and goes where
 * the team of the trunk wants such calls.
 */
export const unknownNumber: Script = async (services, session, [, endpoint = '', number = '']) => {
  const { routing, unknownNumbers } = services;
  const { callerIdNumber: caller } = session.request;
  const call = { number, caller, endpoint };
  const route = routing.routeOnTrunk(call);
  if (route) return go(services, session, route);
  unknownNumbers.add({ number, endpoint, caller });
  const unknown = routing.routeUnknown(call);
  if (unknown) return go(services, session, unknown);
  // No place in any dialplan; an empty answer would have the next server asked.
  return answer(session, 'star64-nowhere,s,1');
};
