import { pino } from 'pino';
import t, { type Test } from 'tap';
import { listCalls } from '../../domain/calls/records/list.js';
import { CallRecords } from '../../domain/calls/records/records.js';
import { readStory } from '../../domain/calls/records/story.js';
import { signIn } from '../../domain/presence/sign-in.js';
import { crowd, provision } from '../../lab/provision.js';
import { QueueMembership } from '../../pbx/queue/membership.js';
import { Holds } from '../../pbx/watch/events/holds.js';
import { Observer } from '../../pbx/watch/events/observer.js';
import { Reconciliation } from '../../pbx/watch/compare/reconciliation.js';
import { freshDatabase } from '../support/database.js';
import { callerOf } from '../support/records.js';
import { StubManager } from '../support/stub-manager.js';

const log = pino({ enabled: false });
const phone = { uniqueid: 'offer.1', linkedid: 'call.1', channel: 'PJSIP/astercc-5001-1' };
const hold = ['Hold', phone] as const;
const unhold = ['Unhold', phone] as const;
const bridge = ['BridgeEnter', { ...phone, bridgetype: 'basic' }] as const;
const gone = ['Hangup', { ...phone, channelstatedesc: 'Up' }] as const;
type Event = readonly [name: string, headers: Record<string, string>];

async function site(t: Test) {
  const { db } = await freshDatabase(t);
  await provision(db, crowd(2));
  for (const n of [1, 2]) await signIn(db, 'astercc', { agent: `100${n}`, extension: `500${n}`, by: 'test' });
  const server = () => {
    const hooks = { deadlineSet: () => undefined, missed: () => t.fail('missed') };
    const observer = new Observer(db, 'default', log, hooks);
    const take = (...events: Event[]): void => {
      for (const [name, headers] of events)
        observer.take({ name, headers: new Map(Object.entries(headers)), repeated: new Map() });
    };
    return { observer, take };
  };
  const holds = async (): Promise<string[]> =>
    (
      await db('holds as h')
        .leftJoin('agents as a', 'a.id', 'h.agent_id')
        .orderBy('h.id')
        .select<{ kind: string; call: string; number: string; ended_at: Date | null; hung_up: boolean }[]>(
          'h.kind',
          'h.call',
          'h.ended_at',
          'h.hung_up',
          'a.number',
        )
    ).map(
      (one) =>
        `${one.kind} ${one.call} ${one.number} ${one.ended_at ? (one.hung_up ? 'left' : 'back') : 'open'}`,
    );
  return { db, server, holds };
}

void t.test('what Asterisk tells of each way to hold and to ask, and what it comes to', async (t) => {
  const { db, server, holds } = await site(t);
  const joined = (more: Record<string, string>): Event => [
    'AttendedTransfer',
    { result: 'Success', ...more },
  ];
  const telephone = { uniqueid: 'local.1', linkedid: 'call.1', channel: 'Local/7000@astercc-telephones-1;1' };
  const ways: Record<string, [Event[], string[]]> = {
    'the phone, and back': [[bridge, hold, unhold, gone], ['hold back']],
    'hangs up in between: no Unhold': [[hold, gone], ['hold left']],
    'told twice': [[hold, hold, unhold, unhold, gone], ['hold back']],
    'a number that there is not: never out of the bridge': [[hold, unhold, gone], ['hold back']],
    'asks, and gives up': [[hold, bridge, bridge, unhold, gone], ['consult back']],
    'asks, and leaves them to each other': [[hold, bridge, gone], ['consult left']],
    'holds whom they ask': [[hold, bridge, hold, unhold, bridge, unhold, gone], ['consult back']],
    'swaps twice, then a conference': [
      [hold, bridge, hold, bridge, unhold, hold, bridge, unhold, bridge, gone],
      ['consult back', 'consult back'],
    ],
    'holds, back with the caller': [
      [hold, bridge, hold, bridge, unhold, hold, unhold, gone],
      ['consult back', 'hold back'],
    ],
    'asks on a second line': [
      [hold, joined({ origtransfereruniqueid: 'offer.1', secondtransfereruniqueid: 'offer.2' }), gone],
      ['consult left'],
    ],
    'sent to a room': [[hold, ['BridgeEnter', { ...phone, bridgetype: 'base' }], gone], ['hold left']],
    'the caller holds': [
      [
        ['Hold', { uniqueid: 'call.1', linkedid: 'call.1', channel: 'PJSIP/lab-trunk-1' }],
        ['Hangup', { uniqueid: 'call.1', linkedid: 'call.1', channel: 'PJSIP/lab-trunk-1' }],
      ],
      [],
    ],
    'a telephone that there is not': [[['Hold', telephone]], []],
  };
  for (const [name, [events, wanted]] of Object.entries(ways)) {
    const { observer, take } = server();
    take(...events);
    await observer.settled();
    t.same(
      await holds(),
      wanted.map((one) => one.replace(' ', ' call.1 1001 ')),
      name,
    );
    await db('holds').delete();
  }
});

