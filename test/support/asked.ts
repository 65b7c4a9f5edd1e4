import { pino } from 'pino';
import type { Test } from 'tap';
import { inbound } from '../../agi/scripts/inbound.js';
import { unknownNumber } from '../../agi/scripts/unknown-number.js';
import type { Script, Services } from '../../agi/scripts/script.js';
import { CallJournal } from '../../domain/calls/records/journal.js';
import { CallSteps } from '../../domain/calls/records/steps.js';
import { Routing } from '../../domain/calls/routing/routing.js';
import { UnknownNumbers } from '../../domain/calls/routing/unknown-numbers.js';
import type { Database } from '../../domain/database/pool.js';
import { call } from '../agi/fake-asterisk.js';
import { serve, token } from '../agi/serving.js';

let calls = 0;

/** A server with the routing of a database, and what Asterisk is answered. */
export async function asked(t: Test, of: Database) {
  const log = pino({ enabled: false });
  const routing = new Routing(of, 'default');
  await routing.load();
  const journal = new CallJournal(of, 'default', log, {
    delayMs: 3_600_000,
    retryMs: 1000,
    keep: 10_000,
    batch: 500,
  });
  const unknownNumbers = new UnknownNumbers(of, 'default', log, 3_600_000);
  t.teardown(() => Promise.all([journal.flush(), unknownNumbers.flush()]));
  const steps = new CallSteps(of, 'default', log, {
    delayMs: 3_600_000,
    retryMs: 3_600_000,
    patienceMs: 60_000,
    keep: 10_000,
    batch: 500,
  });
  t.teardown(() => steps.flush());
  const services = { db: of, routing, journal, steps, unknownNumbers, log } as unknown as Services;
  const bound = (script: Script) => (session: Parameters<Script>[1], args: readonly string[]) =>
    script(services, session, args);
  const { port } = await serve(t, { inbound: bound(inbound), 'unknown-number': bound(unknownNumber) });
  const variablesOf = async (script: string, args: string[], caller: string) => {
    const { variables } = await call({
      port,
      script,
      args,
      token,
      uniqueid: `call.${++calls}`,
      environment: { agi_callerid: caller },
    });
    return variables;
  };
  const ask = async (script: string, args: string[], caller: string): Promise<string | undefined> =>
    (await variablesOf(script, args, caller)).get('STAR64_ANSWER');
  return { ask, variablesOf, lastCall: () => `call.${calls}`, routing, journal, steps, unknownNumbers };
}
