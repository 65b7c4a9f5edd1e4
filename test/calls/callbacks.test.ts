import t from 'tap';
import {
  Callbacks,
  listCallbacks,
  removeCallback,
  type Callback,
} from '../../domain/calls/queue/callbacks.js';
import { listCalls } from '../../domain/calls/records/list.js';
import { CallRecords } from '../../domain/calls/records/records.js';
import { readStatus } from '../../domain/monitor/status.js';
import { setGroup } from '../../domain/provisioning/people/group.js';
import { crowd, provision } from '../../lab/provision.js';
import { freshDatabase } from '../support/database.js';
import { openNow, see } from '../support/doors/event-feed.js';

/** Callers who are to be called back, as the database keeps them. */
const { db } = await freshDatabase(t);
await provision(db, crowd(2));
await setGroup(db, 'astercc', 'support', { callbackKey: 1, callbackTries: 2 });
const callbacks = new Callbacks(db, 'default');
const records = new CallRecords(db, 'default');
const number = '+493012345678';
const wish = (call: string, of = number) => ({
  team: 'astercc',
  group: 'support',
  call,
  number: of,
  priority: 0,
});

/** A caller who has waited for so long, has asked, and has hung up. */
async function asks(call: string, waitedSeconds: number, of = number): Promise<boolean> {
  const caller = { queue: 'astercc-support', uniqueid: call, linkedid: call };
  await records.joined(caller, { number: of.slice(1), waitedSeconds });
  await records.left([caller]);
  const kept = await callbacks.keep(wish(call, of));
  await records.callsEnded([{ uniqueid: call }]);
  return kept;
}
async function only(): Promise<Callback> {
  const [one, ...others] = await callbacks.open();
  if (!one || others.length > 0) throw new Error(`${others.length + 1} callbacks, or none`);
  return one;
}
const outcome = async (call: string): Promise<unknown> =>
  (await db('calls').where({ uniqueid: call }).first<{ outcome: string }>('outcome')).outcome;
const unreturned = async (): Promise<string[]> =>
  (await listCalls(db, 'astercc', { unreturned: true })).calls.map(({ uniqueid }) => uniqueid);

await t.test('one for a number and a queue, with the earliest arrival of both calls', async (t) => {
  t.ok(await asks('1.1', 600));
  const first = await only();
  t.ok(await asks('1.2', 30));
  const one = await only();
  t.equal(one.id, first.id);
  t.equal(one.arrivedAt, first.arrivedAt, 'the place of the first call');
  t.match(one, { number, due: true, over: null, call: '1.2' });
  t.match(await listCallbacks(db, 'astercc', { group: 'support' }), [{ id: one.id, number, tries: 0 }]);
  t.match((await readStatus(db, 'astercc')).groups, [{ name: 'support', waiting: 0, callbacks: 1 }]);
  t.equal(await outcome('1.1'), 'callback');
  t.same(await unreturned(), [], 'whoever is to be called back is not forgotten');
  await setGroup(db, 'astercc', 'support', { callbackKey: null });
  t.notOk(await callbacks.keep(wish('1.3', '+4930999')), 'no key, nobody is called back');
  t.equal((await only()).over, 'closed');
  await setGroup(db, 'astercc', 'support', { callbackKey: 1 });
});

await t.test('two servers that put somebody into the queue: one has it', async (t) => {
  const { id, puts } = await only();
  const claims = await Promise.all([callbacks.claim(id, puts), callbacks.claim(id, puts)]);
  t.same(claims.sort(), [false, true]);
});

await t.test('not reached so often as the group allows: among the calls that nobody returned', async (t) => {
  const { id } = await only();
  const told = { id, put: 1, channel: 'star64-callback-1-1', secondsAgo: 0 };
  t.match(await callbacks.settle({ ...told, result: 'no-answer' }), { outcome: null, call: '1.2' });
  t.equal(await callbacks.settle({ ...told, result: 'no-answer' }), undefined, 'told twice it counts once');
  t.match(await only(), { tries: 1, due: false }, 'not again at once');
  t.same(await unreturned(), []);
  t.ok(await callbacks.claim(id, 1));
  t.match(await callbacks.settle({ ...told, put: 2, result: 'busy' }), { outcome: 'unreached' });
  t.same(await callbacks.open(), []);
  t.equal(await outcome('1.2'), 'not-called-back');
  t.same(await unreturned(), ['1.2']);
});

await t.test('answered: done, however late a server learns it', async (t) => {
  await asks('2.1', 10, '+493087654321');
  const { id } = await only();
  const told = { id, put: 1, channel: 'star64-callback-2-1', secondsAgo: 3600 };
  t.match(await callbacks.settle({ ...told, result: 'answered' }), { outcome: 'answered', call: '2.1' });
  t.same(await callbacks.open(), []);
  t.equal(await outcome('2.1'), 'callback');
  t.same(await unreturned(), ['1.2']);
});

