import { pino } from 'pino';
import t, { type Test } from 'tap';
import { OutboundLimits } from '../../domain/calls/outbound-limits.js';
import { connect, type Database } from '../../domain/database/pool.js';
import { EventFeed } from '../../domain/monitor/event-feed.js';
import { addExtension, setExtension } from '../../domain/provisioning/extension.js';
import { allHours } from '../../domain/provisioning/hours.js';
import { addTeam, setTeam, type TeamChanges } from '../../domain/provisioning/team.js';
import { addUser } from '../../domain/provisioning/user.js';
import { until } from '../../domain/machine/processes.js';
import { freshDatabase } from '../support/database.js';

const { db, url } = await freshDatabase(t);
let teams = 0;
const none = {
  callsAtOnce: null,
  callsPerHour: null,
  callsPerDay: null,
  minutesPerHour: null,
  minutesPerDay: null,
};
const minute = 60_000;

/** A team on a node of its own, with two extensions that nothing limits but what is given, a clock to set, and servers. */
async function setUp(limits: TeamChanges = {}) {
  const team = `team${teams++}`;
  const node = team;
  await addTeam(db, team, { node, timeZone: 'Europe/Berlin', ...none, ...limits });
  for (const [index, number] of ['5000', '5001'].entries()) {
    await addUser(db, team, { username: `user${index}`, name: 'Anna Berg' });
    await addExtension(db, team, { number, user: `user${index}`, ...none });
  }
  const clock = { at: Date.parse('2026-11-25T11:00:00Z') };
  const said: Record<string, unknown>[] = [];
  const log = pino(
    { level: 'info' },
    { write: (line: string) => void said.push(JSON.parse(line) as Record<string, unknown>) },
  );
  let asked = 0;
  const server = async (database: Database = db) => {
    const limits = new OutboundLimits(database, node, log, () => clock.at, 20);
    if (database === db) await limits.load();
    const call = (extension: string | null = '5000', more: { class?: string; call?: string } = {}) =>
      limits.check({
        team,
        extension,
        class: 'national',
        at: clock.at,
        call: `1700000000.${asked++}`,
        ...more,
      });
    /** How many of so many calls are let out. */
    const letOut = (calls: number, extension?: string | null): number =>
      Array.from({ length: calls }, () => call(extension)).filter((reached) => !reached).length;
    return { limits, call, letOut };
  };
  const record = async (uniqueid: string, row: object = {}): Promise<void> => {
    const extension = await db('extensions as x')
      .join('teams as t', 't.id', 'x.team_id')
      .where({ identity: team, number: '5000' })
      .first<{ id: number; team_id: number }>('x.id', 'x.team_id');
    await db('calls')
      .insert({
        team_id: extension.team_id,
        node,
        uniqueid,
        direction: 'out',
        class: 'national',
        from_extension_id: extension.id,
        arrived_at: new Date(clock.at),
        ...row,
      })
      .onConflict(['node', 'uniqueid'])
      .merge();
  };
  return { team, node, clock, said, server, record };
}

void t.test(
  'of 20 calls in one instant as many go out as may in an hour, and no more until it is over',
  async (t) => {
    const { team, server, clock } = await setUp({ callsPerHour: 5 });
    const { limits, letOut, call } = await server();
    t.equal(letOut(20), 5);
    t.strictSame(call(), { limit: 'calls-per-hour', of: 'team', name: team, most: 5 });
    t.equal(call('5001')?.of, 'team', 'another extension of the team');
    t.equal(call(null)?.of, 'team', 'a call that the team itself pays');
    t.equal(call('5000', { class: 'emergency' }), undefined);
    clock.at += 59 * minute;
    t.equal(letOut(3), 0);
    clock.at += 2 * minute;
    await limits.refresh();
    t.equal(letOut(20), 5);
  },
);

void t.test(
  'whoever only asks uses nothing up, and a call that is asked for twice counts once',
  async (t) => {
    const { server } = await setUp({ callsPerHour: 2 });
    const { call, letOut } = await server();
    for (let asked = 0; asked < 5; asked++) t.equal(call('5000', { call: undefined as never }), undefined);
    t.equal(call('5000', { call: 'one' }), undefined);
    t.equal(call('5000', { call: 'one' }), undefined);
    t.equal(letOut(5), 1);
  },
);

