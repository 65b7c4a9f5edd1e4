import t from 'tap';
import { until } from '../../../domain/machine/processes.js';
import { crowd } from '../../../lab/provision.js';
import { callIn, waitCall, waitTalking } from '../../support/calls.js';
import { centreOf, dialAndHear, waitState } from '../../support/centre.js';

/**
 * What is done in a call from outside it (`star64 call …`), on a real Asterisk: the row is claimed by the server that leads,
 * and the command waits for what became of it.
 */
const centre = await centreOf(
  t,
  crowd(3, { groups: [{ name: 'support', number: '6000', wrapUp: 'answer' }] }),
);
const [anna, extension] = [await centre.phone('5001'), await centre.phone('5003', { mode: 'auto' })];
await dialAndHear(centre, anna, '*641001', 'agent-loginok');

/** A customer whom Anna has answered, and the uniqueid of the call. */
async function answered() {
  const seen = anna.events.length;
  const customer = await callIn(centre);
  await anna.incoming();
  await anna.answer();
  await anna.established();
  const call = await until('the call in the database', async () => {
    const row = await centre
      .db('calls')
      .whereNull('ended_at')
      .orderBy('id', 'desc')
      .first<{ uniqueid: string } | undefined>();
    return row?.uniqueid;
  });
  await waitTalking(centre, '1001', call);
  return { customer, call, seen };
}

const ready = async (): Promise<void> => {
  await waitState(centre, '1001', 'wrap-up');
  await centre.star64('agent', 'ready', '1001');
  await waitState(centre, '1001', 'idle');
};

await t.test('a customer is sent on to an extension, and the agent is in wrap-up', async (t) => {
  const { customer, call } = await answered();
  const seen = extension.events.length;
  await centre.star64('call', 'transfer', call, '5003');
  await extension.event(/^CALL_ESTABLISHED$/, { from: seen });
  await ready();
  t.equal((await centre.db('calls').whereNull('ended_at')).length, 1, 'the customer talks there');
  await customer.hangup();
  await waitCall(centre, call, { open: false });
});

await t.test('one party is hung up, or all, and what is over is said to be', async (t) => {
  const first = await answered();
  await centre.star64('call', 'hangup', first.call, '--party', '4930555');
  await first.customer.ended();
  await waitCall(centre, first.call, { open: false });
  await ready();
  await t.rejects(centre.star64('call', 'hangup', first.call), /is over/);
  const second = await answered();
  await centre.star64('call', 'hangup', second.call);
  await second.customer.ended();
  await waitCall(centre, second.call, { open: false });
  await ready();
});

await t.test('with no server alive nothing is done, and it is said', async (t) => {
  const { customer, call } = await answered();
  await centre.server.stop();
  await t.rejects(centre.star64('call', 'hangup', call), /no server of node/);
  const from = await centre.asterisk.verbose.mark();
  await centre.server.start();
  // A wrap-up begins in Asterisk only where a server has promised to end it.
  await centre.asterisk.verbose.waitFor(/Setting global variable 'STAR64_LEASE' to '[1-9]/, from);
  await waitTalking(centre, '1001', call);
  const rows = await centre.db('call_commands').orderBy('id', 'desc').first<{ result: string }>();
  t.match(rows, { result: 'expired', claimed_by: null });
  await customer.hangup();
  await ready();
});
