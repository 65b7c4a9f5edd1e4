import t from 'tap';
import { CallRecords, type CallEnd, type Caller } from '../../domain/calls/records/records.js';
import { readStatus } from '../../domain/monitor/status.js';
import { signIn, signOut } from '../../domain/presence/sign-in.js';
import { crowd, provision } from '../../lab/provision.js';
import { freshDatabase } from '../support/database.js';
import { callerOf, defaultNode } from '../support/records.js';

const { db } = await freshDatabase(t);
const groups = [{ name: 'support' }, { name: 'sales' }];
await provision(db, crowd(2, { groups }));
await provision(db, crowd(1, { team: 'other', groups, did: '600200' }));
const records = new CallRecords(db, defaultNode);

const signInIds: number[] = [];
for (const number of ['1', '2']) {
  const entered = await signIn(db, 'astercc', {
    agent: `100${number}`,
    extension: `500${number}`,
    by: 'test',
  });
  if (entered.outcome === 'signed-in') signInIds.push(entered.signIn.id);
}
const [first = 0, second = 0] = signInIds;

// It is noon for the teams: what is moved into the past below is still of the day of which the status tells.
const toNoon = 12 - new Date().getUTCHours();
await db('teams').update({ time_zone: `Etc/GMT${toNoon > 0 ? '-' : '+'}${Math.abs(toNoon)}` });

let calls = 0;
/** A new call in a queue of team astercc, and its channel there. */
async function call(queue: string, waitedSeconds = 0): Promise<Caller> {
  const caller = callerOf(`astercc-${queue}`, `call-${++calls}`);
  await records.joined(caller, { number: '+4930', position: 1, waitedSeconds });
  return caller;
}
/** The same call in another queue. */
const inQueue = (caller: Caller, queue: string): Caller => ({ ...caller, queue: `astercc-${queue}` });
/** Moves what has happened to a call so far into the past. What a test itself takes is no minute. */
const past = (minutes: number) =>
  db('queue_visits')
    .whereNull('left_at')
    .update({
      joined_at: db.raw(`joined_at - make_interval(mins => ?)`, [minutes]),
      answered_at: db.raw(`answered_at - make_interval(mins => ?)`, [minutes]),
    });

/** What the status says of a group, as far as calls go. */
async function figures(group: string) {
  const found = (await readStatus(db, 'astercc')).groups.find(({ name }) => name === group);
  if (!found) throw new Error(`no group ${group}`);
  const { waiting, talking, answered, answeredInTime, abandoned } = found;
  return { waiting, talking, answered, answeredInTime, abandoned, waitingSince: found.waitingSince };
}
const nothing = { waiting: 0, talking: 0, answered: 0, abandoned: 0 };

/** The visits of a call, in order, with the minutes of the wait. */
async function visits(uniqueid: string) {
  const { rows } = await db.raw<{ rows: Record<string, unknown>[] }>(
    `select g.name as group, v.outcome, a.number as agent, v.left_at is null as open,
       round(extract(epoch from v.answered_at - v.joined_at) / 60)::integer as waited
     from queue_visits v join calls c on c.id = v.call_id left join agent_groups g on g.id = v.group_id
     left join agents a on a.id = v.agent_id where c.uniqueid = ? order by v.id`,
    [uniqueid],
  );
  return rows;
}

t.beforeEach(async () => {
  await db('calls').delete();
});

await t.test(
  'an agent of support sends the customer on to sales, and the second agent answers',
  async (t) => {
    const caller = await call('support');
    await records.offered(caller, 'offer-1', first);
    await records.answered(caller, 'offer-1', '1001');
    await past(60);
    // By REFER: the customer joins, and the channel of the first agent goes.
    await records.joined(inQueue(caller, 'sales'), { position: 1 });
    await records.offersEnded([{ offerId: 'offer-1', result: null }]);
    await past(30);
    t.match(await figures('support'), { ...nothing, answered: 1, answeredInTime: 1 });
    const { waitingSince, ...waiting } = await figures('sales');
    t.match(waiting, { ...nothing, waiting: 1 });
    const visit = await db('queue_visits').orderBy('id', 'desc').first<{ joined_at: Date }>('joined_at');
    t.same(waitingSince, visit.joined_at, 'since it joined sales');

    await records.offered(inQueue(caller, 'sales'), 'offer-2', second);
    await records.answered(inQueue(caller, 'sales'), 'offer-2', '1002');
    t.match(
      await figures('sales'),
      { ...nothing, talking: 1, answered: 1, answeredInTime: 0 },
      'its own wait',
    );
    t.match(
      await figures('support'),
      { ...nothing, answered: 1, answeredInTime: 1 },
      'and support keeps its own',
    );
    await records.callsEnded([caller]);
    t.match(await visits(caller.uniqueid), [
      { group: 'support', outcome: 'answered', agent: '1001', open: false, waited: 0 },
      { group: 'sales', outcome: 'answered', agent: '1002', open: false, waited: 30 },
    ]);
    t.match(await db('calls').select('outcome'), [{ outcome: 'answered' }]);
  },
);