void t.test('a day is that of the team', async (t) => {
  const { server, clock } = await setUp({ callsPerDay: 3 });
  const { letOut } = await server();
  clock.at = Date.parse('2026-11-25T22:59:00Z');
  t.equal(letOut(5), 3);
  t.equal(letOut(5), 0);
  clock.at = Date.parse('2026-11-25T23:00:00Z');
  t.equal(letOut(5), 3, 'after midnight in Berlin');
});

void t.test(
  'what one server lets out the other one knows after its next look, and nothing is counted twice',
  async (t) => {
    const { server, record, clock } = await setUp({ callsPerHour: 10 });
    const [one, other] = [await server(), await server()];
    for (let index = 0; index < 6; index++) {
      t.equal(one.call('5000', { call: `call.${index}` }), undefined);
      await record(`call.${index}`);
    }
    await Promise.all([one.limits.refresh(), other.limits.refresh()]);
    t.equal(other.letOut(20), 4);
    t.equal((await server()).letOut(20), 4, 'a server that starts now');
    clock.at += minute;
    await one.limits.refresh();
    await one.limits.refresh();
    t.equal(one.letOut(20), 4, 'those of the other have no row yet');
  },
);

void t.test('minutes are those of talks that are over and of those that go on', async (t) => {
  const { server, record, clock } = await setUp({ minutesPerDay: 10, minutesPerHour: 8 });
  const one = await server();
  one.call('5000', { call: 'first' });
  const answered = new Date(clock.at);
  await record('first', { answered_at: answered });
  await one.limits.refresh();
  clock.at += 5 * minute;
  t.equal(one.call('5001', { call: 'second' }), undefined, 'five minutes of talk');
  await record('second');
  clock.at += 3 * minute;
  t.match(one.call(), { limit: 'minutes-per-hour', most: 8 });
  await record('first', { answered_at: answered, ended_at: new Date(clock.at) });
  await one.limits.refresh();
  t.match(one.call(), { limit: 'minutes-per-hour' });
  clock.at += 58 * minute;
  await one.limits.refresh();
  t.equal(one.call(), undefined, 'what was talked an hour ago counts for the day only');
  await record('long', {
    arrived_at: new Date(clock.at - 2 * minute),
    answered_at: new Date(clock.at - 2 * minute),
    ended_at: new Date(clock.at),
  });
  await one.limits.refresh();
  t.match(one.call(), { limit: 'minutes-per-day', most: 10 });
  t.match((await server()).call(), { limit: 'minutes-per-day' }, 'a server that starts now');
});

void t.test('a call that Asterisk did not let out after all is given back, whoever let it out', async (t) => {
  const { server, record } = await setUp({ callsPerHour: 3 });
  const one = await server();
  for (const call of ['a', 'b', 'c']) one.call('5000', { call });
  t.equal(one.letOut(1), 0);
  await record('b', { refused: 'limit' });
  await record('of another server', { refused: 'class' });
  await record('emergency', { class: 'emergency' });
  await one.limits.refresh();
  t.equal(one.letOut(5), 1);
});

void t.test('the nearest limit is named: extension, user group, team', async (t) => {
  const { team, server } = await setUp({ callsPerHour: 9 });
  const { id } = await db('teams').where({ identity: team }).first<{ id: number }>('id');
  const users = await db('users').where({ team_id: id }).orderBy('username').pluck<number[]>('id');
  for (const [position, name, most] of [
    [1, 'without', null],
    [2, 'sales', 4],
    [3, 'support', 1],
  ] as const) {
    const [group] = await db('user_groups')
      .insert({ team_id: id, name, position, calls_per_hour: most, calls_at_once: most })
      .returning<{ id: number }[]>('id');
    for (const user of users)
      await db('user_group_members').insert({ team_id: id, user_group_id: group?.id, user_id: user });
  }
  await setExtension(db, team, '5001', { callsPerHour: 1, callsAtOnce: 2 });
  const { call, letOut, limits } = await server();
  t.equal(call('5001'), undefined);
  t.match(call('5001'), { of: 'extension', name: '5001', most: 1 });
  t.equal(letOut(9, '5000'), 3);
  t.match(call('5000'), { of: 'user-group', name: 'sales', most: 4 });
  t.equal(letOut(9, null), 5);
  const ask = { team, class: 'national', at: Date.now() };
  t.strictSame(limits.counts({ ...ask, extension: '5001' }), [
    { name: 'group-sales', most: 4 },
    { name: 'extension-5001', most: 2 },
  ]);
  t.strictSame(limits.counts({ ...ask, extension: null }), []);
  t.strictSame(limits.counts({ ...ask, extension: '5001', class: 'emergency' }), []);
});

