import t from 'tap';
import { transition } from '../../domain/presence/agent-state.js';
import type { StateEvent } from '../../domain/presence/transitions.js';
import { connect } from '../../domain/database/pool.js';
import { migrate, migrationDeadlineMs } from '../../domain/database/migrate.js';
import { signOut } from '../../domain/presence/sign-in.js';
import { EventFeed } from '../../domain/monitor/event-feed.js';
import type { Event } from '../../domain/monitor/events.js';
import { LabPostgres } from '../../domain/database/embedded/postgres.js';
import { until } from '../../domain/machine/processes.js';
import { crowd, provision } from '../../lab/provision.js';
import { patient } from '../../lab/patience.js';
import { freshDatabase } from '../support/database.js';
import { allChanges, enter, feedMs, leave, look, openNow, see, short } from '../support/doors/event-feed.js';
import { refused } from '../support/refusal.js';

const { db } = await freshDatabase(t);
await provision(db, crowd(20));
const team = { team: 'astercc' };

await t.test('whoever commits late is waited for, and nothing comes before them', async (t) => {
  const feed = await openNow(db, team);
  const signInId = await enter(db, 3);
  t.same(await look(feed, 1), ['1003 signed-out>idle']);
  const late = await db.transaction();
  await transition(late, signInId, 'pause');
  await enter(db, 4);
  t.same((await feed.next()).events, [], 'what was committed meanwhile has its place behind');
  await late.commit();
  t.same(await look(feed, 2), ['1003 idle>paused', '1004 signed-out>idle']);
  await leave(db, 3);
  await leave(db, 4);
});

await t.test('the later change of an agent comes later, also from the older transaction', async (t) => {
  const feed = await openNow(db, team);
  const signInId = await enter(db, 6);
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
  const feed = await openNow(db, team);
  const before = await allChanges(db, 'astercc');
  const known: Event[] = [];
  const working = new AbortController();
  const looking = (async () => {
    while (!working.signal.aborted) known.push(...(await feed.next()).events);
  })();
  const events: StateEvent[] = ['offer', 'connect', 'wrap-up', 'pause', 'ready'];
  const work = async (agent: number): Promise<void> => {
    for (let day = 0; day < 3; day++) {
      const id = await enter(db, agent);
      for (let step = 0; step < 10; step++) await transition(db, id, events[step % 5] ?? 'ready');
      await leave(db, agent);
    }
  };
  await Promise.all(Array.from({ length: 20 }, (_, index) => work(index + 1)));
  working.abort();
  await looking;
  known.push(...(await see(feed, 20 * 3 * 12 - known.length)));

  const all = (await allChanges(db, 'astercc')).filter((id) => !before.includes(id));
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
  const all = await allChanges(db, 'astercc');
  const known: Event[] = [];
  let pieces = 0;
  await until(
    'everything',
    async () => {
      const { events } = await feed.next();
      known.push(...events);
      pieces++;
      return known.length >= all.length ? true : undefined;
    },
    feedMs,
  );
  t.ok(pieces > 7, `${pieces} pieces`);
  t.same(known.map(({ id }) => id).sort(), all);
  await enter(db, 1);
  t.same(await look(feed, 1), ['1001 signed-out>idle']);

  await db.raw(`update events set written_at = written_at - interval '30 hours'`);
  await leave(db, 1);
  const recent = await EventFeed.open(db, { ...team, sinceSeconds: 24 * 3600 });
  t.same(await look(recent, 1), ['1001 idle>signed-out'], 'what is older is left out');
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
  await enter(own, 1);
  t.same(await look(feed, 1), ['1001 signed-out>idle']);

  // This one is not told before the connection is gone.
  await enter(own, 2);
  await postgres.kill();
  await refused(t, 'database_unreachable', [], () => feed.next());
  await postgres.restart();
  const other = connect(postgres.url, patient);
  t.teardown(() => other.destroy());
  await leave(other, 1);
  t.same(await look(feed, 2), ['1002 signed-out>idle', '1001 idle>signed-out']);

  postgres.freeze();
  await refused(t, 'database_unreachable', [], () => feed.next()).finally(() => postgres.thaw());
  await leave(other, 2);
  t.same(await look(feed, 1), ['1002 idle>signed-out']);
  t.same((await feed.next()).events, []);
});
