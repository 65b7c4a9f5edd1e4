import { readFileSync, statSync } from 'node:fs';
import { userInfo } from 'node:os';
import t from 'tap';
import { FakeAmi } from '../pbx/fake-ami.js';
import { cli } from '../support/processes/cli.js';
import { freshDatabase } from '../support/database.js';

const { url } = await freshDatabase(t);
const env = { DATABASE_URL: url, STAR64_ASTERISK_USER: userInfo().username };

/** Runs a command that must succeed, as JSON. */
async function json(...args: string[]): Promise<unknown> {
  const result = await cli([...args, '--json'], { env });
  if (result.status !== 0) throw new Error(`star64 ${args.join(' ')}: ${result.err}`);
  return JSON.parse(result.out);
}

await t.test('trunks of a team and for every team', async (t) => {
  const provider = { team: 'astercc', name: 'provider', endpoint: 'sip-provider', trusted: true };
  t.match(await json('trunk', 'add', 'provider', '--endpoint', 'sip-provider', '--trusted', 'on'), provider);
  t.match(await json('trunk', 'add', 'shared', '--endpoint', 'shared', '--every-team'), { team: null });
  t.match(await json('trunk', 'show', 'provider'), provider);
  t.match(await cli(['trunk', 'list'], { env }), {
    status: 0,
    out: 'provider\tastercc\tsip-provider\t\tyes\nshared\t\tshared\t\tno\n',
    err: '',
  });
  t.match(await json('trunk', 'set', 'shared', '--every-team', '--trusted', 'on'), { trusted: true });
  t.match(await json('trunk', 'set', 'provider', '--trusted', 'off'), { trusted: false });
  t.match(await json('team', 'set', 'astercc', '--trunk', 'provider'), { trunk: 'provider' });
  t.match(await json('team', 'show', 'astercc'), { trunk: 'provider' });
  t.match(await cli(['trunk', 'remove', 'provider'], { env }), {
    status: 5,
    out: '',
    err: /team set astercc --no-trunk/,
  });
  t.match(await json('team', 'set', 'astercc', '--no-trunk'), { trunk: null });
  t.match(await cli(['trunk', 'remove', 'provider'], { env }), {
    status: 0,
    out: '',
    err: 'removed trunk provider of team astercc\n',
  });
  t.same(await json('trunk', 'remove', 'shared', '--every-team'), {
    noun: 'trunk',
    name: 'shared',
    removed: true,
  });
});

await t.test('a telephone that nobody can call is said when the files are written', async (t) => {
  await json('user', 'add', 'anna');
  await json(
    'extension',
    'add',
    '7000',
    '--user',
    'anna',
    '--kind',
    'phone',
    '--telephone',
    '+4915112345678',
  );
  const data = t.testdir();
  const generate = async () => {
    const { status, err } = await cli(['generate', '--dir', `${data}/out`, '--data-dir', data], { env });
    t.equal(status, 0);
    return err;
  };
  t.match(await generate(), /team astercc has no trunk.* telephones 7000: .*trunk add .* --trunk <name>/);
  await json('trunk', 'add', 'provider', '--endpoint', 'sip-provider');
  await json('team', 'set', 'astercc', '--trunk', 'provider');
  t.notMatch(await generate(), /no trunk/);
  await json('team', 'set', 'astercc', '--no-trunk');
  await json('trunk', 'remove', 'provider');
});

