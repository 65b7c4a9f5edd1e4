import t from 'tap';
import { connect } from '../../domain/database/pool.js';
import { EventFeed } from '../../domain/monitor/event-feed.js';
import { setExtension } from '../../domain/provisioning/numbers/extension.js';
import { allHours } from '../../domain/provisioning/features/hours.js';
import { setTeam, type TeamChanges } from '../../domain/provisioning/team.js';
import { until } from '../../domain/machine/processes.js';
import { patient } from '../../lab/patience.js';
import { freshDatabase } from '../support/database.js';
import { feedMs } from '../support/doors/event-feed.js';
import { limitedTeam, minute } from '../support/limited-team.js';

const { db, url } = await freshDatabase(t);
const setUp = (limits?: TeamChanges) => limitedTeam(db, limits);

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
  const own = connect(url, patient);
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
    const next = (): Promise<object> => until('an event', async () => (await feed.next()).events[0], feedMs);
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
