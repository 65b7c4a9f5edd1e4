import { placeOf } from '../../domain/calls/routing.js';
import { answer } from '../answer.js';
import type { Script } from './script.js';

/**
 * What becomes of a call whose number is in no generated file. Arguments: nothing, endpoint, number. It may be a DID all
 * the same: added since, or written in a way that only the country of this trunk tells. Else it is counted.
 */
export const unknownNumber: Script = async (services, session, [, endpoint = '', number = '']) => {
  const { routing, journal, unknownNumbers } = services;
  const { uniqueid, callerIdNumber: caller } = session.request;
  const found = await routing.findOnTrunk(endpoint, number);
  if (!found) {
    unknownNumbers.add({ number, endpoint, caller });
    // No place in any dialplan; an empty answer would have the next server asked.
    return answer(session, 'star64-nowhere,s,1');
  }
  const { team, did, destination } = found;
  if (destination.kind !== 'feature') journal.add({ uniqueid, team, did, caller, destination });
  return answer(session, placeOf(team, destination));
};
