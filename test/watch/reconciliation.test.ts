import { pino } from 'pino';
import t, { type Test } from 'tap';
import type { Database } from '../../domain/database/pool.js';
import { openStateOf, transition } from '../../domain/presence/agent-state.js';
import { signIn, signOut } from '../../domain/presence/sign-in.js';
import { addGroup, removeGroup } from '../../domain/provisioning/people/group.js';
import { crowd, provision } from '../../lab/provision.js';
import { QueueMembership } from '../../pbx/queue/membership.js';
import { CompareLamps } from '../../pbx/watch/compare/lamps.js';
import { Reconciliation } from '../../pbx/watch/compare/reconciliation.js';
import { freshDatabase } from '../support/database.js';
import { StubManager } from '../support/stub-manager.js';

const log = pino({ enabled: false });
const queue = 'astercc-support';

async function site(t: Test) {
  const { db } = await freshDatabase(t);
  await provision(db, crowd(2));
  const manager = new StubManager(queue, 'their-own');
  const membership = new QueueMembership(db, manager, log);
  const reconciliation = new Reconciliation(db, 'default', manager, membership, log);
  const enter = async (number: number) => {
    const [agent, extension] = [String(1000 + number), String(5000 + number)];
    const result = await signIn(db, 'astercc', { agent, extension, by: 'test' });
    if (result.outcome !== 'signed-in') throw new Error(result.outcome);
    return result.signIn;
  };
  return { db, manager, membership, reconciliation, enter };
}

/** Statements that change something, but for leases, while `work` runs. */
async function writes(db: Database, work: () => Promise<unknown>): Promise<string[]> {
  const seen: string[] = [];
  const note = ({ sql }: { sql: string }): void => void seen.push(sql);
  db.on('query', note);
  await work();
  db.removeListener('query', note);
  return seen.filter((sql) => /^\s*(insert|update|delete|with)/i.test(sql) && !/phone_leases/.test(sql));
}

void t.test('members follow the sign-ins; the queues of the operator are let alone', async (t) => {
  const { manager, reconciliation, enter } = await site(t);
  await enter(1);
  const stranger = { penalty: '0', paused: false, reason: '', stateInterface: '' };
  manager.queues.get(queue)?.set('PJSIP/astercc-5002', { ...stranger, name: '1002' });
  manager.queues.get(queue)?.set('PJSIP/their-phone', { ...stranger, name: 'theirs' });
  manager.queues.get('their-own')?.set('PJSIP/astercc-5002', { ...stranger, name: 'also theirs' });
  t.match(await reconciliation.run(), { mended: 5, failed: [] }, 'two members, two lamps, a mark');
  t.same(manager.members(queue), ['1001', 'theirs']);
  t.same(manager.members('their-own'), ['also theirs']);
  t.match(await reconciliation.run(), { mended: 0 }, 'and then there is nothing to do');
});

void t.test('a look that finds nothing lasting writes nothing', async (t) => {
  const { db, manager, reconciliation, enter } = await site(t);
  await enter(1);
  await reconciliation.run();
  // A caller who waits, of whom the database knows nothing yet, and who has left before the second look.
  let looks = 0;
  manager.gate = (action) => {
    if (action === 'CoreShowChannels' && ++looks === 1)
      manager.waiting = [{ queue, uniqueid: 'short.1', caller: '1' }];
    else if (action === 'QueueStatus') manager.waiting = [];
    return Promise.resolve();
  };
  const written = await writes(db, () => reconciliation.run());
  t.same(
    written.filter((sql) => !/'fixed'/.test(sql)),
    [],
  );
  t.same(await db('calls'), []);
});

void t.test(
  'a look reads the sign-ins and the queues once, however many steps compare with them',
  async (t) => {
    const { db, reconciliation, enter } = await site(t);
    await enter(1);
    await reconciliation.run();
    const seen: string[] = [];
    const note = ({ sql }: { sql: string }): void => void seen.push(sql);
    db.on('query', note);
    t.match(await reconciliation.run(), { mended: 0, failed: [] });
    db.removeListener('query', note);
    t.equal(seen.filter((sql) => /from sign_ins i/.test(sql) && /"stateId"/.test(sql)).length, 1);
  },
);

