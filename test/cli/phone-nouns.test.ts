import t from 'tap';
import { quoted } from '../../domain/names.js';
import { cli, star64 } from '../support/processes/cli.js';
import { freshDatabase } from '../support/database.js';

const { url, db } = await freshDatabase(t);
const env = { DATABASE_URL: url };

/** Runs a command that must succeed, as JSON. */
async function json(...args: string[]): Promise<unknown> {
  const result = await cli([...args, '--json'], { env });
  if (result.status !== 0) throw new Error(`star64 ${args.join(' ')}: ${result.err}`);
  return JSON.parse(result.out);
}

await json('user', 'add', 'anna');
await json('extension', 'add', '5000', '--user', 'anna');
await json('group', 'add', 'support', '--number', '6000');
await json('group', 'add', 'sales');
await json('agent', 'add', '1001', '--user', 'anna', '--groups', 'support,sales');

await t.test('feature codes are listed, aliased, changed and disabled', async (t) => {
  t.match(await cli(['feature-code', 'list'], { env }), {
    status: 0,
    out:
      '*64\tsign-in\n*65\tsign-out\n*66\tpause\n*67\tready\n*62\twork-mode\n' +
      '*63\tcurrent-group\n*60\tstatus\n',
    err: '',
  });
  t.match(
    (await cli(['feature-code', 'list'], { env, terminal: true })).out,
    /^CODE {2}FEATURE\n\*64 {3}sign/,
  );
  t.same(await json('feature-code', 'add', '*88', '--feature', 'pause'), {
    team: 'astercc',
    code: '*88',
    feature: 'pause',
  });
  t.same(await json('feature-code', 'show', '*88'), { team: 'astercc', code: '*88', feature: 'pause' });
  t.match(await json('feature-code', 'set', '*88', '--feature', 'ready'), { code: '*88', feature: 'ready' });
  t.match(await json('feature-code', 'set', '*88', '--code', '*89', '--feature', 'pause'), {
    code: '*89',
    feature: 'pause',
  });
  t.match(await cli(['feature-code', 'remove', '*66'], { env }), {
    status: 0,
    out: '',
    err: 'removed feature code *66 of team astercc\n',
  });
  t.match(await cli(['feature-code', 'remove', '*89'], { env }), {
    status: 0,
    out: '',
    err: 'removed feature code *89 of team astercc: it was the last for pause, which is disabled now\n',
  });
  t.same(await json('feature-code', 'add', '*66', '--feature', 'pause'), {
    team: 'astercc',
    code: '*66',
    feature: 'pause',
  });
  t.same(await json('feature-code', 'remove', '*66'), { noun: 'feature-code', name: '*66', removed: true });
});

await t.test('a clash is a conflict that names what holds the number', async (t) => {
  for (const [args, says] of [
    [['feature-code', 'add', '5000', '--feature', 'pause'], /extension 5000 of user anna/],
    [['feature-code', 'add', '60', '--feature', 'pause'], /queue of group support/],
    [['feature-code', 'add', '*64', '--feature', 'pause'], /\*64 .* exists already, for sign-in/],
    [['feature-code', 'set', '*64', '--code', '*651'], /begins with \*65, the feature code for sign-out/],
  ] as const) {
    t.match(await cli(args, { env }), { status: 5, out: '', err: says }, args.join(' '));
  }
  t.match(await cli(['feature-code', 'show', '*99'], { env }), { status: 4, err: /feature code "\*99"/ });
});

await t.test('pause reasons have a digit, a name and a limit', async (t) => {
  const lunch = { team: 'astercc', digit: '1', name: 'Lunch', max_seconds: 3600, at_end: 'ready' };
  t.same(await json('pause-reason', 'add', '1', 'Lunch', '--max', '3600'), lunch);
  t.same(await json('pause-reason', 'show', '1'), lunch);
  await json('pause-reason', 'add', '2', 'Doctor', '--at-end', 'sign-out');
  t.equal(
    (await cli(['pause-reason', 'list'], { env })).out,
    '1\tLunch\t3600\tready\n2\tDoctor\t\tsign-out\n',
  );
  t.match(await json('pause-reason', 'set', '2', '--max', '60', '--name', '医生'), {
    name: '医生',
    max_seconds: 60,
    at_end: 'sign-out',
  });
  t.match(await json('pause-reason', 'set', '2', '--no-max', '--at-end', 'ready'), {
    name: '医生',
    max_seconds: null,
    at_end: 'ready',
  });
  t.match(await cli(['pause-reason', 'add', '1', 'Coffee'], { env }), {
    status: 5,
    err: /digit 1 .*"Lunch"/,
  });
  t.match(await cli(['pause-reason', 'add', '3', 'Lunch'], { env }), { status: 5, err: /at digit 1/ });
  t.match(await cli(['pause-reason', 'add', '0', 'None'], { env }), { status: 2, err: /from 1 to 9/ });
  t.match(await cli(['pause-reason', 'remove', '2'], { env }), {
    status: 0,
    out: '',
    err: 'removed pause reason 2 of team astercc\n',
  });
  t.match(await cli(['pause-reason', 'show', '2'], { env }), { status: 4 });
});

