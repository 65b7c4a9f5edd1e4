import { answer } from '../answer.js';
import type { Script } from './index.js';

/**
 * Where a call for a DID goes. Arguments: team, DID. Answered from memory; the record of the call is written
 * afterwards. Fails open: without an answer the call goes where the last generated configuration says.
 */
export const inbound: Script = async ({ routing, journal, log }, session, [team = '', did = '']) => {
  const destination = routing.find(team, did);
  const { uniqueid, callerIdNumber: caller } = session.request;
  journal.add({
    uniqueid,
    team,
    did,
    caller: caller ?? null,
    group: destination?.group ?? null,
    extension: destination?.extension ?? null,
  });
  if (destination?.group != null) return answer(session, `${team}-groups,${destination.group},1`);
  if (destination?.extension != null) return answer(session, `${team}-numbers,${destination.extension},1`);
  log.warn({ team, did, uniqueid }, 'no such DID: the call goes where the generated configuration says');
};
