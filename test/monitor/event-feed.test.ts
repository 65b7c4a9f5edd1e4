import t from 'tap';
import { transition } from '../../domain/presence/agent-state.js';
import type { StateEvent } from '../../domain/presence/transitions.js';
import { CallRecords } from '../../domain/calls/records.js';
import { connect, type Database } from '../../domain/database/pool.js';
import { migrate, migrationDeadlineMs } from '../../domain/database/migrate.js';
import { signIn, signOut } from '../../domain/presence/sign-in.js';
import { EventFeed, eventTypes, type Event } from '../../domain/monitor/event-feed.js';
import { removeOldEvents } from '../../domain/monitor/event-retention.js';
import { LabPostgres } from '../../domain/database/embedded/postgres.js';
import { until } from '../../domain/machine/processes.js';
import { crowd, provision } from '../../lab/provision.js';
import { freshDatabase } from '../support/database.js';
import { callerOf, defaultNode } from '../support/records.js';
import { refused } from '../support/refusal.js';

const { db } = await freshDatabase(t);
await provision(db, crowd(20));
await provision(db, crowd(2, { team: 'other', did: '600200' }));
const team = { team: 'astercc' };

/** Signs in an agent of `crowd` at their phone; the id of the sign-in. */
async function enter(agent: number, { team = 'astercc', on = db } = {}): Promise<number> {
  const entered = await signIn(on, team, {
    agent: String(1000 + agent),
    extension: String(5000 + agent),
    by: `in-${agent}`,
  });
  if (entered.outcome !== 'signed-in') throw new Error(entered.outcome);
  return entered.signIn.id;
}

const leave = (agent: number, { team = 'astercc', on = db } = {}) =>
  signOut(on, team, { agent: String(1000 + agent) }, `out-${agent}`);

/**
 * Looks until so many events have come: on a PostgreSQL that other tests use too, whoever writes there holds the feed
 * back.
 */
async function see(feed: EventFeed, count: number): Promise<Event[]> {
  const seen: Event[] = [];
  await until(`${count} events`, async () => {
    seen.push(...(await feed.next()).events);
    return seen.length >= count ? true : undefined;
  });
  return seen;
}

const look = async (feed: EventFeed, count: number): Promise<string[]> => (await see(feed, count)).map(short);

/** In short: `1001 signed-out>idle`. */
function short(event: Event): string {
  if (event.type !== 'agent.state') return `${event.type} ${event.call}`;
  const { team, agent, previousState, state } = event;
  return `${team === 'astercc' ? '' : `${team} `}${agent} ${previousState}>${state}`;
}

/** The feed from here on: what was before has been read. */
async function openNow(options: { team: string | null } = team): Promise<EventFeed> {
  const feed = await EventFeed.open(db, options);
  await until('a moment in which nobody writes', async () => {
    const { rows } = await db.raw<{ rows: unknown[] }>(
      `select 1 from events where xid >= pg_snapshot_xmin(pg_current_snapshot())::text::bigint limit 1`,
    );
    return rows.length === 0 ? true : undefined;
  });
  await feed.next();
  return feed;
}

/** Ids of all changes of agents of a team that the database holds. */
async function everything(on: Database, team: string): Promise<string[]> {
  const { rows } = await on.raw<{ rows: { id: string }[] }>(
    `select 'state-' || s.id as id from agent_states s join teams t on t.id = s.team_id where t.identity = :team
     union all select 'sign-out-' || i.id from sign_ins i join teams t on t.id = i.team_id
     where t.identity = :team and i.signed_out_at is not null order by id`,
    { team },
  );
  return rows.map(({ id }) => id);
}

await t.test('each change comes once, with what it was before, from sign-in to sign-out', async (t) => {
  await enter(1);
  const feed = await openNow();
  const signInId = await enter(2);
  const records = new CallRecords(db, defaultNode);
  const caller = callerOf('astercc-support', 'call-1');
  await records.joined(caller, { number: '+49301\u009b2J' });
  const queue = await records.offered(caller, 'offer-1', signInId);
  if (!queue) throw new Error('there is no queue');
  await transition(db, signInId, 'offer', { callUniqueid: 'call-1', groupId: queue.groupId });
  await transition(db, signInId, 'wrap-up', { reason: 'Lunch', deadlineSeconds: 60 });
  await leave(2);
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
  await leave(1);
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
    told.filter((event) => event.type !== 'agent.state' && event.call === 'call-2').map(({ type }) => type),
    ['call.arrived', 'call.queued', 'call.answered', 'call.ended'],
  );
  t.match(told.at(-2), { group: 'support', agent: '1001', caller: '+4930', position: 1, answered: Date });
  t.match(told.at(-1), { outcome: 'answered', did: null });
});

await t.test('one team, or all of them', async (t) => {
  const one = await openNow({ team: 'other' });
  const all = await openNow({ team: null });
  await enter(1);
  await enter(1, { team: 'other' });
  t.same(await look(one, 1), ['other 1001 signed-out>idle']);
  t.same(await look(all, 2), ['1001 signed-out>idle', 'other 1001 signed-out>idle']);
  await leave(1);
  await leave(1, { team: 'other' });
  await refused(t, 'not_found', ['team "nowhere"'], () => EventFeed.open(db, { team: 'nowhere' }));
});

await t.test('names are those of the moment, also when people are gone', async (t) => {
  const feed = await openNow();
  await enter(5);
  await db('users').update({ name: 'somebody else' });
  t.match(await see(feed, 1), [{ agent: '1005', name: 'crowd' }]);
  await db('users').update({ name: 'crowd' });
  await leave(5);
});