void t.test(
  'two servers hear the same, and one that comes later ends what it has not seen begin',
  async (t) => {
    const { server, holds } = await site(t);
    const [first, second] = [server(), server()];
    for (const { observer, take } of [first, second]) {
      take(hold);
      await observer.caughtUp();
    }
    t.same(await holds(), ['hold call.1 1001 open'], 'known while it goes on');
    for (const { observer, take } of [first, second]) {
      take(bridge, bridge, unhold);
      await observer.caughtUp();
    }
    t.same(await holds(), ['consult call.1 1001 back']);
    first.take(hold, bridge);
    await first.observer.settled();
    const third = server();
    third.observer.adopt();
    await third.observer.caughtUp();
    third.take(bridge, unhold);
    await third.observer.caughtUp();
    t.same(await holds(), ['consult call.1 1001 back', 'consult call.1 1001 back']);
    third.take(hold, unhold);
    await third.observer.settled();
    t.same((await holds()).slice(2), ['hold call.1 1001 back'], 'and what it sees begin there');
    await second.observer.settled();
  },
);

void t.test(
  'a server that heard nothing for a while ends the hold that goes on, and not one before it',
  async (t) => {
    const { server, holds } = await site(t);
    const [first, second] = [server(), server()];
    for (const { observer, take } of [first, second]) {
      take(hold);
      await observer.caughtUp();
    }
    second.take(unhold, hold);
    await second.observer.settled();
    first.observer.adopt();
    await first.observer.caughtUp();
    first.take(unhold);
    await first.observer.settled();
    t.same(await holds(), ['hold call.1 1001 back', 'hold call.1 1001 back']);
  },
);

void t.test('talk, hold and consultation add up, by call and by agent', async (t) => {
  const { db, server } = await site(t);
  const records = new CallRecords(db, 'default');
  const caller = callerOf('astercc-support', 'call.1');
  await records.joined(caller);
  const { observer, take } = server();
  const offer = { ...caller, interface: 'PJSIP/astercc-5001', membername: '1001', destuniqueid: 'offer.1' };
  take(['AgentCalled', offer], ['AgentConnect', offer], hold);
  await observer.caughtUp();
  take(['Hold', { ...phone, uniqueid: 'leg.2', channel: 'PJSIP/astercc-5002-2' }]);
  await observer.settled();
  // Answered 200 s ago; 1001 on hold for 40 s, of which 1002, whom they had taken in, asked somebody for 10 s and 20 s after.
  const ago = (seconds: number): string => `now() - interval '${seconds} seconds'`;
  await db.raw(`
    update calls set arrived_at = ${ago(230)}, answered_at = ${ago(200)}, ended_at = now(), outcome = 'answered';
    update queue_visits set joined_at = ${ago(230)}, answered_at = ${ago(200)}, left_at = ${ago(100)};
    update agent_states set started_at = ${ago(200)}, ended_at = ${ago(100)} where state = 'talking';
    update holds set started_at = ${ago(150)}, ended_at = ${ago(110)} where channel = 'offer.1';
    update holds set started_at = ${ago(120)}, ended_at = ${ago(90)}, kind = 'consult' where channel = 'leg.2'`);
  const seconds = { talkSeconds: 140, holdSeconds: 30, consultSeconds: 30 };
  t.match((await listCalls(db, 'astercc')).calls, [seconds], 'each second once');
  const story = await readStory(db, 'astercc', 'call.1');
  t.match(story, {
    ...seconds,
    agents: [{ agent: '1001', kind: 'queue', talkSeconds: 60, holdSeconds: 40, consultSeconds: 0 }],
  });
  t.same(story.story.map(({ says }) => says).slice(2), [
    'answered by agent 1001 at 5001 after a wait of 30 s',
    'agent 1001 at 5001 puts the call on hold',
    'agent 1002 at 5002 puts the call on hold to ask somebody',
    'agent 1001 at 5001 takes it back after 40 s',
    'the talk with agent 1001 is over after 1:40, of that on hold 40 s',
    'agent 1002 at 5002 has asked, for 30 s',
    'over after 3:50: answered, of that on hold 30 s, asking somebody 30 s',
  ]);
});

