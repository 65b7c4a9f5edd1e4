import t from 'tap';
import { transition } from '../../domain/presence/agent-state.js';
import { HoldRecords } from '../../domain/calls/records/holds.js';
import { CallRecords } from '../../domain/calls/records/records.js';
import { eventTypes } from '../../domain/event-types.js';
import { EventFeed } from '../../domain/monitor/event-feed.js';
import { removeOldEvents } from '../../domain/monitor/event-retention.js';
import { crowd, provision } from '../../lab/provision.js';
import { freshDatabase } from '../support/database.js';
import { enter, leave, look, openNow, see } from '../support/doors/event-feed.js';
import { callerOf, defaultNode } from '../support/records.js';
import { refused } from '../support/refusal.js';

const { db } = await freshDatabase(t);
await provision(db, crowd(20));
await provision(db, crowd(2, { team: 'other', did: '600200' }));
const team = { team: 'astercc' };

await t.test('each change comes once, with what it was before, from sign-in to sign-out', async (t) => {
  await enter(db, 1);
  const feed = await openNow(db, team);
  const signInId = await enter(db, 2);
  const records = new CallRecords(db, defaultNode);
  const caller = callerOf('astercc-support', 'call-1');
  await records.joined(caller, { number: '+49301\u009b2J' });
  const queue = await records.offered(caller, 'offer-1', signInId);
  if (!queue) throw new Error('there is no queue');
  await transition(db, signInId, 'offer', { callUniqueid: 'call-1', groupId: queue.groupId });
  await transition(db, signInId, 'wrap-up', { reason: 'Lunch', deadlineSeconds: 60 });
  await leave(db, 2);
  const events = await see(feed, 4);
  const [first, second, third, last] = events;
  t.match(first, { team: 'astercc', agent: '1002', name: 'crowd', extension: '5002', by: 'in-2' });
  t.match(first, {
    type: 'agent.state',
    state: 'idle',
    previousState: 'signed-out',
    previousSince: null,
    reason: null,
    call: null,
  });
  t.match(second, { state: 'ringing', previousState: 'idle', previousSince: first?.at, by: null });
  t.match(second, { group: 'support', call: 'call-1', caller: '+49301\u009b2J', until: null });
  t.match(third, { state: 'wrap-up', previousState: 'ringing', reason: 'Lunch', until: Date });
  t.match(last, { state: 'signed-out', previousState: 'wrap-up', previousSince: third?.at, by: 'out-2' });
  t.match(last, { extension: '5002', reason: null, group: null, call: null });
  t.equal(events.length, 4);
  t.ok(events.every(({ at }, index) => index === 0 || at >= (events[index - 1]?.at ?? at)));
  t.match(
    events.map(({ id }) => id),
    [/^state-\d+$/, /^state-\d+$/, /^state-\d+$/, /^sign-out-\d+$/],
  );
  await leave(db, 1);
  t.same(await look(feed, 1), ['1001 idle>signed-out'], 'and not again');
});

await t.test('a call is told from its arrival to its end, to whoever asks for it', async (t) => {
  const feed = await openNow(db, {
    ...team,
    types: eventTypes.filter((type) => type.startsWith('call.')),
  });
  const records = new CallRecords(db, defaultNode);
  const caller = callerOf('astercc-support', 'call-2');
  await records.joined(caller, { number: '+4930', position: 1 });
  await records.answered(caller, 'offer-2', '1001');
  await records.callsEnded([{ uniqueid: 'call-2' }]);
  const told = await see(feed, 4);
  t.same(
    told.filter((event) => 'call' in event && event.call === 'call-2').map(({ type }) => type),
    ['call.arrived', 'call.queued', 'call.answered', 'call.ended'],
  );
  t.match(told.at(-2), { group: 'support', agent: '1001', caller: '+4930', position: 1, answered: Date });
  t.match(told.at(-1), { outcome: 'answered', did: null });
});

await t.test('one team, or all of them', async (t) => {
  const one = await openNow(db, { team: 'other' });
  const all = await openNow(db, { team: null });
  await enter(db, 1);
  await enter(db, 1, 'other');
  t.same(await look(one, 1), ['other 1001 signed-out>idle']);
  t.same(await look(all, 2), ['1001 signed-out>idle', 'other 1001 signed-out>idle']);
  await leave(db, 1);
  await leave(db, 1, 'other');
  await refused(t, 'not_found', ['team "nowhere"'], () => EventFeed.open(db, { team: 'nowhere' }));
});

await t.test('names are those of the moment, also when people are gone', async (t) => {
  const feed = await openNow(db, team);
  await enter(db, 5);
  await db('users').update({ name: 'somebody else' });
  t.match(await see(feed, 1), [{ agent: '1005', name: 'crowd' }]);
  await db('users').update({ name: 'crowd' });
  await leave(db, 5);
});

