import t from 'tap';
import { placeholders } from '../../domain/link-template.js';
import { quoted } from '../../domain/names.js';
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
const run = (...args: string[]) => cli(args, { env });

for (const user of ['anna', 'ben', 'carl']) await json('user', 'add', user);
await json('group', 'add', 'support');
await json('team', 'add', 'other');
await json('user', 'add', 'zoe', '--team', 'other');

await t.test('a group has none, one or many administrators (spec 24, 26)', async (t) => {
  t.match(await json('group', 'show', 'support'), { administrators: [] });
  t.match(await json('group', 'set', 'support', '--add-administrator', 'ben'), { administrators: ['ben'] });
  t.match(
    await json('group', 'set', 'support', '--add-administrator', 'anna', '--add-administrator', 'carl'),
    { administrators: ['anna', 'ben', 'carl'] },
  );
  t.match(await json('group', 'set', 'support', '--add-administrator', 'ben'), {
    administrators: ['anna', 'ben', 'carl'],
  });
  t.match(
    await json('group', 'set', 'support', '--remove-administrator', 'ben', '--add-administrator', 'anna'),
    { administrators: ['anna', 'carl'] },
  );
  t.match((await run('group', 'show', 'support')).out, /^administrators\tanna,carl$/m);
  t.match(await json('user', 'show', 'anna'), { administers: ['support'] });
  t.match(await json('group', 'add', 'sales', '--add-administrator', 'anna'), { administrators: ['anna'] });
});

await t.test('an administrator is a user of the same team', async (t) => {
  for (const [args, status, says] of [
    [['--add-administrator', 'nobody'], 4, /user "nobody" does not exist in team astercc/],
    [['--add-administrator', 'zoe'], 4, /user "zoe" does not exist in team astercc/],
    [['--remove-administrator', 'ben'], 2, /group support has not got user "ben" among its administrators/],
    [['--add-administrator', 'ben', '--remove-administrator', 'ben'], 2, /administrator "ben" only once/],
    [['--add-administrator', 'ben', '--add-administrator', 'nobody'], 4, /"nobody"/],
  ] as const) {
    t.match(await run('group', 'set', 'support', ...args), { status, out: '', err: says });
  }
  t.match(
    await json('group', 'show', 'support'),
    { administrators: ['anna', 'carl'] },
    'nothing half written',
  );
  const theirs = await db('users').where({ username: 'zoe' }).first<{ id: number; team_id: number }>();
  const group = await db('agent_groups').where({ name: 'support' }).first<{ id: number; team_id: number }>();
  for (const team_id of [theirs.team_id, group.team_id]) {
    await t.rejects(
      db('agent_group_administrators').insert({ team_id, group_id: group.id, user_id: theirs.id }),
      /violates foreign key/,
      'the database itself refuses it',
    );
  }
});

await t.test('a user who is removed administers nothing any more, and that is said', async (t) => {
  t.match((await run('user', 'remove', '--help')).out, /groups that they administer lose them/);
  t.match(await run('user', 'remove', 'carl'), {
    status: 0,
    out: '',
    err: 'removed user carl of team astercc: no longer among the administrators of group support\n',
  });
  t.match(await json('group', 'show', 'support'), { administrators: ['anna'] });
  await json('user', 'add', 'carl');
  t.match(await json('user', 'show', 'carl'), { administers: [] });
  await json('group', 'remove', 'sales');
  t.match(await json('user', 'show', 'anna'), { administers: ['support'] }, 'a removed group has none');
});

await t.test('a group has an application with a link (spec 29, 34)', async (t) => {
  const link = 'https://crm.example.org/popup?number={caller}&did={did}';
  t.match(await json('group', 'show', 'support'), { application: null, link: null });
  t.match(await run('group', 'set', 'support', '--link', link), {
    status: 2,
    out: '',
    err: /group support has no application.*--application campaign/,
  });
  t.match(await json('group', 'set', 'support', '--application', 'campaign', '--link', link), {
    application: 'campaign',
    link,
  });
  t.match(await json('group', 'set', 'support', '--application', 'third_party'), {
    application: 'third_party',
    link,
  });
  t.match(await json('group', 'set', 'support', '--link', 'http://localhost/x'), {
    link: 'http://localhost/x',
  });
  t.match(await json('group', 'set', 'support', '--no-application'), { application: null, link: null });
  t.match(await run('group', 'add', 'night', '--link', link), { status: 2, err: /no application/ });
  t.match(await run('group', 'set', 'support', '--application', 'fax'), {
    status: 2,
    err: /application "fax" does not exist: type one of campaign, customer_service, virtual_office, third_party/,
  });
});

