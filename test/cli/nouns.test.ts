import t from 'tap';
import { freshDatabase } from '../support/database.js';
import { cli, star64, type CliResult } from '../support/processes/cli.js';

const { url } = await freshDatabase(t);
const env = { DATABASE_URL: url };

/** Runs a command that must succeed, as JSON. */
async function json(...args: string[]): Promise<unknown> {
  const result = await cli([...args, '--json'], { env });
  if (result.status !== 0) throw new Error(`star64 ${args.join(' ')}: ${result.err}`);
  return JSON.parse(result.out);
}

const created = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/;

await t.test('a call centre is set up with six commands; field names are stable', async (t) => {
  t.match(await json('user', 'add', 'anna', '--name', 'Anna Berg'), {
    team: 'astercc',
    username: 'anna',
    name: 'Anna Berg',
    administrator: false,
    login: false,
    extensions: [],
    agents: [],
    created_at: created,
  });
  t.match(await json('extension', 'add', '5000', '--user', 'anna'), {
    team: 'astercc',
    number: '5000',
    user: 'anna',
    kind: 'sip',
    telephone: null,
    created_at: created,
    secret: /^[A-Za-z0-9]{32}$/,
  });
  t.match(await json('group', 'add', 'support', '--number', '6000'), {
    team: 'astercc',
    name: 'support',
    number: '6000',
    strategy: 'rrmemory',
    ring_seconds: 15,
    wrap_up: 'answer',
    wrap_up_seconds: 30,
    work_mode: 'all',
    sign_out_at: null,
    idle_sign_out_seconds: null,
    announce_agent: false,
    announce_call: false,
    agents: [],
    dids: [],
    leaving_since: null,
    created_at: created,
  });
  await json('group', 'add', 'sales');
  t.match(await json('agent', 'add', '1001', '--user', 'anna', '--groups', 'support, sales'), {
    team: 'astercc',
    number: '1001',
    user: 'anna',
    name: 'Anna Berg',
    kind: 'adaptive',
    extension: null,
    groups: ['support', 'sales'],
    penalties: {},
    pin: false,
    signed_in_at: null,
    created_at: created,
  });
  t.match(await json('did', 'add', '600100', '--group', 'support'), {
    team: 'astercc',
    number: '600100',
    to: 'group:support',
    created_at: created,
  });
  t.match(await json('team', 'list'), [
    {
      identity: 'astercc',
      name: 'astercc',
      administrator: null,
      time_zone: 'UTC',
      phone_pin: false,
      created_at: created,
    },
  ]);
});

await t.test('each noun lists for a pipe and for a person', async (t) => {
  const out = async (noun: string, terminal: boolean) => (await cli([noun, 'list'], { env, terminal })).out;
  t.equal(await out('team', false), 'astercc\tastercc\t\tUTC\tno\t\n');
  t.equal(await out('user', false), 'anna\tAnna Berg\tno\tno\t5000\t1001\n');
  t.equal(await out('extension', false), '5000\tanna\tsip\t\n');
  t.equal(await out('agent', false), '1001\tanna\tAnna Berg\tadaptive\t\tsupport,sales\t\tno\t\n');
  t.equal(
    await out('group', false),
    'sales\t\trrmemory\t15\tanswer\t30\tall\t\t\tno\tno\t1001\t\t\n' +
      'support\t6000\trrmemory\t15\tanswer\t30\tall\t\t\tno\tno\t1001\t600100\t\n',
  );
  t.equal(await out('did', false), '600100\tgroup:support\n');
  t.equal(await out('extension', true), 'NUMBER  USER  KIND  TELEPHONE\n5000    anna  sip   -\n');
  t.equal(
    await out('agent', true),
    'NUMBER  USER  NAME       KIND      EXTENSION  GROUPS         PENALTIES  PIN  SIGNED IN AT\n' +
      '1001    anna  Anna Berg  adaptive  -          support,sales  -          no   -\n',
  );
});

await t.test('set changes what is typed and nothing else', async (t) => {
  t.match(await json('group', 'set', 'support', '--wrap-up', 'ring', '--wrap-up-seconds', '0'), {
    number: '6000',
    strategy: 'rrmemory',
    ring_seconds: 15,
    wrap_up: 'ring',
    wrap_up_seconds: 0,
  });
  t.match(await json('group', 'set', 'support', '--no-number'), { number: null, wrap_up: 'ring' });
  t.match(await json('group', 'set', 'support', '--number', '6001'), { number: '6001' });
  t.match(await json('user', 'set', 'anna', '--administrator'), { administrator: true, name: 'Anna Berg' });
  t.match(await json('team', 'show', 'astercc'), { administrator: 'anna' });
  t.match(await json('user', 'set', 'anna', '--no-administrator'), { administrator: false });
  t.match(await json('agent', 'set', '1001', '--kind', 'fixed', '--extension', '5000'), {
    kind: 'fixed',
    extension: '5000',
    groups: ['support', 'sales'],
  });
  t.match(await json('agent', 'set', '1001', '--kind', 'adaptive', '--groups', 'sales'), {
    kind: 'adaptive',
    groups: ['sales'],
  });
  t.match(await json('did', 'set', '600100', '--extension', '5000'), { to: 'extension:5000' });
  t.match(await json('team', 'set', 'astercc', '--name', '客服中心'), { name: '客服中心' });
  for (const noun of ['team', 'user', 'extension', 'agent', 'group']) {
    t.match(
      await cli([noun, 'set', '5000'], { env }),
      { status: 2, out: '', err: /nothing to change/ },
      noun,
    );
  }
});

