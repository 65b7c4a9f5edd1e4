import t from 'tap';
import { transition } from '../../domain/presence/agent-state.js';
import type { StateEvent } from '../../domain/presence/transitions.js';
import { callQueued, findQueue } from '../../domain/calls/calls.js';
import { connect, type Database } from '../../domain/database/pool.js';
import { migrate, migrationDeadlineMs } from '../../domain/database/migrate.js';
import { signIn, signOut } from '../../domain/presence/sign-in.js';
import { StateFeed, type StateChange } from '../../domain/monitor/event-feed.js';
import { LabPostgres } from '../../domain/database/embedded/postgres.js';
import { crowd, provision } from '../../lab/provision.js';
import { freshDatabase } from '../support/database.js';
import { refused } from '../support/refusal.js';

const { db } = await freshDatabase(t);
await provision(db, crowd(20));
await provision(db, crowd(2, { team: 'other', did: '600200' }));

/** Signs in an agent of `crowd` at his phone; the id of the sign-in. */
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

/** One look, in short: `1001 signed-out>idle`. */
async function look(feed: StateFeed): Promise<string[]> {
  const { changes } = await feed.next();
  return changes.map(short);
}

const short = ({ team, agent, previousState, state }: StateChange): string =>
  `${team === 'astercc' ? '' : `${team} `}${agent} ${previousState}>${state}`;

/** Ids of all changes of a team that the database holds. */
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
  const feed = await StateFeed.open(db, { team: 'astercc' });
  t.same(await look(feed), [], 'what was before is not news');

  const signInId = await enter(2);
  const queue = await findQueue(db, 'astercc-support');
  if (!queue) throw new Error('there is no queue');
  await callQueued(db, queue, 'call-1', '+49301\u009b2J');
  await transition(db, signInId, 'offer', { callUniqueid: 'call-1', groupId: queue.groupId });
  await transition(db, signInId, 'wrap-up', { reason: 'Lunch', deadlineSeconds: 60 });
  await leave(2);
  const { changes, caughtUp } = await feed.next();
  t.equal(caughtUp, true);
  const [first, second, third, last] = changes;
  t.match(first, { team: 'astercc', agent: '1002', name: 'crowd', extension: '5002', by: 'in-2' });
  t.match(first, {
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
  t.equal(changes.length, 4);
  t.ok(changes.every(({ at }, index) => index === 0 || at >= (changes[index - 1]?.at ?? at)));
  t.match(
    changes.map(({ id }) => id),
    [/^state-\d+$/, /^state-\d+$/, /^state-\d+$/, /^sign-out-\d+$/],
  );
  t.same(await look(feed), [], 'and not again');
  await leave(1);
  t.same(await look(feed), ['1001 idle>signed-out']);
});

await t.test('one team, or all of them', async (t) => {
  const one = await StateFeed.open(db, { team: 'other' });
  const all = await StateFeed.open(db, { team: null });
  await enter(1);
  await enter(1, { team: 'other' });
  t.same(await look(one), ['other 1001 signed-out>idle']);
  t.same(await look(all), ['1001 signed-out>idle', 'other 1001 signed-out>idle']);
  await leave(1);
  await leave(1, { team: 'other' });
  await refused(t, 'not_found', ['team "nowhere"'], () => StateFeed.open(db, { team: 'nowhere' }));
});

await t.test('a change that is committed late is not missed', async (t) => {
  const feed = await StateFeed.open(db, { team: 'astercc' });
  const late = await db.transaction();
  const signInId = await enter(3);
  t.same(await look(feed), ['1003 signed-out>idle']);
  // A slow transaction: its change is older than those of others that are known before it.
  await transition(late, signInId, 'pause');
  await enter(4);
  t.same(await look(feed), ['1004 signed-out>idle']);
  await leave(4);
  t.same(await look(feed), ['1004 idle>signed-out']);
  await late.commit();
  t.same(await look(feed), ['1003 idle>paused']);
  t.same(await look(feed), []);
  await leave(3);
});

await t.test('twenty agents change at once: every change comes once, those of each in order', async (t) => {
  const feed = await StateFeed.open(db, { team: 'astercc' });
  const before = await everything(db, 'astercc');
  const known: StateChange[] = [];
  const working = new AbortController();
  const looking = (async () => {
    while (!working.signal.aborted) known.push(...(await feed.next()).changes);
    known.push(...(await feed.next()).changes);
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

  const all = (await everything(db, 'astercc')).filter((id) => !before.includes(id));
  t.equal(all.length, 20 * 3 * 12);
  t.same(known.map(({ id }) => id).sort(), all, 'every one, and once');
  t.same(outOfOrder(known), [], 'what an agent did before is what was told before');
});

/** Changes whose previous state is not what was told of the agent before. */
function outOfOrder(changes: readonly StateChange[]): string[] {
  const last = new Map<string, StateChange>();
  return changes.flatMap((change) => {
    const before = last.get(change.agent);
    last.set(change.agent, change);
    const follows =
      before === undefined ||
      (before.state === change.previousState &&
        (change.previousSince === null || change.previousSince.getTime() === before.at.getTime()));
    return follows ? [] : [`${change.at.toISOString()} ${short(change)}`];
  });
}

await t.test('a past time is read in pieces, then followed', async (t) => {
  const all = await everything(db, 'astercc');
  const day = 24 * 3600;
  await db('agent_states').update({
    started_at: db.raw(`started_at - interval '30 hours'`),
    ended_at: db.raw(`ended_at - interval '30 hours'`),
  });
  await db('sign_ins').update({
    signed_in_at: db.raw(`signed_in_at - interval '30 hours'`),
    signed_out_at: db.raw(`signed_out_at - interval '30 hours'`),
  });
  const past = await StateFeed.open(db, { team: 'astercc', sinceSeconds: 31 * 3600 });
  const { known, pieces } = await catchUp(past);
  t.ok(pieces > 100, `${pieces} pieces`);
  t.same(known.map(({ id }) => id).sort(), all);
  await enter(1);
  t.same(await look(past), ['1001 signed-out>idle']);
  t.same(await look(past), []);
  const recent = await StateFeed.open(db, { team: 'astercc', sinceSeconds: day });
  t.same((await catchUp(recent)).known.map(short), ['1001 signed-out>idle'], 'what is older is left out');
  await leave(1);
});

/** All looks until there is no more for now. */
async function catchUp(feed: StateFeed): Promise<{ known: StateChange[]; pieces: number }> {
  const known: StateChange[] = [];
  for (let pieces = 1; ; pieces++) {
    const { changes, caughtUp } = await feed.next();
    known.push(...changes);
    if (caughtUp) return { known, pieces };
  }
}

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
  const feed = await StateFeed.open(own, { team: 'astercc' });
  await enter(1, { on: own });
  t.same(await look(feed), ['1001 signed-out>idle']);

  // This one is not told before the connection is gone.
  await enter(2, { on: own });
  await postgres.kill();
  await refused(t, 'database_unreachable', [], () => feed.next());
  await postgres.restart();
  const other = connect(postgres.url);
  t.teardown(() => other.destroy());
  await leave(1, { on: other });
  t.same(await look(feed), ['1002 signed-out>idle', '1001 idle>signed-out']);

  postgres.freeze();
  await refused(t, 'database_unreachable', [], () => feed.next()).finally(() => postgres.thaw());
  await leave(2, { on: other });
  t.same(await look(feed), ['1002 idle>signed-out']);
  t.same(await look(feed), []);
});
