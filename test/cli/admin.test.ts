import { userInfo } from 'node:os';
import t, { type Test } from 'tap';
import { cli } from '../support/processes/cli.js';
import { freshDatabase } from '../support/database.js';

const { url, db } = await freshDatabase(t);
const env = { DATABASE_URL: url };

/** Runs a command that must succeed, as JSON. */
async function json(...args: string[]): Promise<unknown> {
  const result = await cli([...args, '--json'], { env });
  if (result.status !== 0) throw new Error(`star64 ${args.join(' ')}: ${result.err}`);
  return JSON.parse(result.out);
}

/** What a refused command says on stderr; it must print no data, also as JSON, and end with this status. */
async function refused(t: Test, status: number, ...args: string[]): Promise<string> {
  const result = await cli([...args, '--json'], { env });
  t.match(result, { status, out: '' }, args.join(' '));
  return result.err;
}

await json('user', 'add', 'anna');
for (const number of ['5001', '5002', '5003']) await json('extension', 'add', number, '--user', 'anna');
await json('group', 'add', 'support', '--number', '6000', '--work-mode', 'choice');
await json('group', 'add', 'sales');
await json('group', 'add', 'night');
for (const number of ['1001', '1002'])
  await json('agent', 'add', number, '--user', 'anna', '--groups', 'support,sales');
await json(
  ...[
    'agent',
    'add',
    '1009',
    '--user',
    'anna',
    '--groups',
    'sales',
    '--kind',
    'fixed',
    '--extension',
    '5003',
  ],
);
await json('team', 'add', 'b2');

/** Puts a signed-in agent into a state, as the events of a call would. */
async function put(agent: string, state: 'idle' | 'ringing' | 'talking' | 'wrap-up'): Promise<void> {
  await db.raw(
    `update agent_states s set state = ?::agent_state, offer_id = '1700000000.1' from agents a
     where a.id = s.agent_id and a.number = ? and s.ended_at is null`,
    [state, agent],
  );
}

/** Makes every sign-in so many minutes old: old enough to be moved; or too young, however long the next command takes. */
async function sinceMinutes(minutes: number): Promise<void> {
  await db('sign_ins')
    .whereNull('signed_out_at')
    .update({ signed_in_at: db.raw('clock_timestamp() - make_interval(mins => ?)', [minutes]) });
}

await t.test('sign-in, move and sign-out: what came of it, and who did it', async (t) => {
  const at = (extension: string, outcome: string) => ({ team: 'astercc', agent: '1001', extension, outcome });
  t.same(await json('agent', 'sign-in', '1001', '--extension', '5001'), {
    ...at('5001', 'signed-in'),
    left: null,
  });
  t.same(
    await json('agent', 'sign-in', '1001', '--extension', '5001'),
    { ...at('5001', 'signed-in'), left: null },
    'asked again, it is so already',
  );
  t.match(await json('agent', 'show', '1001'), { signed_in_at: '5001' });
  await sinceMinutes(-60);
  t.match(
    await refused(t, 5, 'agent', 'sign-in', '1001', '--extension', '5002'),
    /just been signed in at extension 5001: wait 5 seconds/,
  );
  await sinceMinutes(1);
  t.same(await json('agent', 'sign-in', '1001', '--extension', '5002'), {
    ...at('5002', 'moved'),
    left: '5001',
  });
  t.equal(
    (await cli(['agent', 'sign-out', '1001'], { env })).out,
    'team\tastercc\nagent\t1001\nextension\t5002\noutcome\tsigned-out\n',
  );
  t.match(
    await refused(t, 5, 'agent', 'sign-out', '1001'),
    /agent 1001 of team astercc is not signed in/,
    'the sign-out of an earlier command is not taken for its own',
  );
  const by = await db('sign_ins').select<{ signed_in_by: string; signed_out_by: string }[]>();
  for (const { signed_in_by, signed_out_by } of by) {
    t.match([signed_in_by, signed_out_by], [`cli:${userInfo().username}:`, `cli:${userInfo().username}:`]);
  }
});