void t.test('lamps follow the sign-ins, also of phones at which nobody ever was', async (t) => {
  const { db, manager, membership, reconciliation, enter } = await site(t);
  const phone = await enter(1);
  await reconciliation.run();
  t.same([manager.lamp('astercc-5001'), manager.lamp('astercc-5002')], ['NOT_INUSE', 'UNAVAILABLE']);
  // Signed out while Asterisk was down, and its members came back with it.
  manager.gate = () => Promise.reject(new Error('down'));
  await signOut(db, 'astercc', { agent: '1001' }, 'test');
  t.notOk(await membership.sync(phone));
  manager.gate = () => Promise.resolve();
  await reconciliation.run();
  t.equal(manager.lamp('astercc-5001'), 'UNAVAILABLE');
  t.same(manager.members(queue), []);
  // Without its members, what it remembers of the lamp is all that is wrong.
  manager.variables.set('DEVICE_STATE(Custom:star64-astercc-5001)', 'NOT_INUSE');
  const later = new Reconciliation(db, 'default', manager, membership, log);
  t.match(await later.run(), { mended: 1 });
  t.equal(manager.lamp('astercc-5001'), 'UNAVAILABLE');
});

void t.test('the lamps of a large site are set a few at a time, and read seldom', async (t) => {
  const { db, manager, membership, enter } = await site(t);
  await db.raw(
    `insert into extensions (team_id, user_id, number, secret)
     select team_id, user_id, (20000 + n)::text, secret from extensions x cross join generate_series(1, 10) as n
     where x.number = '5001'`,
  );
  await enter(1);
  const lamps = new CompareLamps(db, 'default', manager, membership, 7);
  // A list takes Asterisk 100 ms, by a clock that stands still otherwise.
  let now = performance.now();
  const clock = performance.now.bind(performance);
  t.teardown(() => (performance.now = clock));
  performance.now = () => now;
  manager.gate = (action) => {
    if (action === 'DeviceStateList') now += 100;
    return Promise.resolve();
  };
  const found = await lamps.compare();
  t.equal(found[0]?.phone.extension, '5001', 'first those of agents');
  t.equal(found.length, 8);
  t.equal((await lamps.compare()).length, 8, 'the second look comes at once');
  await lamps.mend(found);
  t.equal(manager.lamp('astercc-5001'), 'NOT_INUSE');
  t.equal((await lamps.compare()).length, 4, 'what was set is looked at, and the rest is left');
  t.same(await lamps.compare(), [], 'and then one part in fifty of the time');
  now += 5001;
  const rest = await lamps.compare();
  t.equal(rest.length, 4);
  await lamps.mend(rest);
  now += 5001;
  t.same(await lamps.compare(), []);
  t.equal(manager.lamp('astercc-20010'), 'UNAVAILABLE');
});

void t.test('a step that fails keeps no other from being done', async (t) => {
  const { db, manager, reconciliation, enter } = await site(t);
  await addGroup(db, 'astercc', { name: 'left' });
  await removeGroup(db, 'astercc', 'left');
  await enter(1);
  // As one large table did: a statement longer than its deadline. Removing is a delete or an update. It only says so: one
  // that really lasts would hold back the event feeds of all other tests on this PostgreSQL as long.
  await db.raw(`create function slow() returns trigger language plpgsql as
    $$ begin raise exception 'canceling statement due to statement timeout' using errcode = 'query_canceled'; end $$`);
  await db.raw(
    `create trigger slow before delete or update on agent_groups for each row execute function slow()`,
  );
  const result = await reconciliation.run();
  t.same(result.failed, ['removed groups']);
  t.same(manager.members(queue), ['1001'], 'who is signed in is a member all the same');
  await db.raw('drop trigger slow on agent_groups');
  t.match(await reconciliation.run(), { failed: [] });
});

void t.test('all calls that are over are ended by one statement', async (t) => {
  const { db, manager, reconciliation } = await site(t);
  const team = await db('teams').first<{ id: number }>('id');
  await db('calls').insert(
    Array.from({ length: 300 }, (_, index) => ({
      team_id: team.id,
      node: 'default',
      uniqueid: `gone.${index}`,
    })),
  );
  manager.channels = [{ channel: 'PJSIP/trunk-1', uniqueid: 'gone.7', linkedid: 'gone.7' }];
  const written = await writes(db, () => reconciliation.run());
  t.equal(written.filter((sql) => /update calls/.test(sql)).length, 1);
  t.same(await db('calls').whereNull('ended_at').pluck<string[]>('uniqueid'), ['gone.7'], 'not the live one');
});

