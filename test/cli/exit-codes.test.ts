import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { createServer, type AddressInfo, type Socket } from 'node:net';
import { chmodSync, readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { Star64Error } from '../../domain/errors.js';
import { reportError } from '../../cli/errors.js';
import { emptyDatabase, freshDatabase } from '../support/database.js';
import { cli, star64 } from '../support/processes/cli.js';

const { url } = await freshDatabase(t);
const env = { DATABASE_URL: url };

await t.test('0: done', async (t) => {
  t.match(await star64(['team', 'list'], { env }), {
    status: 0,
    out: 'astercc\tastercc\t\tUTC\tno\t\n',
    err: '',
  });
});

await t.test('2: usage, with a hint and nothing on stdout', async (t) => {
  for (const args of [
    [],
    ['nonsense'],
    ['user'],
    ['user', 'nonsense'],
    ['user', 'add'],
    ['user', 'add', 'anna', 'berg'],
    ['user', 'list', '--nonsense'],
    ['extension', 'add', '5000'],
    ['agent', 'add', '1001', '--user', 'anna'],
    ['group', 'add', 'support', '--ring-seconds', 'soon'],
    ['extension', 'add', 'fifty', '--user', 'anna'],
  ]) {
    const result = await star64(args, { env });
    t.match(result, { status: 2, out: '', err: /\S/ }, args.join(' '));
  }
});

await t.test('2: wrong settings, all of them named at once', async (t) => {
  const cwd = t.testdir();
  writeFileSync(join(cwd, 'star64.yml'), 'log_level: loud\n');
  const result = await star64(['team', 'list'], { env: { ...env, STAR64_AGI_PORT: 'x' }, cwd });
  t.match(result, { status: 2, out: '', err: /^ {2}star64\.yml: log_level must be/m });
  t.match(result.err, /^ {2}STAR64_AGI_PORT: agi\.port must be/m);
});

await t.test('4: not found; 5: conflict', async (t) => {
  t.match(await star64(['user', 'show', 'nobody'], { env }), {
    status: 4,
    out: '',
    err: /user "nobody".*star64 user list/,
  });
  t.match(await star64(['user', 'list', '--team', 'nowhere'], { env }), {
    status: 4,
    out: '',
    err: /team "nowhere"/,
  });
  t.match(await star64(['team', 'add', 'astercc'], { env }), {
    status: 5,
    out: '',
    err: /team astercc exists already/,
  });
});

await t.test('6: PostgreSQL refuses connections, or never answers', async (t) => {
  const refused = await star64(['team', 'list'], {
    env: { DATABASE_URL: 'postgres://u:hunter2@127.0.0.1:1/none' },
  });
  t.match(refused, {
    status: 6,
    out: '',
    err: /^star64: PostgreSQL at 127\.0\.0\.1:1\/none \(DATABASE_URL\) cannot be reached.*that DATABASE_URL is right/,
  });
  t.notMatch(refused.err, /hunter2/);
  t.match(await star64(['migrate'], { env: { DATABASE_URL: 'postgres://127.0.0.1:1/none' } }), { status: 6 });

  const sockets = new Set<Socket>();
  const silent = createServer((socket) => {
    sockets.add(socket);
    socket.on('error', () => socket.destroy());
  });
  await new Promise<void>((resolve) => silent.listen(0, '127.0.0.1', resolve));
  t.teardown(() => {
    for (const socket of sockets) socket.destroy();
    silent.close();
  });
  const { port } = silent.address() as AddressInfo;
  const hung = await star64(['team', 'list'], {
    env: { DATABASE_URL: `postgres://u@127.0.0.1:${port}/none` },
  });
  t.match(
    hung,
    { status: 6, out: '' },
    'it has a deadline: the server says nothing, and keeps the connection',
  );
  t.ok(sockets.size > 0, 'it was asked');
});

await t.test('6: PostgreSQL is there and does not let star64 work, and the cure is said', async (t) => {
  const { db, url } = await freshDatabase(t);
  const role = `star64_test_${randomBytes(6).toString('hex')}`;
  await db.raw(`create role ${role} login password 'sesame'`);
  t.teardown(() => db.raw(`drop role ${role}`));
  const as = (password: string, database = new URL(url).pathname): string => {
    const other = new URL(url);
    [other.username, other.password, other.pathname] = [role, password, database];
    return other.href;
  };
  const refusal = async (given: string, file = false): Promise<string> => {
    const cwd = t.testdir({ 'star64.yml': `database: { url: '${given}' }` });
    chmodSync(join(cwd, 'star64.yml'), 0o600);
    const { status, err } = await star64(['team', 'list'], file ? { cwd } : { env: { DATABASE_URL: given } });
    t.equal(status, 6);
    t.notMatch(err, /hunter2|sesame/);
    return err;
  };
  const { host } = new URL(url);
  const server = `PostgreSQL at ${host}${new URL(url).pathname}`;
  const wrong = await refusal(as('hunter2'), true);
  t.ok(wrong.startsWith(`star64: ${server} (`), wrong);
  t.match(wrong, /\/star64\.yml\) refuses the password.*correct it in \/.*star64\.yml/);
  t.match(wrong, new RegExp(`alter role ${role} password`));
  t.match(await refusal(as('')), /\(DATABASE_URL\) asks for a password: write it into DATABASE_URL/);
  t.match(await refusal(as('sesame', '/nowhere')), new RegExp(`createdb --owner=${role} nowhere`));
  t.match(await refusal(as('sesame')), /permission denied.*alter database .* owner to/);
  const nobody = new URL(url);
  nobody.username = 'nobody_at_all';
  t.match(await refusal(nobody.href), /nobody_at_all/);
});

