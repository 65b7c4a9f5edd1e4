import { pino } from 'pino';
import t, { type Test } from 'tap';
import { crowd, provision } from '../../lab/provision.js';
import { until } from '../../domain/machine/processes.js';
import { signIn } from '../../domain/presence/sign-in.js';
import { QueueMembership } from '../../pbx/queue/membership.js';
import { Observer } from '../../pbx/watch/events/observer.js';
import { Reconciliation } from '../../pbx/watch/compare/reconciliation.js';
import { EventRoundTrip } from '../../pbx/watch/compare/round-trip.js';
import { freshDatabase } from '../support/database.js';
import { StubManager } from '../support/stub-manager.js';

const queue = 'astercc-support';
const device = 'PJSIP/astercc-5001';
const variable = 'DEVICE_STATE(Custom:star64-events)';
const said: string[] = [];
const log = pino({ level: 'warn' }, { write: (line: string) => void said.push(line) });

async function site(t: Test, patienceMs?: number) {
  const { db } = await freshDatabase(t);
  await provision(db, crowd(1));
  const manager = new StubManager(queue);
  const membership = new QueueMembership(db, manager, log);
  const observer = new Observer(db, 'default', log, {
    deadlineSet: () => undefined,
    missed: () => undefined,
  });
  manager.on('event', (event) => observer.take(event));
  const result = await signIn(db, 'astercc', { agent: '1001', extension: '5001', by: 'test' });
  if (result.outcome !== 'signed-in') throw new Error(result.outcome);
  await membership.sync(result.signIn, { thorough: true });
  const trip = new EventRoundTrip(manager, () => observer.caughtUp(), log, patienceMs);
  const reconciliation = new Reconciliation(db, 'default', manager, membership, log, trip);
  const tell = (name: string, headers: Record<string, string>): void => {
    manager.emit('event', { name, headers: new Map(Object.entries(headers)), repeated: new Map() });
  };
  // A conversation that has just ended in Asterisk, of which nothing has been told yet.
  const offer = { interface: device, uniqueid: 'call.1', linkedid: 'call.1', queue, destuniqueid: 'offer.1' };
  const tellAll = (): void => {
    tell('AgentCalled', offer);
    tell('DialState', { dialstatus: 'RINGING', destuniqueid: 'offer.1' });
    tell('AgentConnect', { ...offer, membername: '1001', holdtime: '1' });
    tell('UserEvent', {
      userevent: 'Star64OfferEnd',
      member: device,
      queue,
      offer: 'offer.1',
      wrapup: 'yes',
    });
  };
  await manager.wrapUp(device, 'offer.1');
  const states = (): Promise<string[]> => db('agent_states').orderBy('id').pluck<string[]>('state');
  return { manager, trip, reconciliation, tell, tellAll, states };
}

/** Does it when the device of the round trip is set, with the state that it is set to. */
function whenSent(manager: StubManager, then: (state: string) => void): void {
  manager.gate = (action, { Variable, Value = '' }) => {
    if (action === 'Setvar' && Variable === variable) setImmediate(() => then(Value));
    return Promise.resolve();
  };
}

void t.test('what is only late is not mended, and is recorded once', async (t) => {
  const { manager, reconciliation, tell, tellAll, states } = await site(t);
  whenSent(manager, (state) => {
    tellAll();
    tell('DeviceStateChange', { device: 'Custom:star64-events', state });
  });
  t.match(await reconciliation.run(), { mended: 0, failed: [] });
  t.same(await states(), ['idle', 'ringing', 'talking', 'wrap-up']);
});

void t.test('what was lost is mended when the news has come without it', async (t) => {
  const { manager, reconciliation, tell, states } = await site(t);
  whenSent(manager, (state) => tell('DeviceStateChange', { device: 'Custom:star64-events', state }));
  t.match(await reconciliation.run(), { failed: [] });
  t.same(await states(), ['idle', 'wrap-up']);
});

void t.test('news that never comes is not waited for for ever, and said once', async (t) => {
  const { reconciliation, trip, states } = await site(t, 300);
  said.length = 0;
  await reconciliation.run();
  t.same(await states(), ['idle', 'wrap-up'], 'and keeps nothing from being mended');
  t.equal(await trip.run(), false);
  t.equal(said.filter((line) => line.includes('DeviceStateChange is kept from star64')).length, 1);
});

void t.test('news of another trip or device is not its own, and a lost connection ends it', async (t) => {
  const { manager, trip, tell } = await site(t);
  let sent = '';
  whenSent(manager, (state) => (sent = state));
  const done = trip.run();
  await until('it to be sent', () => (sent === '' ? undefined : true));
  let over = false;
  void done.then(() => (over = true));
  tell('DeviceStateChange', { device: 'Custom:star64-events', state: 'BUSY' });
  tell('DeviceStateChange', { device: 'PJSIP/astercc-5001', state: sent });
  await new Promise(setImmediate);
  t.notOk(over);
  manager.emit('down', 'test');
  t.equal(await done, false);
});