await t.test('a group is told what its agents do and when they are signed out', async (t) => {
  t.match(
    await json(
      ...['group', 'set', 'support', '--work-mode', 'choice', '--sign-out-at', '18:00'],
      ...['--idle-sign-out', '900', '--announce-agent', 'on', '--announce-call', 'on'],
    ),
    {
      work_mode: 'choice',
      sign_out_at: '18:00',
      idle_sign_out_seconds: 900,
      announce_agent: true,
      announce_call: true,
      number: '6000',
    },
  );
  t.equal(
    (await cli(['group', 'list'], { env })).out.split('\n')[1],
    'support\t6000\trrmemory\t15\tanswer\t30\tchoice\t18:00\t900\tyes\tyes\t1001\t\t',
  );
  t.match(await json('group', 'set', 'support', '--no-sign-out-at'), {
    sign_out_at: null,
    idle_sign_out_seconds: 900,
  });
  t.match(await json('group', 'set', 'support', '--no-idle-sign-out'), { idle_sign_out_seconds: null });
  t.match(await json('group', 'set', 'support', '--idle-sign-out', '60'), { idle_sign_out_seconds: 60 });
  t.match(await json('group', 'set', 'support', '--idle-sign-out', '0', '--announce-call', 'off'), {
    idle_sign_out_seconds: null,
    announce_call: false,
    announce_agent: true,
  });
  t.match(await json('group', 'add', 'night', '--work-mode', 'outbound', '--sign-out-at', '06:00'), {
    work_mode: 'outbound',
    sign_out_at: '06:00',
    idle_sign_out_seconds: null,
  });
});

await t.test('a team has a time zone, and who has no PIN is named when one is asked for', async (t) => {
  t.match(await json('team', 'set', 'astercc', '--time-zone', 'Europe/Berlin'), {
    time_zone: 'Europe/Berlin',
    phone_pin: false,
  });
  t.match(await json('team', 'add', 'other', '--time-zone', 'Asia/Tokyo', '--phone-pin', 'on'), {
    time_zone: 'Asia/Tokyo',
    phone_pin: true,
  });
  t.equal(
    (await cli(['team', 'list'], { env })).out,
    'astercc\tastercc\t\tEurope/Berlin\tno\t\nother\tother\t\tAsia/Tokyo\tyes\t\n',
  );
  t.match(await cli(['team', 'set', 'astercc', '--time-zone', 'Berlin'], { env }), {
    status: 2,
    out: '',
    err: /time zone "Berlin".*"Europe\/Berlin"/,
  });
  for (const number of ['1002', '1003', '1004', '1005', '1006', '1007']) {
    await json('agent', 'add', number, '--user', 'anna', '--groups', 'sales');
  }
  await json('agent', 'set', '1002', '--kind', 'fixed', '--extension', '5000');
  const on = await cli(['team', 'set', 'astercc', '--phone-pin', 'on', '--json'], { env });
  t.match(JSON.parse(on.out), { phone_pin: true, time_zone: 'Europe/Berlin' });
  t.equal(
    on.err,
    'These agents have no PIN and cannot sign in by phone: 1001, 1003, 1004, 1005, 1006, and 1 more. ' +
      'Give each one with `star64 agent set <number> --pin-stdin`.\nnot in Asterisk yet: star64 apply\n',
  );
  t.match(await cli(['team', 'set', 'astercc', '--phone-pin', 'off'], { env }), {
    status: 0,
    err: 'not in Asterisk yet: star64 apply\n',
  });
});

await t.test('a PIN comes from stdin and never comes out', async (t) => {
  const pin = '730551';
  const set = await star64(['agent', 'set', '1001', '--pin-stdin', '--json'], { env, input: `${pin}\n` });
  t.equal(set.status, 0, set.err);
  t.match(JSON.parse(set.out), { number: '1001', pin: true });
  const added = await cli(
    ['agent', 'add', '1008', '--user', 'anna', '--groups', 'sales', '--pin-stdin', '--json'],
    { env, input: pin },
  );
  t.match(JSON.parse(added.out), { number: '1008', pin: true });
  const shown = await cli(['agent', 'show', '1001', '--json'], { env });
  t.match(JSON.parse(shown.out), { pin: true });
  const list = await cli(['agent', 'list', '--json'], { env });
  for (const { out, err } of [set, added, shown, list]) t.notMatch(out + err, /730551|scrypt|hash/);
  t.match((await cli(['agent', 'show', '1001'], { env })).out, /^pin\tyes$/m);

  for (const [input, says] of [
    ['', /stdin holds no PIN/],
    ['123\n', /4 to 10 digits/],
    ['1001\n', /not the agent number/],
    ['0000\n', /not one digit repeated/],
  ] as const) {
    t.match(await cli(['agent', 'set', '1001', '--pin-stdin'], { env, input }), {
      status: 2,
      out: '',
      err: says,
    });
  }
  t.match(await cli(['agent', 'set', '1001', '--pin-stdin', '--no-pin'], { env, input: pin }), {
    status: 2,
    err: /exclude each other/,
  });
  t.match(await cli(['agent', 'set', '1001', '--pin', pin], { env }), { status: 2, out: '' });
  t.match(await json('agent', 'show', '1001'), { pin: true }, 'a refusal changes nothing');
  t.match(await json('agent', 'set', '1001', '--no-pin'), { pin: false });
});