void t.test(
  'at night a share of every limit may be used, and what was called by day leaves it alone',
  async (t) => {
    const { team, server, clock } = await setUp({
      callsPerDay: 40,
      callsAtOnce: 15,
      nightShare: 10,
      night: '20:00-06:00',
    });
    const { letOut, call, limits } = await server();
    t.equal(letOut(30), 30);
    clock.at = Date.parse('2026-11-25T19:00:00Z');
    t.equal(letOut(30), 4);
    t.strictSame(call(), { limit: 'calls-per-day', of: 'team', name: team, most: 4, atNight: true });
    t.strictSame(limits.counts({ team, extension: '5000', class: 'mobile', at: clock.at }), [
      { name: 'team', most: 2 },
    ]);
    clock.at = Date.parse('2026-11-26T05:00:00Z');
    t.equal(letOut(50), 40, 'after six it is day');
    t.strictSame(call(), { limit: 'calls-per-day', of: 'team', name: team, most: 40 });
    await allHours.add(db, team, 'office', { week: ['mon-fri 09:00-17:00'] });
    await setTeam(db, team, { night: null, nightHours: 'office', nightShare: 0 });
    await limits.load();
    clock.at = Date.parse('2026-11-27T12:00:00Z');
    t.equal(letOut(1), 1, 'Friday');
    clock.at = Date.parse('2026-11-28T12:00:00Z');
    t.match(call(), { most: 0, atNight: true }, 'Saturday');
  },
);

void t.test('a limit that is set holds for what was called before it', async (t) => {
  const { team, server, record } = await setUp();
  const { limits, letOut } = await server();
  t.equal(letOut(3), 3);
  for (const call of ['a', 'b', 'c', 'd']) await record(call);
  await setExtension(db, team, '5000', { callsPerDay: 6 });
  await limits.load();
  t.equal(letOut(9), 2);
  t.equal(letOut(9, '5001'), 9);
  await setExtension(db, team, '5000', { callsPerDay: 8 });
  await limits.load();
  t.equal(letOut(9), 2);
  await setExtension(db, team, '5000', { callsPerDay: null });
  await limits.load();
  t.equal(letOut(9), 9);
});

void t.test('without PostgreSQL memory goes on', async (t) => {
  const { server, clock, said } = await setUp({ callsPerHour: 5 });
  const own = connect(url);
  const { limits, letOut } = await server(own);
  await limits.load();
  t.equal(letOut(3), 3);
  await own.destroy();
  await limits.refresh();
  t.match(said, [{ msg: /cannot be read/ }]);
  t.equal(letOut(9), 2);
  clock.at += 61 * minute;
  await limits.refresh();
  t.equal(letOut(9), 5);
});

void t.test(
  'a limit that stops calls is said once a minute, and is an event until there is room again',
  async (t) => {
    const { team, server, said, clock } = await setUp({ callsPerHour: 2 });
    const feed = await EventFeed.open(db, { team, types: ['limit.reached', 'limit.over'] });
    const { limits, letOut } = await server();
    const since = new Date(clock.at);
    t.equal(letOut(7), 2);
    clock.at += 30_000;
    t.equal(letOut(4), 0);
    await limits.refresh();
    const reached = { of: 'team', name: team, limit: 'calls-per-hour', most: 2 };
    t.match(said, [{ ...reached, refused: 1 }]);
    t.equal(said.length, 1);
    clock.at += 31_000;
    await limits.refresh();
    t.match(said[1], { ...reached, refused: 8 });
    await limits.refresh();
    t.equal(said.length, 2);
    const rows = await db('limits_reached').where({ name: team }).select<object[]>();
    t.match(rows, [{ ...reached, refused: 9, reached_at: since, over_at: null }]);
    // Below the oldest transaction of the whole PostgreSQL, which other tests share.
    const next = (): Promise<object> => until('an event', async () => (await feed.next()).events[0]);
    t.match(await next(), { type: 'limit.reached', ...reached, reached: since });
    clock.at += 61 * minute;
    await limits.refresh();
    t.match(await next(), { type: 'limit.over', ...reached, refused: 9 });
  },
);

void t.test('what is kept are the calls under way, and the sums of whoever has called today', async (t) => {
  const { server, record, clock } = await setUp({ callsPerDay: 1000 });
  const { limits, call } = await server();
  for (let index = 0; index < 50; index++) {
    call('5000', { call: `call.${index}` });
    await record(`call.${index}`, { ended_at: new Date(clock.at) });
  }
  await limits.refresh();
  t.strictSame(limits.size, { calls: 50, sums: 1 });
  for (let times = 0; times < 3; times++) {
    clock.at += minute;
    await limits.refresh();
  }
  t.strictSame(limits.size, { calls: 0, sums: 1 });
  clock.at += 24 * 60 * minute;
  await limits.refresh();
  t.strictSame(limits.size, { calls: 0, sums: 0 });
});

