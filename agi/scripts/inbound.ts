import { placeOf } from '../../domain/calls/routing.js';
import { writeDestination } from '../../domain/destination.js';
import { answer } from '../answer.js';
import type { Script } from './script.js';

/**
 * Where a call for a DID goes. Arguments: team, DID. Answered from memory; the record of the call is written
 * afterwards. Fails open: without an answer the call goes where the last generated configuration says.
 */
export const inbound: Script = async ({ routing, journal, steps, log }, session, [team = '', did = '']) => {
  const destination = routing.find(team, did);
  const { uniqueid, callerIdNumber: caller } = session.request;
  // An agent who signs in by calling is no customer.
  if (destination?.kind === 'feature') return answer(session, placeOf(team, destination));
  journal.add({
    uniqueid,
    team,
    did,
    caller: caller ?? null,
    destination: destination ?? null,
  });
  if (destination)
    steps.add({ call: uniqueid, kind: 'did', facts: { did, to: writeDestination(destination) } });
  if (destination) return answer(session, placeOf(team, destination));
  log.warn({ team, did, uniqueid }, 'no such DID: the call goes where the generated configuration says');
};
