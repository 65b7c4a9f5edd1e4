import t from 'tap';
import { quoted } from '../../domain/names.js';
import { provision } from '../../lab/provision.js';
import { freshDatabase } from '../support/database.js';
import { cli } from '../support/processes/cli.js';

const { url, db } = await freshDatabase(t);
const env = { DATABASE_URL: url };
await provision(db, {
  team: 'astercc',
  users: [{ username: 'anna' }],
  extensions: [{ number: '5000', user: 'anna' }],
  groups: [{ name: 'support', number: '6000' }, { name: 'sales' }],
  agents: [{ number: '1001', user: 'anna', groups: ['sales'] }],
  dids: [{ number: '600100', to: 'group:support' }],
});

/** Every row that a person has provisioned. */
async function everything(): Promise<string> {
  const tables = [
    'teams',
    'users',
    'extensions',
    'agents',
    'agent_groups',
    'agent_group_members',
    'dids',
    'numbers',
  ];
  const rows = await Promise.all(tables.map((table) => db(table).select('*').orderByRaw('1, 2, 3')));
  return JSON.stringify(rows);
}

await t.test('what a hostile value may be typed into refuses it, and nothing is written', async (t) => {
  const values = [
    '\u001b[2J',
    '5000\n[evil]',
    '5;x',
    '[x]',
    '#include x',
    '${EXTEN}',
    '"x"',
    "x'); drop table users;--",
    '客服',
    'a\u2028b',
    '',
  ];
  const before = await everything();
  const commands = (value: string): string[][] => [
    ['team', 'add', value],
    ['user', 'add', value],
    ['extension', 'add', value, '--user', 'anna'],
    ['extension', 'add', '5100', '--user', value],
    ['extension', 'add', '5100', '--user', 'anna', '--kind', value],
    ['extension', 'add', '5100', '--user', 'anna', '--kind', 'phone', '--telephone', value],
    ['extension', 'show', value],
    ['agent', 'add', value, '--user', 'anna', '--groups', 'support'],
    ['agent', 'add', '1100', '--user', value, '--groups', 'support'],
    ['agent', 'add', '1100', '--user', 'anna', '--groups', `support,${value}`],
    ['agent', 'add', '1100', '--user', 'anna', '--groups', 'support', '--kind', value],
    [
      'agent',
      'add',
      '1100',
      '--user',
      'anna',
      '--groups',
      'support',
      '--kind',
      'fixed',
      '--extension',
      value,
    ],
    ['agent', 'set', '1001', '--groups', `sales,${value}`],
    ['group', 'add', value],
    ['group', 'add', 'g', '--number', value],
    ['group', 'add', 'g', '--strategy', value],
    ['group', 'add', 'g', '--ring-seconds', value],
    ['group', 'add', 'g', '--wrap-up', value],
    ['group', 'add', 'g', '--wrap-up-seconds', value],
    ['group', 'set', 'support', '--number', value],
    ['did', 'add', value, '--group', 'support'],
    ['did', 'add', '600200', '--group', value],
    ['did', 'add', '600200', '--extension', value],
    ['group', 'remove', value],
    ['user', 'list', '--team', value],
  ];
  for (const value of values) {
    for (const args of commands(value)) {
      const { status, out, err } = await cli(args, { env });
      // An empty STAR64_TEAM means none; an empty --team is a team that does not exist.
      t.ok(status === 2 || status === 4, `${args.slice(0, 2).join(' ')} ${quoted(value)} -> ${status ?? ''}`);
      t.equal(out, '');
      t.notMatch(err, /(?!\n)[\p{Cc}\p{Zl}\p{Zp}]/u, 'the message cannot move the cursor');
    }
    for (const args of [
      ['extension', 'add', '5100', '--user', 'anna', '--secret-stdin'],
      ['extension', 'set', '5000', '--secret-stdin'],
    ]) {
      t.match(await cli(args, { env, input: value }), { status: 2, out: '' });
    }
  }
  t.equal(await everything(), before);
});

await t.test('a name in any script is stored exactly as typed', async (t) => {
  for (const name of ['王小明', '"O\'Neil"; [x] #include ${EXTEN}', 'مريم', '👩🏽‍💻']) {
    const { out } = await cli(['user', 'set', 'anna', '--name', name, '--json'], { env });
    t.match(JSON.parse(out), { name });
    t.equal((await cli(['user', 'list'], { env })).out.split('\n')[0]?.split('\t')[1], name);
  }
});