await t.test('what does not exist is not found, whatever the action', async (t) => {
  for (const rest of [
    ['sign-in', '7777', '--extension', '5001'],
    ['sign-out', '7777'],
    ['pause', '7777'],
    ['ready', '7777'],
    ['work-mode', '7777', 'all'],
    ['current-group', '7777', 'support'],
  ]) {
    t.match(await refused(t, 4, 'agent', ...rest), /agent "7777" does not exist in team astercc/);
  }
  t.match(
    await refused(t, 4, 'agent', 'sign-in', '1001', '--extension', '5999'),
    /extension "5999" does not exist in team astercc/,
  );
  t.match(await refused(t, 4, '--team', 'b2', 'agent', 'sign-out', '1001'), /agent "1001" .* team b2/);
  t.match(await refused(t, 4, 'group', 'sign-out-all', 'nothing'), /group "nothing" does not exist/);
  t.match(await refused(t, 4, 'agent', 'current-group', '1001', 'nothing'), /group "nothing" does not exist/);
  t.match(await refused(t, 2, 'agent', 'sign-in', '1001'), /--extension/);
  t.equal(await db('sign_in_failures').first(), undefined, 'and counts for no lock of a phone');
});

await t.test('what stands in the way is a conflict that says what', async (t) => {
  await json('agent', 'sign-in', '1001', '--extension', '5001');
  t.match(
    await refused(t, 5, 'agent', 'sign-in', '1002', '--extension', '5001'),
    /extension 5001 .* is taken by agent 1001: .*`star64 agent sign-out 1001`/,
  );
  t.match(
    await refused(t, 5, 'agent', 'sign-in', '1009', '--extension', '5002'),
    /agent 1009 of team astercc is fixed: their phone is extension 5003/,
  );
  await sinceMinutes(1);
  for (const state of ['ringing', 'talking'] as const) {
    await put('1001', state);
    for (const rest of [
      ['sign-in', '1001', '--extension', '5002'],
      ['pause', '1001'],
      ['ready', '1001'],
    ]) {
      t.match(
        await refused(t, 5, 'agent', ...rest),
        /agent 1001 of team astercc is in a call at extension 5001, or it rings there/,
      );
    }
  }
  t.match(
    await json('agent', 'sign-out', '1001'),
    { outcome: 'signed-out' },
    'signing out is for every state',
  );
  for (const rest of [
    ['pause', '1001'],
    ['ready', '1001'],
    ['work-mode', '1001', 'all'],
    ['current-group', '1001', 'sales'],
  ]) {
    t.match(
      await refused(t, 5, 'agent', ...rest),
      /not signed in: first `star64 agent sign-in 1001 --extension/,
    );
  }
});

await t.test('no PIN is asked for, and a lock against guessing does not hold an admin up', async () => {
  await json('team', 'set', 'astercc', '--phone-pin', 'on');
  await db.raw(
    `insert into sign_in_failures (team_id, kind, number, failures, failed_at, locked_until)
     select id, 'agent', '1001', 9, now(), now() + interval '1 hour' from teams where identity = 'astercc'`,
  );
  await json('agent', 'sign-in', '1001', '--extension', '5001');
  await json('agent', 'sign-out', '1001');
  await json('team', 'set', 'astercc', '--phone-pin', 'off');
});

await t.test('of two phones for one agent in the same moment exactly one is his', async (t) => {
  // However far apart a busy machine has the two: the first has just been signed in.
  await db.raw(`
    create function just_now() returns trigger language plpgsql as $$
    begin
      new.signed_in_at := clock_timestamp() + interval '1 hour';
      return new;
    end $$;
    create trigger just_now before insert on sign_ins for each row execute function just_now()`);
  t.teardown(() => db.raw('drop trigger just_now on sign_ins'));
  for (let round = 0; round < 10; round++) {
    const results = await Promise.all(
      ['5001', '5002'].map((extension) =>
        cli(['agent', 'sign-in', '1001', '--extension', extension], { env }),
      ),
    );
    t.same(results.map(({ status }) => status).sort(), [0, 5]);
    const twice = await Promise.all([1, 2].map(() => cli(['agent', 'sign-out', '1001'], { env })));
    t.same(twice.map(({ status }) => status).sort(), [0, 5]);
  }
});

await t.test('pause, with the reasons of the team, and ready', async (t) => {
  await json('agent', 'sign-in', '1001', '--extension', '5001');
  t.match(await json('agent', 'pause', '1001'), { outcome: 'paused', reason: '0' }, 'a team without reasons');
  await json('pause-reason', 'add', '1', 'Lunch');
  t.match(await refused(t, 2, 'agent', 'pause', '1001'), /add --reason .*`star64 pause-reason list`/);
  t.match(await refused(t, 4, 'agent', 'pause', '1001', '--reason', '2'), /pause reason "2" does not exist/);
  t.match(await refused(t, 2, 'agent', 'pause', '1001', '--reason', 'lunch'), /one digit from 1 to 9/);
  t.match(await json('agent', 'pause', '1001', '--reason', '1'), { outcome: 'paused', reason: '1' });
  t.match(
    await db('agent_states').whereNull('ended_at').first(),
    { state: 'paused', reason: 'Lunch', pause_digit: '1' },
    'the reason has changed',
  );
  t.same(await json('agent', 'ready', '1001'), {
    team: 'astercc',
    agent: '1001',
    extension: '5001',
    outcome: 'ready',
  });
  await put('1001', 'wrap-up');
  await json('agent', 'ready', '1001');
  t.match(await db('agent_states').whereNull('ended_at').first(), { state: 'idle' });
  await json('agent', 'sign-out', '1001');
});

await t.test('work mode and current group', async (t) => {
  await json('agent', 'sign-in', '1001', '--extension', '5001');
  t.match(await json('agent', 'work-mode', '1001', 'outbound'), {
    outcome: 'mode-set',
    work_mode: 'outbound',
  });
  t.match(await db('sign_ins').whereNull('signed_out_at').first(), { work_mode: 'outbound' });
  t.match(await refused(t, 2, 'agent', 'work-mode', '1001', 'lazy'), /all, inbound, outbound/);
  await json('group', 'set', 'support', '--work-mode', 'all');
  t.match(
    await refused(t, 5, 'agent', 'work-mode', '1001', 'all'),
    /no group that leaves the work mode to the agent/,
  );

  t.match(
    await json('agent', 'current-group', '1001', 'sales'),
    { outcome: 'group-set', group: 'sales' },
    'one without a number, which no phone can name',
  );
  const current = await db('sign_ins as i')
    .join('agent_groups as g', 'g.id', 'i.current_group_id')
    .whereNull('i.signed_out_at')
    .pluck<string[]>('g.name');
  t.same(current, ['sales']);
  t.match(
    await refused(t, 5, 'agent', 'current-group', '1001', 'night'),
    /not in group night, which has no agents/,
  );
  await json('agent', 'sign-out', '1001');
});

await t.test('a whole group is signed out, in any state, but for its fixed agents', async (t) => {
  const { signInFixedAgents } = await import('../../domain/presence/fixed-agents.js');
  await signInFixedAgents(db);
  t.match(
    await refused(t, 5, 'agent', 'sign-out', '1009'),
    /fixed and always signed in: `star64 agent pause 1009`/,
  );
  await json('agent', 'sign-in', '1001', '--extension', '5001');
  await json('agent', 'sign-in', '1002', '--extension', '5002');
  await put('1001', 'talking');
  t.match(await cli(['group', 'sign-out-all', 'night'], { env }), {
    status: 0,
    out: '',
    err: 'group night of team astercc: signed out 0\n',
  });
  t.match(await cli(['group', 'sign-out-all', 'sales'], { env }), {
    status: 0,
    out: '1009\t5003\tfixed\n1001\t5001\tsigned-out\n1002\t5002\tsigned-out\n',
    err: 'group sales of team astercc: signed out 2; 1 fixed stay\n',
  });
  t.same(await json('group', 'sign-out-all', 'sales'), [
    { team: 'astercc', agent: '1009', extension: '5003', outcome: 'fixed' },
  ]);
  const open = await db('agent_states').whereNull('ended_at');
  t.equal(open.length, 1, 'no state of theirs goes on');
});

await t.test('an unreachable database is told as such', async (t) => {
  const away = { DATABASE_URL: 'postgres://127.0.0.1:1/none' };
  t.match(await cli(['agent', 'ready', '1001'], { env: away }), { status: 6, out: '' });
  t.match(await cli(['group', 'sign-out-all', 'sales'], { env: away }), { status: 6, out: '' });
});