await t.test(
  'a generated trunk: its secret comes from stdin, and only Asterisk’s user can read it',
  async (t) => {
    const secret = 'from;the#provider';
    const words = 'trunk add main --address sip.example.net --username 4930 --secret-stdin --register on';
    const added = await cli([...words.split(' '), '--json'], { env, input: `${secret}\n` });
    t.equal(added.status, 0, added.err);
    t.match(JSON.parse(added.out), { endpoint: 'astercc-trunk-main', addresses: ['sip.example.net'] });
    t.notMatch(added.err, /has to be in your pjsip\.conf/, 'it is none of the operator’s');
    t.match(await json('trunk', 'show', 'main', '--secret'), { secret });
    const data = t.testdir();
    const said = [
      added,
      await cli(['trunk', 'show', 'main'], { env }),
      await cli(['trunk', 'list'], { env }),
      await cli(['trunk', 'list', '--json'], { env }),
      await cli(['generate', '--dir', `${data}/out`, '--data-dir', data], { env }),
      await cli(['trunk', 'set', 'main', '--no-username'], { env }),
    ];
    for (const { out, err } of said) t.notMatch(out + err, /from;the/);
    t.match(said.at(-1), { status: 2, err: /cannot register without an account/ });
    const file = `${data}/out/current/phones/astercc.conf`;
    t.match(readFileSync(file, 'utf8'), /^password => from\\;the#provider$/m);
    t.equal(statSync(file).mode & 0o007, 0, 'not readable by the world');
    await json('trunk', 'add', 'mine', '--endpoint', 'mine');
    t.match(await json('trunk', 'show', 'mine'), { generated: false, codecs: null, secret: undefined });
    await json('trunk', 'set', 'main', '--endpoint', 'other');
    t.match(await json('trunk', 'show', 'main', '--secret'), { generated: false, secret: null });
    for (const name of ['main', 'mine']) await json('trunk', 'remove', name);
  },
);

await t.test('a trunk group on the command line', async (t) => {
  await json('trunk', 'add', 'a', '--endpoint', 'a');
  await json('trunk', 'add', 'b', '--endpoint', 'b');
  const words = [
    'trunk-group',
    'add',
    'both',
    '--members',
    'b,a',
    '--rule',
    '* refuse',
    '--rule',
    '+49 strip 3 add 0',
  ];
  t.match(await json(...words), { members: ['b', 'a'], rules: ['+49 strip 3 add 0', '* refuse'] });
  t.match(await json('trunk-group', 'set', 'both', '--no-rule', '--members', 'a'), {
    members: ['a'],
    rules: [],
  });
  t.match(await cli(['trunk-group', 'list'], { env }), { out: 'both\tastercc\tpriority\ta\n' });
  t.match(await json('team', 'set', 'astercc', '--trunk-group', 'both'), { trunk_group: 'both' });
  t.match(await json('team', 'set', 'astercc', '--trunk', 'a', '--no-trunk-group'), { trunk: 'a' });
  await json('team', 'set', 'astercc', '--no-trunk');
  await json('trunk-group', 'remove', 'both');
  for (const name of ['a', 'b']) await json('trunk', 'remove', name);
});

await t.test('a trunk is tested only where there is a user of the manager', async (t) => {
  t.match(await cli(['trunk', 'test', 'nothing'], { env }), { status: 2, err: /STAR64_AMI_SECRET/ });
});

await t.test('mistakes', async (t) => {
  for (const [args, status, says] of [
    [['trunk', 'add', 'provider'], 2, /--address <host\[:port\]>.*--endpoint/],
    [['trunk', 'add', 'provider', '--endpoint', 'astercc-5000'], 2, /pjsip\.conf/],
    [['trunk', 'add', 'provider', '--endpoint', 'p', '--trusted', 'maybe'], 2, /on or off/],
    [
      ['trunk', 'set', 'provider'],
      2,
      /--endpoint, --no-endpoint, --address, .*--country, --no-country, .*--trusted/,
    ],
    [['trunk', 'show', 'shared', '--every-team'], 4, /trunk "shared" for every team does not exist/],
    [['team', 'set', 'astercc', '--trunk', 'provider'], 4, /trunk "provider" .* trunk list/],
    [['did', 'add', '600199', '--feature', 'dance'], 2, /feature "dance"/],
  ] as const) {
    t.match(await cli(args, { env }), { status, out: '', err: says }, args.join(' '));
  }
});

await t.test('a DID for agents who call in', async (t) => {
  t.match(await json('did', 'add', '600199', '--feature', 'sign-in'), { to: 'feature:sign-in' });
  t.match(await cli(['did', 'list'], { env }), { status: 0, out: '600199\tfeature:sign-in\n' });
  t.match(await json('did', 'set', '600199', '--feature', 'sign-out'), { to: 'feature:sign-out' });
});

await t.test('an endpoint that Asterisk does not know is said when the trunk is made', async (t) => {
  const ami = new FakeAmi();
  await ami.start();
  t.teardown(() => ami.stop());
  ami.handler = ({ name, id, headers, connection }) => {
    if (name !== 'getvar') return false;
    const known = headers.get('variable')?.[0] === 'DEVICE_STATE(PJSIP/known)';
    connection.say(
      'Response: Success',
      `ActionID: ${id}`,
      'Variable: x',
      `Value: ${known ? 'NOT_INUSE' : 'INVALID'}`,
    );
    return true;
  };
  const add = (name: string, endpoint: string, port = ami.port) =>
    cli(['trunk', 'add', name, '--endpoint', endpoint], {
      env: { ...env, STAR64_AMI_PORT: String(port), STAR64_AMI_SECRET: 'secret' },
    });
  const known = await add('a', 'known');
  t.equal(known.status, 0);
  t.notMatch(known.err, /endpoint/);
  t.match(await add('b', 'mistyped'), { status: 0, err: /warning: Asterisk knows no endpoint mistyped/ });
  t.match(await add('c', 'other', 1), { status: 0, err: /could not be asked .*pjsip show endpoint other/ });
  t.match(await cli(['trunk', 'add', 'd', '--endpoint', 'third'], { env }), {
    status: 0,
    err: /pjsip show endpoint third/,
  });
  const set = await cli(['trunk', 'set', 'a', '--trusted', 'on'], { env });
  t.equal(set.status, 0);
  t.notMatch(set.err, /endpoint/, 'nothing is asked about what does not change');
});