void t.test('what nobody saw end ended while no server watched', async (t) => {
  const { db, server, holds } = await site(t);
  const manager = new StubManager('astercc-support');
  const reconciliation = new Reconciliation(
    db,
    'default',
    manager,
    new QueueMembership(db, manager, log),
    log,
  );
  const { observer, take } = server();
  const line = (n: number): Record<string, string> => ({
    uniqueid: `offer.${n}`,
    linkedid: `call.${n}`,
    channel: `PJSIP/astercc-500${n}-${n}`,
  });
  take(['Hold', line(1)], ['Hold', line(2)], ['BridgeEnter', { ...line(2), bridgetype: 'basic' }]);
  await observer.settled();
  await db.raw(`update holds set started_at = now() - interval '1 minute';
    insert into leader_leases (node, holder, expires_at, unwatched_since)
      values ('default', 'x', now(), now() - interval '40 seconds') on conflict (node) do update
      set unwatched_since = excluded.unwatched_since`);
  const asked = {
    uniqueid: 'x',
    linkedid: 'call.2',
    channel: 'Local/5003@astercc-transfers-1;1',
    bridgeid: 'b',
  };
  const talk = { application: 'AppQueue', bridgeid: 'b' };
  manager.channels = [{ ...line(1), ...talk, bridgeid: 'a' }, { ...line(2), ...talk }, asked];
  manager.variables.set('DEVICE_STATE(PJSIP/astercc-5001)', 'ONHOLD');
  await reconciliation.run();
  t.same(await holds(), ['hold call.1 1001 open', 'consult call.2 1002 open'], 'both go on');
  // Back with the caller, and the other one has hung up, with no server to hear it: begun anew, it has seen neither.
  const anew = new Reconciliation(db, 'default', manager, new QueueMembership(db, manager, log), log);
  manager.channels = [
    { ...line(2), ...talk },
    { uniqueid: 'y', linkedid: 'call.2', channel: 'PJSIP/trunk-1', bridgeid: 'b' },
  ];
  await anew.run();
  t.same(await holds(), ['hold call.1 1001 left', 'consult call.2 1002 back']);
  const { rows } = await db.raw<{ rows: { seconds: number }[] }>(
    `select round(extract(epoch from ended_at - started_at))::integer as seconds from holds order by id`,
  );
  t.same(rows, [{ seconds: 20 }, { seconds: 20 }]);
});