await t.test('giving up in the second queue is abandoned there, and the first answer stays', async (t) => {
  const caller = await call('support');
  await records.answered(caller, 'offer-1', '1001');
  await records.joined(inQueue(caller, 'sales'));
  await records.abandoned(inQueue(caller, 'sales'));
  await records.callsEnded([caller]);
  t.match(await figures('support'), { ...nothing, answered: 1 });
  t.match(await figures('sales'), { ...nothing, abandoned: 1 });
  t.match(await db('calls').select('outcome'), [{ outcome: 'answered' }], 'somebody talked with the caller');
});

await t.test(
  'the same queue twice is two visits; the event and the reconciliation of one are one',
  async (t) => {
    const caller = await call('support');
    await records.joined(caller, { waitedSeconds: 1 });
    t.equal((await visits(caller.uniqueid)).length, 1);
    await records.answered(caller, 'offer-1', '1001');
    await records.joined(caller);
    await records.offersEnded([{ offerId: 'offer-1', result: null }]);
    t.match(await figures('support'), { ...nothing, waiting: 1, answered: 1 });
    await records.left([caller]);
    await records.joined(caller);
    await records.answered(caller, 'offer-2', '1001');
    t.match(await visits(caller.uniqueid), [
      { outcome: 'answered', open: false },
      { outcome: 'unknown', open: false },
      { outcome: 'answered', open: true },
    ]);
  },
);

await t.test('who talks to an extension after the agent is in no group', async (t) => {
  const caller = await call('support');
  await records.offered(caller, 'offer-1', first);
  await records.answered(caller, 'offer-1', '1001');
  t.match(await figures('support'), { ...nothing, talking: 1, answered: 1 });
  await records.offersEnded([{ offerId: 'offer-1', result: null }]);
  t.match(await figures('support'), { ...nothing, answered: 1 });
  t.equal((await db('calls').whereNull('ended_at')).length, 1, 'the call goes on');
});

await t.test(
  'an agent asks a queue, and leaves the customer the place or the answer that they got',
  async (t) => {
    for (const answeredFirst of [true, false]) {
      await db('calls').delete();
      const customer = await call('support');
      await records.offered(customer, 'offer-1', first);
      await records.answered(customer, 'offer-1', '1001');
      // The consultation is a call of the agent's own.
      const asked = await call('sales', 20 * 60);
      const there: Caller = { queue: 'astercc-sales', uniqueid: 'local-2', linkedid: customer.uniqueid };
      if (answeredFirst) await records.answered(asked, 'offer-2', '1002');
      await records.merged(asked.uniqueid, customer.uniqueid, asked.uniqueid);
      await records.callsEnded([asked]);
      await records.offersEnded([{ offerId: 'offer-1', result: null }]);
      t.match(await figures('support'), { ...nothing, answered: 1 });
      if (!answeredFirst) {
        t.match(await figures('sales'), { ...nothing, waiting: 1 }, 'the place is kept');
        // Only now is seen which channel stands there instead.
        await records.joined(there, { waitedSeconds: 25 * 60 });
        await records.answered(there, 'offer-2', '1002');
      }
      t.match(await figures('sales'), { ...nothing, talking: 1, answered: 1 }, `${answeredFirst}`);
      t.match(await visits(customer.uniqueid), [
        { group: 'support', agent: '1001', open: false },
        { group: 'sales', agent: '1002', open: true, waited: 20 },
      ]);
      await records.callsEnded([customer]);
      t.match(await figures('sales'), { ...nothing, answered: 1 });
    }
  },
);

await t.test('of two nodes each has its own calls, also with the same uniqueid', async (t) => {
  await db('nodes').insert({ name: 'east' }).onConflict().ignore();
  await db('teams').where({ identity: 'other' }).update({ node: 'east' });
  const east = new CallRecords(db, 'east');
  const ours = await call('support');
  const theirs = { ...ours, queue: 'other-support' };
  await east.joined(theirs, { number: '+4940' });
  await east.joined(ours);
  await records.joined(theirs);
  t.match(await db('calls').orderBy('node').select('node', 'caller'), [
    { node: 'default', caller: '+4930' },
    { node: 'east', caller: '+4940' },
  ]);
  t.equal(await east.offered(ours, 'offer-1', first), undefined, 'a queue of the other node is none');
  t.match(await east.open(), { calls: [ours.uniqueid], waiting: [{ queue: 'other-support' }] });
  t.match(await records.open(), { calls: [ours.uniqueid], waiting: [{ queue: 'astercc-support' }] });
  await east.left([ours, theirs]);
  t.match(await figures('support'), { ...nothing, waiting: 1 });
  await east.callsEnded([ours]);
  t.match(await records.open(), { calls: [ours.uniqueid], waiting: [{}] });
  await db('teams').where({ identity: 'other' }).update({ node: defaultNode });
});