/** Its statements, of which those that match do not succeed. */
function watched(t: Test): {
  own: Database;
  statements: string[];
  fail: (which: RegExp | undefined) => void;
} {
  const own = connect(url);
  t.teardown(() => own.destroy());
  const statements: string[] = [];
  let failing: RegExp | undefined;
  const proxy = new Proxy(own, {
    get: (target, name) =>
      name !== 'raw'
        ? (Reflect.get(target, name) as unknown)
        : (sql: string, values: []) => {
            statements.push(sql);
            if (failing?.test(sql) !== true) return target.raw(sql, values);
            const failed = Promise.reject(new Error('canceling statement due to statement timeout'));
            return Object.assign(failed, { options: () => failed });
          },
  });
  return { own: proxy, statements, fail: (which) => void (failing = which) };
}
const ofTheDay = /\(c\.arrived_at, c\.id\) >/;

void t.test('a day that cannot be read keeps nobody waiting: what is known counts until it is', async (t) => {
  const { server, said, record } = await setUp({ callsPerDay: 5 });
  for (const call of ['a', 'b']) await record(call);
  const { own, fail } = watched(t);
  fail(ofTheDay);
  const { limits, letOut } = await server(own);
  limits.changed();
  await limits.start();
  t.teardown(() => limits.stop());
  t.equal(letOut(1), 1, 'the limits are there');
  await until('the fault is said', () => said.length > 0 || undefined);
  t.match(said, [{ msg: /what is known of it counts/ }]);
  t.equal(letOut(1), 1);
  fail(undefined);
  await until('all is read', () => said.some(({ msg }) => /are read$/.test(String(msg))) || undefined);
  t.equal(letOut(9), 1, 'two before it started, and three of its own');
});

void t.test('limits that cannot be read stop nobody from starting, and are read later', async (t) => {
  const { server, said } = await setUp({ callsPerDay: 2 });
  const { own, fail } = watched(t);
  fail(/from teams/);
  const { limits, letOut } = await server(own);
  limits.changed();
  await limits.start();
  t.teardown(() => limits.stop());
  t.equal(letOut(3), 3);
  fail(undefined);
  await until('all is read', () => said.some(({ msg }) => /are read$/.test(String(msg))) || undefined);
  t.equal(letOut(3), 2);
});

void t.test('a day of many calls is read page by page', async (t) => {
  const { team, node, server, clock } = await setUp({ callsPerDay: 20_000 });
  await db.transaction(async (transaction) => {
    // What tells of each call would take longer than a statement may.
    await transaction.raw('alter table calls disable trigger user');
    await transaction.raw(
      `insert into calls (team_id, node, uniqueid, direction, class, arrived_at, ended_at)
       select t.id, :node, 'many.' || n, 'out', 'national', m.at, m.at from teams t cross join generate_series(1, 12345) n
       cross join lateral (select :at::timestamptz - make_interval(secs => n / 3) as at) m where t.identity = :team`,
      { team, node, at: new Date(clock.at) },
    );
    await transaction.raw('alter table calls enable trigger user');
  });
  const { own, statements } = watched(t);
  const { limits, letOut } = await server(own);
  await limits.load();
  t.equal(
    statements.filter((sql) => ofTheDay.test(sql)).length,
    4,
    'three of phones, and one of those sent on',
  );
  t.equal(letOut(10_000), 20_000 - 12_345);
  await limits.refresh();
  t.equal(letOut(1), 0);
});

void t.test('of a new extension only its own calls are read, and what is counted stands', async (t) => {
  const { team, server, record } = await setUp({ callsPerDay: 10 });
  for (const call of ['a', 'b', 'c']) await record(call, { ended_at: new Date('2026-11-25T11:00:00Z') });
  const { own, statements } = watched(t);
  const { limits, letOut } = await server(own);
  await limits.load();
  t.equal(letOut(2), 2);
  statements.splice(0);
  await addUser(db, team, { username: 'new' });
  await addExtension(db, team, { number: '5002', user: 'new', ...none, callsPerDay: 1 });
  await setExtension(db, team, '5000', { callsPerDay: 6 });
  await limits.load();
  const days = statements.filter((sql) => ofTheDay.test(sql));
  t.equal(days.length, 2);
  t.ok(
    days.every((sql) => sql.includes('c.from_extension_id = ')),
    'of the two extensions',
  );
  t.equal(letOut(9, '5000'), 1, 'three before it started, two of its own');
  t.equal(letOut(9, '5002'), 1);
  t.equal(letOut(9, '5001'), 3, 'the team has three left');
});