await t.test('a link is one line, goes to a web server, and has known placeholders', async (t) => {
  const set = (link: string) => run('group', 'set', 'support', '--application', 'campaign', '--link', link);
  const all = `https://crm.example.org/${Object.keys(placeholders)
    .map((name) => `{${name}}`)
    .join('/')}`;
  t.match(await set(all), { status: 0 });
  for (const [link, says] of [
    ['ftp://crm.example.org/', /http or https/],
    ['javascript:alert(1)', /http or https/],
    ['crm.example.org', /http or https/],
    ['https://', /http or https/],
    ['', /http or https/],
    ['https://{caller}/', /placeholder in its host/],
    ['https://{caller}.example.org/', /placeholder in its host/],
    ['https://anna:secret@crm.example.org/', /no user name or password/],
    ['https://crm.example.org/{phone}', /a placeholder is one of \{team\} \{group\}/],
    ['https://crm.example.org/{__proto__}', /a placeholder is one of/],
    ['https://crm.example.org/{caller', /a placeholder is one of/],
    ['https://crm.example.org/}', /a placeholder is one of/],
    ['https://crm.example.org/a b', /no spaces/],
    ['https://crm.example.org/\r\nX: y', /no spaces, control characters or line breaks/],
    ['https://crm.example.org/\u2028', /no spaces, control characters or line breaks/],
    [`https://crm.example.org/${'x'.repeat(1000)}`, /at most 1000 characters/],
  ] as const) {
    const refused = await set(link);
    t.match(refused, { status: 2, out: '', err: says }, quoted(link));
    t.notMatch(refused.err, /(?!\n)[\p{Cc}\p{Zl}\p{Zp}]/u, 'the message cannot move the cursor');
  }
  t.match(await json('group', 'show', 'support'), { link: all });
});

await t.test('an extension has agent mode, off unless set (spec 32, 36)', async (t) => {
  t.match(await json('extension', 'add', '5000', '--user', 'anna'), { agent_mode: false });
  t.match(await json('extension', 'set', '5000', '--agent-mode', 'on'), { agent_mode: true, kind: 'sip' });
  t.match(await json('extension', 'set', '5000', '--user', 'ben'), { agent_mode: true });
  t.match(await json('extension', 'set', '5000', '--agent-mode', 'off'), { agent_mode: false });
  t.match(await run('extension', 'set', '5000', '--agent-mode', 'maybe'), { status: 2, err: /on or off/ });
  t.match(await json('extension', 'add', '5001', '--user', 'anna', '--agent-mode', 'on'), {
    agent_mode: true,
  });
});

await t.test('a user has a PIN, which comes from stdin and never comes out', async (t) => {
  const pin = '730551';
  const set = await cli(['user', 'set', 'anna', '--pin-stdin', '--json'], { env, input: `${pin}\n` });
  t.match(JSON.parse(set.out), { pin: true, login: false });
  const added = await cli(['user', 'add', 'dora', '--pin-stdin', '--json'], { env, input: pin });
  t.match(JSON.parse(added.out), { pin: true });
  for (const { out, err } of [
    set,
    added,
    await run('user', 'show', 'anna'),
    await run('user', 'list', '--json'),
  ])
    t.notMatch(out + err, /730551|scrypt|hash/);
  t.match(await cli(['user', 'set', 'anna', '--pin-stdin', '--no-pin'], { env, input: pin }), {
    status: 2,
    err: /--pin-stdin and --no-pin exclude each other/,
  });
  t.match(await cli(['user', 'set', 'anna', '--pin-stdin', '--password-stdin'], { env, input: pin }), {
    status: 2,
    err: /--password-stdin and --pin-stdin exclude each other/,
  });
  t.match(await cli(['user', 'set', 'anna', '--pin-stdin'], { env, input: '1234' }), {
    status: 2,
    err: /no run/,
  });
  t.match(await json('user', 'show', 'anna'), { pin: true }, 'a refusal changes nothing');
  t.match(await json('user', 'set', 'anna', '--no-pin'), { pin: false });
  t.match(await run('user', 'set', 'anna', '--pin', pin), { status: 2, out: '' });
});

await t.test('an error is data, too', async (t) => {
  const { groups } = await import('../../domain/provisioning/people/group.js');
  await t.rejects(groups.show(db, 'astercc', 'nothing'), { kind: 'not_found', code: 'unknown' });
  const error: unknown = await groups.add(db, 'astercc', 'support').catch((error: unknown) => error);
  t.same(JSON.parse(JSON.stringify(error)), {
    kind: 'conflict',
    code: 'taken',
    noun: 'group',
    name: 'support',
    facts: { team: 'astercc' },
    remedy: {
      text: 'choose another name, or change it with {0}',
      steps: [{ noun: 'group', verb: 'set', name: 'support', team: 'astercc' }],
    },
    message:
      'group support of team astercc exists already: choose another name, or change it with `star64 group set support`.',
  });
});

await t.test('weight is refused with the reason, and is in no help', async (t) => {
  for (const args of [
    ['set', 'support'],
    ['add', 'heavy'],
  ]) {
    const { status, err } = await run('group', ...args, '--weight', '5');
    t.equal(status, 2);
    t.match(err, /heavier queue/);
  }
  t.notMatch((await run('group', 'set', '--help')).out, /--weight/);
});

await t.test('a queue leads its callers on, and never in a circle', async (t) => {
  await json('group', 'add', 'later');
  t.match(
    await json(
      'group',
      'set',
      'support',
      '--timeout',
      'group:later',
      '--full',
      'hangup:busy',
      '--key-0',
      'extension:5000',
    ),
    { timeout: 'group:later', full: 'hangup:busy', key0: 'extension:5000', empty: null },
  );
  t.match(await run('group', 'set', 'later', '--empty', 'group:support'), { status: 5, err: /circle/ });
  t.match(await json('group', 'set', 'support', '--no-key-0', '--no-full'), { key0: null, full: null });
});