void t.test('a caller who is called back, and several holds at a time', async (t) => {
  const { db, server, holds } = await site(t);
  const manager = new StubManager('astercc-support');
  const membership = new QueueMembership(db, manager, log);
  const reconciliation = new Reconciliation(db, 'default', manager, membership, log);
  const line = (n: number): Record<string, string> => ({
    uniqueid: `offer.${n}`,
    linkedid: `call.${n}`,
    channel: `PJSIP/astercc-500${n}-${n}`,
    application: 'AppQueue',
    bridgeid: `b${n}`,
  });
  const { observer, take } = server();
  take(['Hold', line(1)], ['Hold', line(2)]);
  await observer.settled();
  let [asked, atOnce] = [0, 0];
  manager.gate = async (action, { Variable: variable = '' }) => {
    if (action !== 'Getvar' || !variable.startsWith('DEVICE_STATE(PJSIP/')) return;
    atOnce = Math.max(atOnce, ++asked);
    await new Promise((resolve) => setImmediate(resolve));
    asked--;
  };
  manager.channels = [line(1), line(2)];
  for (const n of [1, 2]) manager.variables.set(`DEVICE_STATE(PJSIP/astercc-500${n})`, 'ONHOLD');
  await reconciliation.run();
  t.equal(atOnce, 2, 'one does not wait for the answer of the other');
  t.same(await holds(), ['hold call.1 1001 open', 'hold call.2 1002 open']);
  await db('holds').update({ kind: 'consult' });
  const local = (name: string, bridgeid: string) => ({
    uniqueid: name,
    linkedid: 'x',
    channel: name,
    bridgeid,
  });
  manager.channels.push(
    local('Local/5003@astercc-transfers-00000001;1', 'b1'),
    local('Local/hold@star64-callback-00000002;1', 'b2'),
  );
  await reconciliation.run();
  t.same(await holds(), ['consult call.1 1001 open', 'consult call.2 1002 back'], 'back with the caller');
});

void t.test('whoever talks on with whom they have asked, the caller gone, goes on talking', async (t) => {
  const { db, server } = await site(t);
  const manager = new StubManager('astercc-support');
  const membership = new QueueMembership(db, manager, log);
  const reconciliation = new Reconciliation(db, 'default', manager, membership, log);
  await reconciliation.run();
  const { observer, take } = server();
  const caller = callerOf('astercc-support', 'call.1');
  await new CallRecords(db, 'default').joined(caller);
  const offer = { ...caller, interface: 'PJSIP/astercc-5001', membername: '1001', destuniqueid: 'offer.1' };
  take(['AgentCalled', offer], ['AgentConnect', offer], hold, bridge);
  take(
    ['AgentComplete', { ...offer, reason: 'caller' }],
    ['Hangup', { uniqueid: 'call.1', linkedid: 'call.1' }],
  );
  await observer.settled();
  const state = async (): Promise<string | undefined> =>
    (
      await db('agent_states').where({ offer_id: 'offer.1' }).whereNull('ended_at').pluck<string[]>('state')
    )[0];
  manager.channels = [{ ...phone, application: 'AppQueue', channelstatedesc: 'Up', bridgeid: 'b' }];
  await reconciliation.run();
  t.equal(await state(), 'talking');
  manager.channels = [];
  await reconciliation.run();
  t.equal(await state(), 'idle', 'the channel is gone, and nobody has seen it');
});

void t.test('a hold that could not be written while its phone hung up is written later', async (t) => {
  const told: (number | null)[] = [];
  let refuse: (reason: Error) => void = () => undefined;
  const holds = new Holds(
    {
      told: (news) => {
        told.push(...news.map(({ endedAgo }) => endedAgo));
        return told.length === 1
          ? new Promise((_, reject) => (refuse = reject))
          : Promise.resolve(new Map([['offer.1', 1]]));
      },
      open: () => Promise.resolve([]),
    },
    () => undefined,
  );
  t.teardown(() => {
    holds.stop();
  });
  const take = ([name, headers]: Event): void => {
    holds.take({ name, headers: new Map(Object.entries(headers)), repeated: new Map() });
  };
  take(hold);
  take(unhold);
  const written = holds.write();
  take(gone);
  refuse(new Error('PostgreSQL is away'));
  await t.rejects(written, { message: 'PostgreSQL is away' });
  await holds.write();
  t.same(told.length, 2);
});