await t.test('whoever has the cursor of an event goes on behind it, in any process', async (t) => {
  const from = await openNow(db, team);
  await enter(db, 1);
  const [first] = await see(from, 1);
  await enter(db, 2);
  await leave(db, 1);
  const again = await EventFeed.open(db, { ...team, after: first?.cursor ?? '' });
  t.same(await look(again, 2), ['1002 signed-out>idle', '1001 idle>signed-out']);
  await leave(db, 2);
  for (const cursor of ['', 'x', '1-2', '1-2-3-4', '1-2-3 ', `1-2-${'9'.repeat(20)}`]) {
    await refused(t, 'usage', ['cursor', 'is none'], () => EventFeed.open(db, { ...team, after: cursor }));
  }
});

await t.test('old events go in pieces, and whoever would miss them is told', async (t) => {
  const [first] = (await (await EventFeed.open(db, { ...team, sinceSeconds: 10 ** 6 }, 1)).next()).events;
  await db.raw(
    `update events set written_at = now() - interval '8 days' where id <= (select max(id) - 3 from events)`,
  );
  const [count] = await db('events').count<{ count: number }[]>();
  t.equal(await removeOldEvents(db, { piece: 100 }), (count?.count ?? 0) - 3);
  t.equal((await db('events')).length, 3);
  t.equal(await removeOldEvents(db, { piece: 100 }), 0);
  await refused(t, 'not_found', ['no longer kept', '--since'], () =>
    EventFeed.open(db, { ...team, after: first?.cursor ?? '' }),
  );
  const [last] = await db('events')
    .orderBy('id', 'desc')
    .limit(1)
    .select<{ era: number; xid: number; id: number }[]>();
  const feed = await EventFeed.open(db, { ...team, after: `${last?.era}-${last?.xid}-${last?.id}` });
  await enter(db, 7);
  t.same(await look(feed, 1), ['1007 signed-out>idle']);
});

await t.test('what an agent does with a call is told: hold, somebody asked, sent on', async (t) => {
  const signInId = await enter(db, 6);
  const feed = await EventFeed.open(db, {
    ...team,
    types: eventTypes.filter((type) => /^consult\.|^call\.(held|resumed|transferred)/.test(type)),
  });
  const records = new CallRecords(db, defaultNode);
  const caller = callerOf('astercc-support', 'call-6');
  await records.joined(caller, { number: '+4930' });
  const queue = await records.offered(caller, 'offer-6', signInId);
  await transition(db, signInId, 'offer', { callUniqueid: 'call-6', groupId: queue?.groupId ?? 0 });
  await transition(db, signInId, 'connect', { callUniqueid: 'call-6', groupId: queue?.groupId ?? 0 });
  const holds = new HoldRecords(db, defaultNode);
  let row: number | null = null;
  let after: number | null = null;
  const hold = async (kind: 'hold' | 'consult', end?: 'back' | 'left'): Promise<void> => {
    const told = await holds.told([
      {
        ...{
          channel: 'offer-6',
          call: 'call-6',
          team: 'astercc',
          extension: '5006',
          kind,
          startedAgo: 0,
          row,
          after,
        },
        endedAgo: end ? 0 : null,
        hungUp: end === 'left',
      },
    ]);
    row = told.get('offer-6') ?? null;
    if (end) [after, row] = [row, null];
  };
  const step = (kind: string, facts: object) =>
    db.raw(
      `insert into call_steps (team_id, call_id, at, key, kind, facts)
       select team_id, id, now(), :kind, :kind, :facts::jsonb from calls where uniqueid = 'call-6'`,
      { kind, facts: JSON.stringify(facts) },
    );
  await hold('hold');
  await hold('hold', 'back');
  await hold('hold');
  await step('consult', { to: '5001' });
  await step('consult-failed', { to: '5001', why: 'busy' });
  await hold('hold', 'back');
  await hold('hold');
  await hold('consult');
  await step('transferred', { by: '5006', to: '5002', how: 'attended' });
  await hold('consult', 'left');
  const events = await see(feed, 10);
  t.same(
    events.map(({ type }) => type),
    [
      ...['call.held', 'call.resumed', 'call.held', 'consult.began', 'consult.ended', 'call.resumed'],
      ...['call.held', 'consult.answered', 'call.transferred', 'consult.ended'],
    ],
  );
  const of = { call: 'call-6', caller: '+4930', agent: '1006', extension: '5006', group: 'support' };
  for (const event of events) t.match(event, of, event.type);
  t.match(events[3], { number: '5001' });
  t.match(events[4], { number: '5001', outcome: 'busy' });
  t.match(events[8], { number: '5002', how: 'attended' });
  t.match(events[9], { outcome: 'left' });
  t.equal(new Set(events.map(({ id }) => id)).size, events.length);
});