await t.test('passwords and secrets come from stdin, and only the secret ever comes out', async (t) => {
  const password = 'correct horse battery';
  const added = await cli(['user', 'add', 'ben', '--password-stdin', '--json'], {
    env,
    input: `${password}\n`,
  });
  t.match(JSON.parse(added.out), { username: 'ben', login: true });
  t.notMatch(added.out + added.err, /correct|scrypt/);
  t.match(await json('user', 'set', 'ben', '--no-login'), { login: false });
  t.match(await cli(['user', 'set', 'ben', '--password-stdin'], { env }), {
    status: 2,
    err: /stdin holds no password/,
  });

  const secret = 'MyOwnSecretMyOwnSecret24';
  const given = await cli(['extension', 'add', '5001', '--user', 'ben', '--secret-stdin', '--json'], {
    env,
    input: `${secret}\r\n`,
  });
  t.match(JSON.parse(given.out), { secret });
  t.notOk((await cli(['extension', 'show', '5001'], { env })).out.includes(secret));
  t.notOk((await cli(['extension', 'list', '--json'], { env })).out.includes(secret));
  t.match(await json('extension', 'show', '5001', '--secret'), {
    secret,
    login: 'astercc-5001',
    server: null,
  });
  const told = await cli(['extension', 'show', '5001', '--secret'], {
    env: { ...env, STAR64_ASTERISK_SIP_SERVER: 'pbx:5060' },
  });
  t.match(
    told,
    { out: /\nlogin\tastercc-5001\nserver\tpbx:5060\nsecret\t\S+\n$/, err: '' },
    'all that a phone needs',
  );
  t.match(await json('extension', 'set', '5001', '--new-secret'), { secret: /^(?!MyOwn)[A-Za-z0-9]{32}$/ });
  t.match(await cli(['extension', 'set', '5001', '--new-secret', '--secret-stdin'], { env, input: secret }), {
    status: 2,
    err: /exclude each other/,
  });
  const same = await cli(['user', 'set', 'ben', '--password-stdin'], {
    env,
    input: ((await json('extension', 'show', '5001', '--secret')) as { secret: string }).secret,
  });
  t.match(same, { status: 2, out: '', err: /must differ from the SIP secret of extension 5001/ });
});

await t.test('--team and STAR64_TEAM choose the team, --system none', async (t) => {
  await json('team', 'add', 'other');
  await json('user', 'add', 'zoe', '--team', 'other');
  await json('--team', 'other', 'extension', 'add', '5000', '--user', 'zoe');
  t.equal(
    (await cli(['extension', 'list'], { env: { ...env, STAR64_TEAM: 'other' } })).out,
    '5000\tzoe\tsip\t\n',
  );
  t.equal(
    (await cli(['extension', 'list', '--team', 'astercc'], { env: { ...env, STAR64_TEAM: 'other' } })).out,
    '5000\tanna\tsip\t\n5001\tben\tsip\t\n',
    'the flag beats the environment',
  );
  t.match(await json('user', 'add', 'operator', '--system'), { team: null });
  t.equal((await cli(['user', 'list', '--system'], { env })).out, 'operator\toperator\tno\tno\t\t\n');
  t.match(await cli(['user', 'show', 'operator'], { env }), { status: 4 });
});

await t.test('remove takes things away in the order that its refusals name', async (t) => {
  const refusal = await cli(['user', 'remove', 'anna'], { env });
  t.match(refusal, { status: 5, out: '', err: /agent 1001 .*`star64 agent remove 1001`.*extension 5000/ });
  t.match(await json('did', 'remove', '600100'), { noun: 'did', name: '600100', removed: true });
  t.match(await json('agent', 'remove', '1001'), { removed: true });
  t.match(await json('extension', 'remove', '5000'), { removed: true });
  t.match(await cli(['user', 'remove', 'anna'], { env }), { status: 0, out: '', err: /removed user anna/ });
  t.match(await json('group', 'remove', 'support'), { name: 'support', leaving_since: created });
  t.match(await cli(['group', 'add', 'support'], { env }), { status: 5, err: /leaving/ });
  t.equal((await cli(['extension', 'list', '--team', 'other'], { env })).out, '5000\tzoe\tsip\t\n');
});

await t.test('as a process: data on stdout, talk on stderr, closed and done', async (t) => {
  const added = await star64(['user', 'add', 'carl', '--password-stdin', '--json'], {
    env,
    input: 'long enough\n',
  });
  t.equal(added.status, 0, added.err);
  t.match(JSON.parse(added.out), { username: 'carl', login: true });
  t.equal(added.err, '');
  const removed: CliResult = await star64(['user', 'remove', 'carl'], { env });
  t.match(removed, { status: 0, out: '', err: 'removed user carl of team astercc\n' });
});
