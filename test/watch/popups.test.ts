import { pino, type Logger } from 'pino';
import t from 'tap';
import { until } from '../../domain/machine/processes.js';
import { setGroup } from '../../domain/provisioning/people/group.js';
import type { AmiMessage } from '../../pbx/ami/message.js';
import { ComparePopups } from '../../pbx/watch/compare/popups.js';
import { Popups, popupTimes, type PopupTimes } from '../../pbx/watch/events/popups.js';
import type { Snapshot } from '../../pbx/watch/compare/snapshot.js';
import { event, gone, inQueue, joins, offer, popupSite, rings, trunk } from '../support/doors/popups.js';

const log = pino({ enabled: false });

/** A queue call: 1001 does not pick up, 1002 does; then a direct call to 1001, and one that they make outside. */
const everything = (n = 0): AmiMessage[] => [
  event('QueueCallerJoin', { ...inQueue, position: '1' }),
  event('AgentCalled', { ...inQueue, ...offer(1) }),
  rings(1),
  event('AgentRingNoAnswer', { ...inQueue, ...offer(1) }),
  gone(1, 'Ringing', '0'),
  event('AgentCalled', { ...inQueue, ...offer(2) }),
  rings(2),
  event('AgentConnect', { ...inQueue, ...offer(2) }),
  joins(2),
  gone(2, 'Up', '16'),
  event('DialState', {
    ...trunk,
    destchannel: 'PJSIP/astercc-5001-00000003',
    destuniqueid: `direct.${n}`,
    dialstatus: 'RINGING',
  }),
  event('Hangup', {
    channel: 'PJSIP/astercc-5001-00000003',
    uniqueid: `direct.${n}`,
    linkedid: 'call.1',
    channelstatedesc: 'Ringing',
    cause: '26',
  }),
  event('UserEvent', {
    userevent: 'Star64AgentCall',
    member: 'PJSIP/astercc-5001',
    offer: 'out.1',
    call: 'out.1',
    kind: 'out',
    step: 'calling',
  }),
];

await t.test('each phone that is rung for a call has its own popup, and its own end', async (t) => {
  const { server, arrives, popups } = await popupSite(t);
  const observer = server();
  await arrives('call.1');
  for (const one of everything()) observer.take(one);
  await observer.settled();
  t.same(await popups(), [
    { phone: '5001', kind: 'direct', answered: false, outcome: 'cancelled' },
    { phone: '5001', kind: 'queue', answered: false, outcome: 'missed' },
    { phone: '5002', kind: 'queue', answered: true, outcome: 'answered' },
  ]);
});

await t.test('a team without an application pays no statement, whatever happens to its calls', async (t) => {
  const { db, memory, server, arrives, popups, statements } = await popupSite(t, { application: false });
  const observer = server();
  await arrives('call.1');
  for (const one of everything()) observer.take(one);
  await observer.settled();
  t.ok(statements.length > 5);
  t.same(
    statements.filter((sql) => sql.includes('popups')),
    [],
  );
  await setGroup(db, 'astercc', 'support', { application: 'campaign' });
  await memory.load([
    await db('teams')
      .where({ identity: 'astercc' })
      .first('id')
      .then((row: { id: number }) => row.id),
  ]);
  observer.take(rings(1));
  await observer.settled();
  t.same(await popups(), [], 'a direct call needs a binding');
  t.equal(statements.filter((sql) => sql.includes('insert into popups')).length, 1, 'it was asked once');
  observer.take(rings(1));
  await observer.settled();
  t.equal(statements.filter((sql) => sql.includes('insert into popups')).length, 1, 'and not again');
});

await t.test('of a hundred phones that ring at once few statements are made', async (t) => {
  const { server, arrives, statements } = await popupSite(t);
  const observer = server();
  await arrives('call.1');
  statements.length = 0;
  for (let n = 0; n < 100; n++) for (const one of everything(n).slice(10, 12)) observer.take(one);
  await observer.settled();
  const made = statements.filter((sql) => /(insert into|update) popups/.test(sql)).length;
  t.ok(made <= 10, `${made} statements`);
});

await t.test(
  'a server that takes over ends what another one has opened; both may tell the same',
  async (t) => {
    const { db, server, arrives, popups } = await popupSite(t);
    const [first, second] = [server(), server()];
    await arrives('call.1');
    for (const observer of [first, second]) for (const one of [rings(1), rings(2)]) observer.take(one);
    await first.caughtUp();
    await second.caughtUp();
    first.take(joins(1));
    await first.settled();
    await second.settled();
    const third = server();
    third.adopt();
    await third.caughtUp();
    third.take(gone(1, 'Up', '16'));
    await third.settled();
    t.same(await popups(), [
      { phone: '5001', kind: 'direct', answered: true, outcome: 'answered' },
      { phone: '5002', kind: 'direct', answered: false, outcome: null },
    ]);
    const step = new ComparePopups(db, 'default');
    const asterisk = (...live: string[]) =>
      ({ live: new Map(live.map((one) => [one, 'call.1'])), others: new Map() }) as unknown as Snapshot;
    t.same(await step.compare(asterisk('phone.2')), [], 'its phone still rings');
    const found = await step.compare(asterisk());
    t.same(
      found.map(({ key }) => key),
      ['popup of phone.2 is over'],
    );
    await step.mend(found);
    await step.mend(found);
    t.match(await popups(), [{}, { phone: '5002', outcome: 'unknown' }]);
    t.equal((await db('events').where({ type: 'popup.closed' })).length, 2, 'each end is told once');
  },
);

