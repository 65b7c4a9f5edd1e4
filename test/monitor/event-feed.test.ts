import t from 'tap';
import { transition } from '../../domain/presence/agent-state.js';
import { CallRecords } from '../../domain/calls/records.js';
import { eventTypes } from '../../domain/event-types.js';
import { EventFeed } from '../../domain/monitor/event-feed.js';
import { removeOldEvents } from '../../domain/monitor/event-retention.js';
import { crowd, provision } from '../../lab/provision.js';
import { freshDatabase } from '../support/database.js';
import { enter, leave, look, openNow, see } from '../support/event-feed.js';
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
  const feed = await EventFeed.open(db, {
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
