import { pino } from 'pino';
import t from 'tap';
import { QueueMembership } from '../../pbx/queue/membership.js';
import { ComparePopups } from '../../pbx/watch/compare/popups.js';
import { Reconciliation } from '../../pbx/watch/compare/reconciliation.js';
import type { Snapshot } from '../../pbx/watch/compare/snapshot.js';
import { event, gone, inQueue, joins, offer, popupSite, rings } from '../support/doors/popups.js';
import { StubManager } from '../support/stub-manager.js';

/** Phones that ring while another server takes over Asterisk. */
const log = pino({ enabled: false });

await t.test('a phone rings for a queue as the leader dies: the next one opens its popup', async (t) => {
  const { db, server, arrives, popups } = await popupSite(t);
  const first = server();
  await arrives('call.1');
  first.take(event('QueueCallerJoin', { ...inQueue, position: '1' }));
  first.take(event('AgentCalled', { ...inQueue, ...offer(1) }));
  await first.settled();
  await db('popups').delete();
  // It is as old as this says, however long the test takes to look.
  const shift = (by: string) => db('offers').update({ offered_at: db.raw('offered_at + ?::interval', [by]) });
  await shift('1 hour');
  const step = new ComparePopups(db, 'default');
  const asterisk = { live: new Map([['phone.1', 'call.1']]), others: new Map() } as unknown as Snapshot;
  t.same(await step.compare(asterisk), [], 'whoever has seen it is given a moment');
  await shift('-1 hour -2 seconds');
  const found = await step.compare(asterisk);
  t.same(
    found.map(({ key }) => key),
    ['popup of phone.1 is missing'],
  );
  await step.mend(found);
  t.match(await popups(), [{ phone: '5001', kind: 'queue', outcome: null }]);
  t.same(await step.compare(asterisk), []);
  t.match(await db('popups').first<object>(), {
    application: 'third_party',
    binding: 'crm',
    caller: '+4930',
  });
});

/** A channel that app_dial has called, as Asterisk lists it. */
const rung = (n: number, duration: string, more: Record<string, string> = {}) => ({
  channel: `PJSIP/astercc-500${n}-0000000${n}`,
  uniqueid: `phone.${n}`,
  linkedid: 'call.1',
  application: 'AppDial',
  channelstatedesc: 'Ringing',
  duration,
  ...more,
});
const calling = (call: string) => ({
  channel: 'PJSIP/lab-trunk-00000001',
  uniqueid: call,
  linkedid: call,
  application: 'Dial',
  channelstatedesc: 'Ring',
});

/** An Asterisk in which nothing else differs from what the database has of it; what is warned of when they are compared. */
async function asteriskOf({ db }: Pick<Awaited<ReturnType<typeof popupSite>>, 'db'>, seen = async () => {}) {
  const manager = new StubManager('astercc-support');
  const warned: string[] = [];
  const logged = pino({ level: 'warn' }, { write: (line) => void warned.push(line) });
  const membership = new QueueMembership(db, manager, log);
  const events = { run: () => seen().then(() => true) };
  const reconciliation = new Reconciliation(db, 'default', manager, membership, logged, events);
  await reconciliation.run();
  return { manager, reconciliation, warned };
}

await t.test('phones ring that no queue has called as the leader dies: the same', async (t) => {
  const site = await popupSite(t, { phones: 4 });
  const { db, server, arrives, popups } = site;
  const { manager, reconciliation, warned } = await asteriskOf(site);
  await arrives('call.1');
  await arrives('call.2', { bound: false });
  await db('extensions').where({ number: '5004' }).update({ agent_mode: false });
  manager.channels = [
    calling('call.1'),
    rung(1, '00:00:00'),
    // Since before anybody signed in there.
    rung(2, '01:01:05'),
    rung(4, '00:00:03'),
    calling('call.2'),
    rung(3, '00:00:03', { linkedid: 'call.2' }),
  ];
  const next = server();
  next.adopt();
  t.match(await reconciliation.run(), { mended: 2, failed: [] });
  next.adopt();
  await next.caughtUp();
  const agent = await db('agents').where({ number: '1001' }).first<{ id: number }>('id');
  const shown = {
    kind: 'direct',
    binding: 'crm',
    application: 'third_party',
    caller: '+4930',
    number: '600100',
  };
  t.match(await db('popups').orderBy('channel').select(), [
    { ...shown, channel: 'phone.1', call: 'call.1', agent_id: agent.id },
    { ...shown, channel: 'phone.2', call: 'call.1', agent_id: null },
  ]);
  t.match(await reconciliation.run(), { mended: 0, failed: [] }, 'and once');
  t.same(warned, [], 'of the others nothing is looked for in vain');
  for (const one of [joins(1), gone(2, 'Ringing', '26'), gone(1, 'Up', '16')]) next.take(one);
  await next.settled();
  t.same(await popups(), [
    { phone: '5001', kind: 'direct', answered: true, outcome: 'answered' },
    { phone: '5002', kind: 'direct', answered: false, outcome: 'cancelled' },
  ]);
});

await t.test('a server that has seen the phone ring opens its popup alone', async (t) => {
  const site = await popupSite(t);
  const leader = site.server();
  const { manager, reconciliation } = await asteriskOf(site, () => leader.caughtUp());
  await site.arrives('call.1');
  manager.channels = [calling('call.1'), rung(1, '00:00:00')];
  leader.take(rings(1));
  t.match(await reconciliation.run(), { mended: 0, failed: [] });
  t.match(await site.popups(), [{ phone: '5001', kind: 'direct', outcome: null }]);
  await leader.settled();
});