await t.test(
  'the arrival is recorded later than the phone rings: the popup waits for its binding',
  async (t) => {
    const { server, arrives, popups } = await popupSite(t);
    const observer = server();
    observer.take(rings(1));
    await observer.caughtUp();
    t.same(await popups(), []);
    await arrives('call.1');
    await until('its popup', async () => ((await popups()).length > 0 ? true : undefined));
    await observer.settled();
  },
);

await t.test(
  'PostgreSQL is away as the phone rings and as it is hung up: both are written later',
  async (t) => {
    const seen: string[] = [];
    let away = true;
    const refuse = (): void => {
      if (away) throw new Error('away');
    };
    const popups = new Popups(
      {
        due: (due) => {
          refuse();
          seen.push(...due.map(({ channel, kind }) => `${kind} ${channel}`));
          return Promise.resolve(new Map(due.map(({ channel }) => [channel, true])));
        },
        told: (told) => {
          refuse();
          seen.push(...told.map(({ channel, outcome }) => `${channel} ${outcome ?? ''}`));
          return Promise.resolve();
        },
        open: () => Promise.resolve([]),
      },
      { hasApplication: () => true, inAgentMode: (device) => device === 'PJSIP/astercc-5001' },
      () => undefined,
      log,
    );
    popups.rings(rings(1));
    popups.rings(rings(2));
    await t.rejects(popups.write());
    popups.hungUp(gone(1, 'Ringing', '17'));
    await t.rejects(popups.write());
    away = false;
    await popups.write();
    await popups.write();
    popups.stop();
    t.same(seen, ['direct phone.1', 'phone.1 rejected']);
  },
);

/** Popups whose records know of nothing until it is said; what they were asked, and what was warned of. */
function slow(times: Partial<PopupTimes>) {
  const asked: { channel: string; final: boolean }[] = [];
  const warned: string[] = [];
  const known = new Map<string, boolean>();
  const popups = new Popups(
    {
      due: (due) => {
        asked.push(...due.map(({ channel, final }) => ({ channel, final })));
        return Promise.resolve(
          new Map(due.flatMap(({ channel }) => (known.has(channel) ? [[channel, true]] : []))),
        );
      },
      told: () => Promise.resolve(),
      open: () => Promise.resolve([]),
    },
    { hasApplication: () => true, inAgentMode: (device) => device.startsWith('PJSIP/astercc-') },
    () => undefined,
    { warn: ((_facts: object, text: string) => void warned.push(text)) as Logger['warn'] },
    { ...popupTimes, ...times },
  );
  return { popups, asked, warned, known };
}
const offered = event('AgentCalled', { ...inQueue, ...offer(1) });

await t.test(
  'a queue call that is recorded seconds late waits for its binding, and is not lost',
  async (t) => {
    const { popups, asked, warned, known } = slow({ usuallyMs: 0, lateMs: 3_600_000 });
    popups.offered(offered);
    popups.rings(rings(2));
    for (let n = 0; n < 3; n++) await popups.write();
    known.set('phone.1', true).set('phone.2', true);
    await popups.write();
    await popups.write();
    popups.stop();
    t.equal(asked.length, 8, 'both each time, and no more once they are open');
    t.notOk(
      asked.some(({ final }) => final),
      'the application of the group is not taken meanwhile',
    );
    t.same(warned, []);
  },
);

await t.test('who is called back has no number that comes later: nothing is waited for', async (t) => {
  const { popups, asked } = slow({ usuallyMs: 0, lateMs: 3_600_000 });
  popups.offered(
    event('AgentCalled', {
      ...inQueue,
      channel: 'PJSIP/astercc-5002-00000009',
      ...offer(1),
    }),
  );
  await popups.write();
  popups.stop();
  t.same(asked, [{ channel: 'phone.1', final: true }]);
});

await t.test(
  'a call that nobody records is given up: with the channel, or in the end, and the log says so',
  async (t) => {
    const { popups, asked, warned } = slow({ goneMs: 0, lateMs: 3_600_000 });
    popups.offered(offered);
    await popups.write();
    t.same(warned, []);
    popups.hungUp(gone(1, 'Ringing', '26'));
    await popups.write();
    t.same(
      asked.map(({ final }) => final),
      [false, true],
    );
    await popups.write();
    popups.stop();
    t.equal(asked.length, 2, 'and not asked any more');
    const later = slow({ lateMs: 0 });
    later.popups.rings(rings(1));
    await later.popups.write();
    await later.popups.write();
    later.popups.stop();
    t.equal(later.asked.length, 1);
    const text = 'a call was not recorded in time: it has no popup';
    t.same([...warned, ...later.warned], [text, text]);
  },
);