await t.test('whoever gets the customer from who called, by a queue, is not who called', async (t) => {
  await asks('4.1', 10, '+493022223333');
  const { id } = await only();
  const channel = `star64-callback-${id}-1`;
  const agents = await db('agents').orderBy('number').pluck<string[]>('number');
  const [first = '', second = ''] = agents;
  t.match(await callbacks.connected({ id, put: 1, channel, offerId: 'offer.1', agent: first }), {
    first: true,
  });
  t.match(await callbacks.connected({ id, put: 1, channel, offerId: 'offer.1', agent: first }), {
    first: true,
  });
  t.match(await callbacks.connected({ id, put: 1, channel, offerId: 'offer.2', agent: second }), {
    first: false,
  });
  const caller = { queue: 'astercc-support', uniqueid: channel, linkedid: channel };
  await records.joined(caller, { waitedSeconds: 5 });
  t.match(await records.answered(caller, 'offer.2', second), { visit: true, call: channel });
  const { rows } = await db.raw<{ rows: object[] }>(
    `select a.number as agent, w.number as "calledBy" from queue_visits v join calls c on c.id = v.call_id
     join agents a on a.id = v.agent_id join agents w on w.id = c.from_agent_id where c.uniqueid = ? order by v.id`,
    [channel],
  );
  t.same(rows, [
    { agent: first, calledBy: first },
    { agent: second, calledBy: first },
  ]);
  await callbacks.settle({ id, put: 1, channel, secondsAgo: 0, result: 'answered' });
});

await t.test('a conversation that is over before it is recorded is recorded all the same', async (t) => {
  await asks('5.1', 10, '+493022224444');
  const { id } = await only();
  const channel = `star64-callback-${id}-1`;
  const agent = await db('agents').orderBy('number').first<{ number: string }>('number');
  await db.raw(
    `insert into offers (team_id, node, uniqueid, agent_id, offered_at, ended_at)
     select team_id, 'default', 'offer.5', id, now() - interval '60 s', now() - interval '50 s' from agents where number = ?`,
    [agent.number],
  );
  const told = { id, put: 1, channel, offerId: 'offer.5', agent: agent.number };
  t.match(await callbacks.connected(told), { first: true });
  t.match(await db('queue_visits').where({ offer_id: 'offer.5' }).select('outcome', 'left_at'), [
    { outcome: 'answered', left_at: Date },
  ]);
  t.match(await db('offers').where({ uniqueid: 'offer.5' }).select('result', 'answered_at'), [
    { result: 'answered', answered_at: Date },
  ]);
  await callbacks.settle({ id, put: 1, channel, secondsAgo: 0, result: 'answered' });
});

await t.test(
  'a put that another one has taken the place of: only that somebody was reached counts',
  async (t) => {
    await asks('5.1', 10, '+493055551111');
    const { id } = await only();
    t.ok(await callbacks.claim(id, 0));
    t.ok(await callbacks.claim(id, 1));
    const old = { id, put: 1, channel: `star64-callback-${id}-1`, secondsAgo: 0 };
    t.equal(await callbacks.settle({ ...old, result: 'refused' }), undefined);
    t.match(await only(), { tries: 0, due: true });
    t.match(await callbacks.settle({ ...old, result: 'answered' }), { outcome: 'answered' });
    t.same(await callbacks.open(), []);
  },
);

await t.test('no more at a time than the group allows; who is kept already may ask again', async (t) => {
  await setGroup(db, 'astercc', 'support', { callbackLimit: 1 });
  t.same(await callbacks.full(), []);
  t.ok(await asks('6.1', 10, '+493066661111'));
  t.same(await callbacks.full(), [{ team: 'astercc', group: 'support' }]);
  t.notOk(await callbacks.offers('astercc', 'support', '+493066662222'));
  t.notOk(await asks('6.2', 10, '+493066662222'));
  t.ok(await callbacks.offers('astercc', 'support', '+493066661111'));
  t.ok(await asks('6.3', 5, '+493066661111'));
  await removeCallback(db, 'astercc', String((await only()).id));
  await setGroup(db, 'astercc', 'support', { callbackLimit: 50 });
});