void t.test('whoever leaves a user group takes along what they have spent there', async (t) => {
  const { team, server, record } = await setUp();
  const { id } = await db('teams').where({ identity: team }).first<{ id: number }>('id');
  const users = await db('users').where({ team_id: id }).orderBy('username').pluck<number[]>('id');
  const [group] = await db('user_groups')
    .insert({ team_id: id, name: 'sales', position: 1, calls_per_day: 5 })
    .returning<{ id: number }[]>('id');
  for (const user of users)
    await db('user_group_members').insert({ team_id: id, user_group_id: group?.id, user_id: user });
  for (const call of ['a', 'b', 'c']) await record(call);
  const { limits, letOut } = await server();
  t.equal(letOut(1, '5001'), 1);
  await db('user_group_members').where({ user_id: users[0] }).delete();
  await limits.load();
  t.equal(letOut(9, '5001'), 4);
  t.equal(letOut(9, '5000'), 9);
  await db('user_group_members').insert({ team_id: id, user_group_id: group?.id, user_id: users[0] });
  await limits.load();
  t.equal(letOut(9, '5000'), 0);
});

void t.test(
  'a call that came in and goes out again counts, on every server and after a restart',
  async (t) => {
    const { team, server, record, clock } = await setUp({ callsPerDay: 3, minutesPerDay: 10 });
    const arrived = { direction: 'in', from_extension_id: null, class: null };
    await record('in', arrived);
    await record('in that stays', arrived);
    const [one, other] = [await server(), await server()];
    clock.at += 5 * minute;
    t.equal(one.call(null, { call: 'in' }), undefined);
    await one.limits.refresh();
    const answered = new Date(clock.at + 5000);
    const leg = {
      ...arrived,
      arrived_at: new Date(clock.at - 5 * minute),
      leg: 'leg',
      leg_answered_at: answered,
    };
    await record('in', leg);
    clock.at += 4 * minute;
    for (const { limits } of [one, other]) await limits.refresh();
    const used = async (server: typeof one) => {
      await server.limits.refresh();
      return Array.from({ length: 3 }, () =>
        server.limits.check({ team, extension: null, class: 'national', at: clock.at }),
      );
    };
    t.strictSame(await used(one), [undefined, undefined, undefined]);
    clock.at += 7 * minute;
    for (const each of [one, other, await server()])
      t.match((await used(each))[0], { limit: 'minutes-per-day' });
    await record('in', { ...leg, leg_ended_at: new Date(answered.getTime() + 6 * minute) });
    for (let times = 0; times < 4; times++) {
      clock.at += minute;
      for (const { limits } of [one, other]) await limits.refresh();
    }
    for (const [index, each] of [one, other, await server()].entries()) {
      t.strictSame(await used(each), [undefined, undefined, undefined], `six minutes, server ${index}`);
      t.equal(each.letOut(9, null), 2, 'it was one call');
    }
    t.strictSame(one.limits.size, { calls: 2, sums: 1 }, 'the call itself is let go of');
  },
);

void t.test('a call that came in, and that no trunk was sent, is given back when it is over', async (t) => {
  const { server, record, clock } = await setUp({ callsPerDay: 3 });
  const arrived = { direction: 'in', from_extension_id: null, class: null, arrived_at: new Date(clock.at) };
  for (const call of ['full', 'unanswered']) await record(call, arrived);
  const { limits, call, letOut } = await server();
  for (const one of ['full', 'unanswered']) t.equal(call(null, { call: one }), undefined);
  const { id, team_id } = await db('calls')
    .where({ uniqueid: 'unanswered' })
    .first<{ id: number; team_id: number }>();
  await db('call_tries').insert({
    team_id,
    call_id: id,
    position: 1,
    trunk: 'a',
    at: new Date(),
    outcome: 'ended',
    key: '1:1:a',
  });
  for (const one of ['full', 'unanswered']) await record(one, { ...arrived, ended_at: new Date(clock.at) });
  await limits.refresh();
  clock.at += 2 * minute;
  await limits.refresh();
  t.equal(letOut(9), 2, 'one counts, that nobody has answered');
});