await t.test('an outcome is what was seen, and a better word later is taken', async (t) => {
  const unseen = await call('support');
  await records.callsEnded([unseen]);
  t.match(await visits(unseen.uniqueid), [{ outcome: 'unknown', open: false }], 'nobody said how it left');
  await records.abandoned(unseen);
  t.match(await visits(unseen.uniqueid), [{ outcome: 'abandoned' }], 'the events came in another order');

  const talk = await call('support');
  await records.answered(talk, 'offer-1', '1001');
  await records.callsEnded([talk]);
  t.match(await visits(talk.uniqueid), [{ outcome: 'answered', open: false }], 'an answer is an answer');
  const late = await call('support');
  await records.callsEnded([late]);
  await records.answered(late, 'offer-2', '1001');
  t.match(await visits(late.uniqueid), [{ outcome: 'answered', open: false }], 'and the call is over');
  t.match(await figures('support'), { waiting: 0, talking: 0, answered: 2, abandoned: 1 });
});

await t.test('of calls to an extension each has what was seen of it, and an answer its moment', async (t) => {
  const extension = await db('extensions').where({ number: '5001' }).first<{ id: number; team_id: number }>();
  const ends: [string, CallEnd, string][] = [
    ['busy', { uniqueid: 'e.1', outcome: 'busy', unanswered: true }, 'busy'],
    ['gone', { uniqueid: 'e.2', unanswered: true }, 'abandoned'],
    ['by nobody seen', { uniqueid: 'e.3' }, 'unknown'],
    ['answered', { uniqueid: 'e.4' }, 'answered'],
    ['sent on to a busy one', { uniqueid: 'e.5', outcome: 'busy' }, 'answered'],
  ];
  for (const [, { uniqueid }] of ends)
    await db('calls').insert({
      team_id: extension.team_id,
      node: defaultNode,
      uniqueid,
      did: '600300',
      extension_id: extension.id,
      arrived_at: db.raw(`clock_timestamp() - interval '60 minutes'`),
    });
  const told = ['e.4', 'e.5', 'e.9'].map((uniqueid) => ({ uniqueid, secondsAgo: 20 * 60 }));
  t.same(
    (await records.pickedUp(told)).sort(),
    ['e.4', 'e.5'],
    'of the third the arrival is not recorded yet',
  );
  await records.pickedUp([{ uniqueid: 'e.4', secondsAgo: 60 }]);
  await records.callsEnded(ends.map(([, end]) => end));
  const { rows } = await db.raw<{ rows: { outcome: string; waited: number | null }[] }>(
    `select outcome, round(extract(epoch from answered_at - arrived_at) / 60)::integer as waited from calls order by uniqueid`,
  );
  t.same(
    rows.map(({ outcome }) => outcome),
    ends.map(([, , outcome]) => outcome),
  );
  t.same(
    rows.map(({ waited }) => waited),
    [null, null, null, 40, 40],
    'the first word stays',
  );
  // The reconciliation was first: it saw that the call was over, and not how.
  const endedAt = await db('calls').orderBy('uniqueid').pluck<Date[]>('ended_at');
  t.same(await records.callsEnded([{ uniqueid: 'e.3', outcome: 'no-answer', unanswered: true }]), ['e.3']);
  t.same(await records.callsEnded([{ uniqueid: 'e.3' }, { uniqueid: 'e.1', outcome: 'refused' }]), []);
  t.same(await db('calls').orderBy('uniqueid').pluck<string[]>('outcome'), [
    ...['busy', 'abandoned', 'no-answer', 'answered', 'answered'],
  ]);
  t.same(
    await db('calls').orderBy('uniqueid').pluck<Date[]>('ended_at'),
    endedAt,
    'it ended when it was seen',
  );
});

await t.test('an offer has the result that was seen; the first word stays', async (t) => {
  const caller = await call('support');
  const results = async () => db('offers').orderBy('id').pluck<(string | null)[]>('result');
  for (const offerId of ['offer-1', 'offer-2', 'offer-3', 'offer-4'])
    t.match(await records.offered(caller, offerId, first), { call: caller.uniqueid });
  t.same(
    (
      await records.offersEnded([
        { offerId: 'offer-1', result: 'missed' },
        { offerId: 'offer-2', result: null },
        { offerId: 'unheard-of', result: 'missed' },
      ])
    ).sort(),
    ['offer-1', 'offer-2'],
  );
  await records.offersEnded([
    { offerId: 'offer-1', result: 'cancelled' },
    { offerId: 'offer-2', result: 'rejected' },
  ]);
  await records.answered(caller, 'offer-3', '1001');
  await records.offersEnded([{ offerId: 'offer-3', result: 'cancelled' }]);
  t.same(await results(), ['missed', 'rejected', 'answered', null]);
  t.match(await visits(caller.uniqueid), [{ outcome: 'answered', open: false }]);
  // Whoever signs out while it rings has not missed it.
  await signOut(db, 'astercc', { agent: '1001' }, 'test');
  await records.offersEnded([{ offerId: 'offer-4', result: 'missed' }]);
  t.same((await results()).at(-1), 'cancelled');
});
