import type { Route } from '../../domain/calls/routing/team-routes.js';
import { placeOf } from '../../domain/calls/routing/routing.js';
import { writeDestination } from '../../domain/destination.js';
import { answer } from '../answer.js';
import type { Script, Services } from './script.js';
import type { Session } from '../wire/session.js';

/**
 * Where a call for a DID goes. Arguments: team, number, endpoint of the trunk. Answered from memory; the record of the call
 * is written afterwards. Fails open: without an answer the call goes where the last generated configuration says.
 */
export const inbound: Script = async (services, session, [team = '', number = '', endpoint = '']) => {
  const { routing, journal, log } = services;
  const { uniqueid, callerIdNumber: caller } = session.request;
  const route = routing.route(team, { number, caller, endpoint });
  if (route) return go(services, session, route);
  journal.add({ uniqueid, team, did: number, caller, destination: null });
  log.warn(
    { team, did: number, uniqueid },
    'no such DID: the call goes where the generated configuration says',
  );
};

/** Sends a call where it goes, and has it recorded. */
export async function go({ journal, steps }: Services, session: Session, route: Route): Promise<void> {
  const { team, number: did, destination, led, hours, rule, queuePriority, binding } = route;
  const { uniqueid, callerIdNumber: caller } = session.request;
  // An agent who signs in by calling is no customer; who keys the number of an agent is one.
  if (destination.kind !== 'feature' || destination.name === 'call-agent') {
    journal.add({ uniqueid, team, did, caller, destination, rule, binding });
    const facts = { did, to: writeDestination(led), ...(rule != null && { rule }) };
    // A second server that is asked about the same call says the same.
    steps.add({ call: uniqueid, kind: 'did', facts, key: 'did' });
    for (const [index, { to, ...passed }] of hours.entries())
      steps.add({
        call: uniqueid,
        kind: 'hours',
        facts: { ...passed, to: writeDestination(to) },
        key: `hours-${index}`,
      });
  }
  // star64-enter reads it, whichever queue the call comes to.
  if (queuePriority > 0) await session.setVariable('STAR64_PRIO', String(queuePriority));
  return answer(session, placeOf(team, destination));
}