await t.test('an agent has a penalty for each group', async (t) => {
  t.match(await json('agent', 'set', '1001', '--penalty', 'support=10', '--penalty', 'sales=3'), {
    penalties: { support: 10, sales: 3 },
  });
  t.match((await cli(['agent', 'show', '1001'], { env })).out, /^penalties\tsupport=10,sales=3$/m);
  t.match(await json('agent', 'set', '1001', '--penalty', 'sales=0'), { penalties: { support: 10 } });
  t.match(await json('agent', 'add', '1009', '--user', 'anna', '--groups', 'sales', '--penalty', 'sales=5'), {
    penalties: { sales: 5 },
  });
  for (const [value, status, says] of [
    ['support', 2, /as support=10/],
    ['support=x', 2, /as support=10/],
    ['=1', 2, /as support=10/],
    ['support=1001', 2, /0 to 1000/],
    ['night=1', 2, /not in group night/],
    ['nowhere=1', 4, /group "nowhere"/],
    ['__proto__=1', 4, /group "__proto__"/],
  ] as const) {
    const refused = await cli(['agent', 'set', '1001', '--penalty', value], { env });
    t.match(refused, { status, out: '', err: says }, value);
  }
  t.match(await cli(['agent', 'set', '1001', '--penalty', 'sales=1', '--penalty', 'sales=2'], { env }), {
    status: 2,
    err: /only once/,
  });
});

await t.test('set without anything to change says what could be', async (t) => {
  for (const [args, says] of [
    [['feature-code', 'set', '*64'], /--feature, --code/],
    [['pause-reason', 'set', '1'], /--name, --max, --no-max, --at-end/],
    [['team', 'set', 'astercc'], /--time-zone, --phone-pin/],
    [['group', 'set', 'support'], /--work-mode, --sign-out-at, --no-sign-out-at, --idle-sign-out/],
    [['agent', 'set', '1001'], /--penalty, --pin-stdin, --no-pin/],
  ] as const) {
    t.match(await cli(args, { env }), { status: 2, out: '', err: says }, args.join(' '));
  }
});

await t.test('what a hostile value may be typed into refuses it, and nothing is written', async (t) => {
  const tables = ['teams', 'agents', 'agent_groups', 'agent_group_members', 'feature_codes', 'pause_reasons'];
  const everything = async () =>
    JSON.stringify(await Promise.all(tables.map((table) => db(table).select('*').orderByRaw('1, 2, 3'))));
  const before = await everything();
  const commands = (value: string): string[][] => [
    ['feature-code', 'add', value, '--feature', 'pause'],
    ['feature-code', 'add', '*70', '--feature', value],
    ['feature-code', 'set', value, '--feature', 'pause'],
    ['feature-code', 'set', '*64', '--code', value],
    ['feature-code', 'remove', value],
    ['pause-reason', 'add', value, 'Coffee'],
    ['pause-reason', 'add', '5', 'Coffee', '--max', value],
    ['pause-reason', 'add', '5', 'Coffee', '--at-end', value],
    ['pause-reason', 'show', value],
    ['pause-reason', 'remove', value],
    ['team', 'set', 'astercc', '--time-zone', value],
    ['team', 'set', 'astercc', '--phone-pin', value],
    ['group', 'set', 'support', '--work-mode', value],
    ['group', 'set', 'support', '--sign-out-at', value],
    ['group', 'set', 'support', '--idle-sign-out', value],
    ['group', 'set', 'support', '--announce-agent', value],
    ['group', 'set', 'support', '--announce-call', value],
    ['agent', 'set', '1001', '--penalty', value],
    ['agent', 'set', '1001', '--penalty', `${value}=1`],
  ];
  for (const value of [
    '\u001b[2J',
    '*64\n[evil]',
    '1;x',
    '${EXTEN}',
    "x'); drop table teams;--",
    '客服',
    '',
  ]) {
    for (const args of commands(value)) {
      const { status, out, err } = await cli(args, { env });
      t.ok(status === 2 || status === 4, `${args.slice(0, 2).join(' ')} ${quoted(value)} -> ${status ?? ''}`);
      t.equal(out, '');
      t.notMatch(err, /(?!\n)[\p{Cc}\p{Zl}\p{Zp}]/u, 'the message cannot move the cursor');
    }
  }
  t.equal(await everything(), before);
});