await t.test('who was kept, has not heard it and waits on is not called back as well', async (t) => {
  const caller = { queue: 'astercc-support', uniqueid: '7.1', linkedid: '7.1' };
  await records.joined(caller, { number: '493077771111' });
  await records.left([caller]);
  t.ok(await callbacks.keep(wish('7.1', '+493077771111')));
  await callbacks.back('7.1');
  t.same(await callbacks.open(), []);
  t.equal(await outcome('7.1'), null, 'and what becomes of the call is open again');
  // Where nobody could be asked, they are seen to wait.
  t.ok(await callbacks.keep(wish('7.1', '+493077771111')));
  await records.joined(caller, { number: '493077771111' });
  t.equal((await only()).over, null, 'it may be an event that was late');
  await db('queue_visits')
    .whereNull('left_at')
    .update({ joined_at: db.raw(`joined_at - interval '11 seconds'`) });
  await db('callbacks')
    .whereNull('ended_at')
    .update({ kept_at: db.raw(`kept_at - interval '1 minute'`) });
  const { id, over } = await only();
  t.equal(over, 'back');
  t.ok(await callbacks.end(id, 'back'));
  await records.answered(caller, 'offer.7', '1001');
  t.equal(await outcome('7.1'), 'answered');
});

await t.test('whom an agent has called and sent on to a queue: who gives up there has waited', async (t) => {
  await asks('8.1', 10, '+493088881111');
  const { id } = await only();
  const channel = `star64-callback-${id}-1`;
  const caller = { queue: 'astercc-support', uniqueid: channel, linkedid: channel };
  t.notOk(await callbacks.isCalled(channel), 'nobody stands there but a place');
  await callbacks.connected({ id, put: 1, channel, offerId: 'offer.8', agent: '1001' });
  t.ok(await callbacks.isCalled(channel));
  await records.joined(caller);
  await records.left([caller]);
  await records.abandoned(caller);
  const { rows } = await db.raw<{ rows: object[] }>(
    `select v.outcome, v.left_at is null as open from queue_visits v where v.uniqueid = ? order by v.id`,
    [channel],
  );
  t.same(rows, [
    { outcome: 'answered', open: true },
    { outcome: 'abandoned', open: false },
  ]);
  t.not(await outcome(channel), 'abandoned', 'the call to the outside was answered');
  await callbacks.settle({ id, put: 1, channel, secondsAgo: 0, result: 'answered' });
});

await t.test('what becomes of them is told as it happens', async (t) => {
  const types = ['callback.kept', 'callback.called', 'callback.answered', 'callback.expired'] as const;
  const feed = await openNow(db, { team: 'astercc', types });
  await asks('9.1', 10, '+493099991111');
  const { id } = await only();
  await callbacks.connected({
    id,
    put: 1,
    channel: `star64-callback-${id}-1`,
    offerId: 'offer.9',
    agent: '1001',
  });
  await callbacks.settle({
    id,
    put: 1,
    channel: `star64-callback-${id}-1`,
    secondsAgo: 0,
    result: 'answered',
  });
  await asks('9.2', 10, '+493099992222');
  await removeCallback(db, 'astercc', String((await only()).id));
  const heard = await see(feed, 5);
  t.match(heard, [
    {
      type: 'callback.kept',
      group: 'support',
      number: '+493099991111',
      call: '9.1',
      arrived: Date,
      outcome: null,
    },
    { type: 'callback.called', callback: id, agent: '1001' },
    { type: 'callback.answered', agent: '1001', outcome: 'answered' },
    { type: 'callback.kept', number: '+493099992222' },
    { type: 'callback.expired', agent: null, outcome: 'removed' },
  ]);
  t.equal(new Set(heard.map((event) => event.id)).size, 5, 'each of its own id');
});

await t.test('a key that leads somewhere has nobody called back', async (t) => {
  const taken = { code: 'taken', message: /key 1 of group support .*--no-key-1 or --no-callback-key/s };
  await t.rejects(setGroup(db, 'astercc', 'support', { key1: 'hangup:normal' }), taken);
  await setGroup(db, 'astercc', 'support', { callbackKey: null, key1: 'hangup:normal' });
  await t.rejects(setGroup(db, 'astercc', 'support', { callbackKey: 1 }), taken);
  await setGroup(db, 'astercc', 'support', { callbackKey: 1, key1: null });
});

await t.test('its time is over, or an administrator removes it', async (t) => {
  await asks('3.1', 10, '+493011112222');
  await db('callbacks')
    .whereNull('ended_at')
    .update({ expires_at: db.raw('clock_timestamp()') });
  const { id, over } = await only();
  t.equal(over, 'expired');
  await t.rejects(removeCallback(db, 'astercc', '999999'), { code: 'unknown_callback' });
  await removeCallback(db, 'astercc', String(id));
  await t.rejects(removeCallback(db, 'astercc', String(id)), { code: 'unknown_callback' });
  t.same((await unreturned()).sort(), ['1.2', '3.1', '6.3', '9.2']);
});