void t.test('states follow what Asterisk has, when their events were lost', async (t) => {
  const { db, manager, membership, reconciliation, enter } = await site(t);
  const phone = await enter(1);
  const state = async (): Promise<string | undefined> => (await openStateOf(db, phone.id))?.state;
  await membership.sync(phone, { thorough: true });
  const caller = { channel: 'PJSIP/trunk-1', uniqueid: 'call.1', linkedid: 'call.1', application: 'Queue' };
  const agent = {
    channel: 'PJSIP/astercc-5001-1',
    uniqueid: 'offer.1',
    linkedid: 'call.1',
    application: 'AppQueue',
    channelstatedesc: 'Down',
  };
  manager.channels = [{ ...caller, applicationdata: `${queue},ib(x)` }, agent];
  await reconciliation.run();
  t.equal(await state(), 'idle', 'a phone that has not said that it rings does not');
  agent.channelstatedesc = 'Ringing';
  manager.channels = [{ ...caller, applicationdata: `${queue},ib(x)` }, agent];
  await reconciliation.run();
  t.equal(await state(), 'ringing');
  manager.channels = [
    { ...caller, applicationdata: `${queue},ib(x)`, bridgeid: 'b' },
    { ...agent, bridgeid: 'b' },
  ];
  await reconciliation.run();
  t.equal(await state(), 'talking');
  // The call ends, and the hangup handler pauses the agent for the wrap-up.
  manager.channels = [];
  await manager.wrapUp('PJSIP/astercc-5001', 'offer.1');
  await reconciliation.run();
  t.equal(await state(), 'wrap-up');
  t.type((await db('agent_states').whereNull('ended_at').first<{ deadline_at: Date }>()).deadline_at, Date);
  // *67 was recorded, and Asterisk not told.
  await transition(db, phone.id, 'ready', { offerId: 'offer.1' });
  await reconciliation.run();
  t.same(manager.members(queue), ['1001'], 'no longer paused');
  // The handler of an offer that the database has not heard of: not ours to end.
  await manager.wrapUp('PJSIP/astercc-5001', 'offer.9');
  t.ok(await membership.sync(phone));
  t.same(manager.members(queue), ['1001 paused:wrapup'], 'for the offer that is not over in the database');
  await reconciliation.run();
  t.equal(await state(), 'wrap-up', 'which hears of it now');
  t.match(await db('agent_states').whereNull('ended_at').select('offer_id'), [{ offer_id: 'offer.9' }]);
  await transition(db, phone.id, 'ready', { offerId: 'offer.9' });
  await reconciliation.run();
  t.same(manager.members(queue), ['1001']);
  // The event of an offer's end was lost.
  await transition(db, phone.id, 'offer', { offerId: 'offer.2' });
  await reconciliation.run();
  t.equal(await state(), 'idle');
});

void t.test(
  'a call of a queue and one of their own after it have both ended while no server was there',
  async (t) => {
    const { db, manager, reconciliation, enter } = await site(t);
    const phone = await enter(1);
    await reconciliation.run();
    await transition(db, phone.id, 'connect', { offerId: 'offer.1', callUniqueid: 'call.1' });
    // In the wrap-up after it they have called by themselves: the mark is of that call now.
    await manager.wrapUp('PJSIP/astercc-5001', 'own.2|internal');
    t.match(await reconciliation.run(), { failed: [] });
    t.match(await openStateOf(db, phone.id), { state: 'wrap-up', offerId: 'own.2' });
    t.same(
      await db('agent_states').whereNull('ended_at').pluck<string[]>('call_kind'),
      ['internal'],
      'the wrap-up of the later one, which a server ends',
    );
  },
);

void t.test('mended is what is gone afterwards, not what was tried', async (t) => {
  const { manager, reconciliation, enter } = await site(t);
  await enter(1);
  await reconciliation.run();
  // Asterisk has not loaded the agent's queue.
  manager.queues.delete(queue);
  t.match(await reconciliation.run(), { mended: 0, failed: [] });
  manager.queues.set(queue, new Map());
  t.match(await reconciliation.run(), { mended: 1, failed: [] });
  t.same(manager.members(queue), ['1001']);
});

void t.test(
  'what Asterisk lists a moment after it has taken it counts as mended, and is no warning',
  async (t) => {
    const { db, manager, membership, enter } = await site(t);
    await enter(1);
    const list = manager.list;
    let looks = 0;
    const slow = Object.create(manager, {
      list: {
        value: (...asked: Parameters<typeof list>) =>
          asked[0] === 'PresenceStateList' && ++looks <= 3 ? Promise.resolve([]) : list(...asked),
      },
    }) as StubManager;
    const warned: unknown[] = [];
    const logged = pino({ level: 'warn' }, { write: (line: string) => void warned.push(line) });
    const result = await new Reconciliation(db, 'default', slow, membership, logged).run();
    t.match(
      result,
      { mended: 4, failed: [] },
      'a member, two lamps, and the mark that the third look did not show',
    );
    t.same(warned, []);
    t.equal(looks, 4);
  },
);