await t.test('whoever commits late is waited for, and nothing comes before them', async (t) => {
  const feed = await openNow();
  const signInId = await enter(3);
  t.same(await look(feed, 1), ['1003 signed-out>idle']);
  const late = await db.transaction();
  await transition(late, signInId, 'pause');
  await enter(4);
  t.same((await feed.next()).events, [], 'what was committed meanwhile has its place behind');
  await late.commit();
  t.same(await look(feed, 2), ['1003 idle>paused', '1004 signed-out>idle']);
  await leave(3);
  await leave(4);
});

await t.test('the later change of an agent comes later, also from the older transaction', async (t) => {
  const feed = await openNow();
  const signInId = await enter(6);
  const older = await db.transaction();
  // It has its transaction id from now on, and does what it is for only after a younger one.
  await older.raw(`insert into sign_in_failures (team_id, kind, number, failures, failed_at)
    select id, 'phone', '9999', 1, now() from teams where identity = 'astercc'`);
  await transition(db, signInId, 'pause');
  await signOut(older, 'astercc', { agent: '1006' }, 'test');
  await older.commit();
  t.same(await look(feed, 3), ['1006 signed-out>idle', '1006 idle>paused', '1006 paused>signed-out']);
});

await t.test('twenty agents change at once: every change comes once, those of each in order', async (t) => {
  const feed = await openNow();
  const before = await everything(db, 'astercc');
  const known: Event[] = [];
  const working = new AbortController();
  const looking = (async () => {
    while (!working.signal.aborted) known.push(...(await feed.next()).events);
  })();
  const events: StateEvent[] = ['offer', 'connect', 'wrap-up', 'pause', 'ready'];
  const work = async (agent: number): Promise<void> => {
    for (let day = 0; day < 3; day++) {
      const id = await enter(agent);
      for (let step = 0; step < 10; step++) await transition(db, id, events[step % 5] ?? 'ready');
      await leave(agent);
    }
  };
  await Promise.all(Array.from({ length: 20 }, (_, index) => work(index + 1)));
  working.abort();
  await looking;
  known.push(...(await see(feed, 20 * 3 * 12 - known.length)));

  const all = (await everything(db, 'astercc')).filter((id) => !before.includes(id));
  t.equal(all.length, 20 * 3 * 12);
  t.same(known.map(({ id }) => id).sort(), all, 'every one, and once');
  t.same(outOfOrder(known), [], 'what an agent did before is what was told before');
});

/** Changes whose previous state is not what was told of the agent before. */
function outOfOrder(events: readonly Event[]): string[] {
  const last = new Map<string, Event & { type: 'agent.state' }>();
  return events.flatMap((event) => {
    if (event.type !== 'agent.state') return [];
    const before = last.get(event.agent);
    last.set(event.agent, event);
    const follows =
      before === undefined ||
      (before.state === event.previousState &&
        (event.previousSince === null || event.previousSince.getTime() === before.at.getTime()));
    return follows ? [] : [`${event.at.toISOString()} ${short(event)}`];
  });
}

await t.test('a past time is read in pieces, then followed', async (t) => {
  const feed = await EventFeed.open(db, { ...team, sinceSeconds: 3600 }, 100);
  const all = await everything(db, 'astercc');
  const known: Event[] = [];
  let pieces = 0;
  await until('everything', async () => {
    const { events } = await feed.next();
    known.push(...events);
    pieces++;
    return known.length >= all.length ? true : undefined;
  });
  t.ok(pieces > 7, `${pieces} pieces`);
  t.same(known.map(({ id }) => id).sort(), all);
  await enter(1);
  t.same(await look(feed, 1), ['1001 signed-out>idle']);

  await db.raw(`update events set written_at = written_at - interval '30 hours'`);
  await leave(1);
  const recent = await EventFeed.open(db, { ...team, sinceSeconds: 24 * 3600 });
  t.same(await look(recent, 1), ['1001 idle>signed-out'], 'what is older is left out');
});

await t.test('whoever has the cursor of an event goes on behind it, in any process', async (t) => {
  const from = await openNow();
  await enter(1);
  const [first] = await see(from, 1);
  await enter(2);
  await leave(1);
  const again = await EventFeed.open(db, { ...team, after: first?.cursor ?? '' });
  t.same(await look(again, 2), ['1002 signed-out>idle', '1001 idle>signed-out']);
  await leave(2);
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
  await enter(7);
  t.same(await look(feed, 1), ['1007 signed-out>idle']);
});

await t.test('over a lost or frozen PostgreSQL nothing is lost and nothing repeated', async (t) => {
  const postgres = await LabPostgres.start();
  t.teardown(() => postgres.stop());
  const migrator = connect(postgres.url, { max: 1, deadlineMs: migrationDeadlineMs });
  await migrate(migrator);
  // A PostgreSQL of the lab may lose its last commits when it is killed: this one is to keep them.
  await migrator.raw('alter database star64 set synchronous_commit to on');
  await migrator.destroy();
  const own = connect(postgres.url);
  t.teardown(() => own.destroy());
  await provision(own, crowd(2));
  const feed = await EventFeed.open(own, team);
  await enter(1, { on: own });
  t.same(await look(feed, 1), ['1001 signed-out>idle']);

  // This one is not told before the connection is gone.
  await enter(2, { on: own });
  await postgres.kill();
  await refused(t, 'database_unreachable', [], () => feed.next());
  await postgres.restart();
  const other = connect(postgres.url);
  t.teardown(() => other.destroy());
  await leave(1, { on: other });
  t.same(await look(feed, 2), ['1002 signed-out>idle', '1001 idle>signed-out']);

  postgres.freeze();
  await refused(t, 'database_unreachable', [], () => feed.next()).finally(() => postgres.thaw());
  await leave(2, { on: other });
  t.same(await look(feed, 1), ['1002 idle>signed-out']);
  t.same((await feed.next()).events, []);
});
