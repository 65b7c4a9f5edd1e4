import t from 'tap';
import { addExtension, setExtension } from '../../domain/provisioning/numbers/extension.js';
import type { TeamChanges } from '../../domain/provisioning/team.js';
import { addUser } from '../../domain/provisioning/people/user.js';
import { until } from '../../domain/machine/processes.js';
import { freshDatabase } from '../support/database.js';
import { limitedTeam, minute, none, watched } from '../support/limited-team.js';
import { pieces } from '../support/pieces.js';

const { db, url } = await freshDatabase(t);
const setUp = (limits?: TeamChanges) => limitedTeam(db, limits);
const ofTheDay = /\(c\.arrived_at, c\.id\) >/;

void t.test('a day that cannot be read keeps nobody waiting: what is known counts until it is', async (t) => {
  const { server, said, record } = await setUp({ callsPerDay: 5 });
  for (const call of ['a', 'b']) await record(call);
  const { own, fail } = watched(t, url);
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
  const { own, fail } = watched(t, url);
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
  // What tells of each call would take longer than a statement may.
  await db.raw('alter table calls disable trigger user');
  for (const piece of pieces(12_345))
    await db.raw(
      `insert into calls (team_id, node, uniqueid, direction, class, arrived_at, ended_at)
       select t.id, :node, 'many.' || n, 'out', 'national', m.at, m.at
       from teams t cross join generate_series(:from::integer, :to) n
       cross join lateral (select :at::timestamptz - make_interval(secs => n / 3) as at) m where t.identity = :team`,
      { team, node, at: new Date(clock.at), ...piece },
    );
  await db.raw('alter table calls enable trigger user');
  const { own, statements } = watched(t, url);
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

void t.test('however many ask meanwhile, one look waits for its turn', async (t) => {
  const { server } = await setUp({ callsPerDay: 5 });
  const { own, statements } = watched(t, url);
  const { limits } = await server(own);
  await limits.load();
  statements.splice(0);
  await Promise.all(Array.from({ length: 50 }, () => limits.refresh()));
  const looks = (): number => statements.filter((sql) => /max\(id\)/.test(sql)).length;
  t.equal(looks(), 1);
  const first = limits.refresh();
  await until('it to be under way', () => (looks() > 1 ? true : undefined));
  await Promise.all([first, limits.refresh(), limits.refresh()]);
  t.equal(looks(), 3, 'one that has begun knows nothing of what came after');
});

void t.test('of a new extension only its own calls are read, and what is counted stands', async (t) => {
  const { team, server, record } = await setUp({ callsPerDay: 10 });
  for (const call of ['a', 'b', 'c']) await record(call, { ended_at: new Date('2026-11-25T11:00:00Z') });
  const { own, statements } = watched(t, url);
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