await t.test('6: no setting says which PostgreSQL, and none is started', async (t) => {
  const cwd = t.testdir({ data: { postgres: { data: {} } } });
  const unset = await star64(['team', 'list'], { cwd });
  t.match(unset, { status: 6, out: '' });
  for (const service of ['serve', 'web']) {
    const { status, err } = await star64([service], { cwd, env: { STAR64_AMI_SECRET: 'any' } });
    t.match({ status, err }, { status: 2, err: unset.err }, `${service}: starting again mends nothing`);
  }
  t.ok(unset.err.includes(`looked at DATABASE_URL, ${cwd}/star64.yml (not there)`), unset.err);
  t.match(unset.err, /\/etc\/star64\/star64\.yml.*database\.url.*embedded: true/);
  const before = await star64(['team', 'list'], { cwd, env: { STAR64_DATA_DIR: join(cwd, 'data') } });
  t.match(before.err, /which has data in .*\/data\/postgres/, 'what an earlier version has filled is named');
  t.same(readdirSync(join(cwd, 'data', 'postgres')), ['data']);
});

await t.test('1: a database without tables says which command makes them', async (t) => {
  const empty = await emptyDatabase(t);
  t.match(await star64(['team', 'list'], { env: { DATABASE_URL: empty } }), {
    status: 1,
    out: '',
    err: /^star64: PostgreSQL at .* \(DATABASE_URL\) has not got the tables.*run `star64 migrate`/,
  });
});

await t.test('1: an unexpected error is a message; the stack only with STAR64_DEBUG', (t) => {
  const said = (error: unknown, env: NodeJS.ProcessEnv) => {
    let text = '';
    const status = reportError(error, (line) => (text += `${line}\n`), env);
    return { status, text };
  };
  const boom = new Error('boom');
  t.match(said(boom, {}), { status: 1, text: /^star64: unexpected error: boom\n.*STAR64_DEBUG/ });
  t.notMatch(said(boom, {}).text, /at .*exit-codes/);
  t.match(said(boom, { STAR64_DEBUG: '1' }), { status: 1, text: /boom[^]*at .*exit-codes/ });
  t.match(said('a string', {}), { status: 1, text: /a string/ });
  for (const [kind, status] of [
    ['usage', 2],
    ['not_found', 4],
    ['conflict', 5],
    ['database_unreachable', 6],
    ['asterisk_unreachable', 7],
    ['failure', 1],
  ] as const) {
    t.same(said(new Star64Error(kind, 'why'), {}), { status, text: 'star64: why\n' });
  }
  t.end();
});

await t.test(
  'a server that cannot begin says why and ends, so that whoever started it notices',
  async (t) => {
    const taken = createServer().listen(0, '127.0.0.1');
    await once(taken, 'listening');
    t.teardown(() => taken.close());
    const { port } = taken.address() as AddressInfo;
    const result = await star64(['serve'], {
      env: {
        ...env,
        STAR64_AGI_PORT: String(port),
        STAR64_AGI_TOKEN: 'aTokenOfTheTests6464646464',
        STAR64_AMI_SECRET: 'secret',
        // Nobody answers there: that is no reason to end, nor not to.
        STAR64_AMI_PORT: '1',
      },
    });
    t.match(result, { status: 5, err: /cannot listen on 127\.0\.0\.1/ });
  },
);

await t.test('help and version are no errors', async (t) => {
  for (const args of [
    ['--help'],
    ['user', '--help'],
    ['user', 'add', '--help'],
    ['help'],
    ['help', 'user'],
  ]) {
    t.match(await cli(args), { status: 0, out: /^Usage: star64/, err: '' }, args.join(' '));
  }
  t.match(await cli(['--version']), { status: 0, out: /^\d+\.\d+\.\d+\n$/, err: '' });
});
