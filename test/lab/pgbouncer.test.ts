import { once } from 'node:events';
import { chmod, chown, writeFile } from 'node:fs/promises';
import { connect as dial } from 'node:net';
import { join } from 'node:path';
import { pino } from 'pino';
import t, { type Test } from 'tap';
import { takeLeaderLease } from '../../domain/database/leases.js';
import { ChangeListener } from '../../domain/database/listen.js';
import { connect, prepared } from '../../domain/database/pool.js';
import { requireSessions } from '../../domain/database/sessions.js';
import { freePort } from '../../domain/machine/ports.js';
import { LabProcess, until } from '../../domain/machine/processes.js';
import { temporaryDirectory } from '../../domain/machine/temporary.js';
import { tree } from '../../lab/debian.js';
import { loaderOf } from '../../lab/loader.js';
import { patient } from '../../lab/patience.js';
import { star64 } from '../support/processes/cli.js';
import { freshDatabase } from '../support/database.js';
import { requireLab } from '../support/lab.js';

type Mode = 'session' | 'transaction' | 'statement';

/** A PgBouncer with nothing but its own defaults, in front of the server of a database; ended with the test. */
async function bouncer(t: Test, url: string, mode: Mode): Promise<string> {
  const { root } = await tree('pgbouncer');
  const { loader, path } = await loaderOf(root);
  const dir = await temporaryDirectory('pgbouncer');
  const behind = new URL(url);
  const port = await freePort();
  await writeFile(join(dir, 'users'), `"${behind.username}" "${behind.password}"\n`);
  await writeFile(
    join(dir, 'pgbouncer.ini'),
    `[databases]
* = host=127.0.0.1 port=${behind.port}
[pgbouncer]
listen_addr = 127.0.0.1
listen_port = ${port}
unix_socket_dir =
pool_mode = ${mode}
auth_type = scram-sha-256
auth_file = ${join(dir, 'users')}
`,
  );
  // It refuses to run as root, and reads its files as the one whom it becomes.
  const nobody = 65534;
  const asRoot = process.getuid?.() === 0;
  if (asRoot)
    await Promise.all(['', 'users', 'pgbouncer.ini'].map((name) => chown(join(dir, name), nobody, nobody)));
  await chmod(join(dir, 'users'), 0o600);
  const own = asRoot ? ['-u', 'nobody'] : [];
  const program = join(root, 'usr/sbin/pgbouncer');
  const child = await LabProcess.launch(
    loader,
    ['--library-path', path, program, ...own, join(dir, 'pgbouncer.ini')],
    { outputFile: join(dir, 'log') },
  );
  t.teardown(() => child.stop());
  await until('PgBouncer to listen', async () => {
    if (!child.running) throw new Error('PgBouncer has ended');
    const socket = dial(port, '127.0.0.1');
    return once(socket, 'connect').then(
      () => (socket.destroy(), true),
      () => undefined,
    );
  });
  const front = new URL(url);
  front.port = String(port);
  return front.href;
}

const skip = await requireLab(['pgbouncer']);

await t.test('PgBouncer in session mode: all that belongs to a session works', { skip }, async (t) => {
  const { url } = await freshDatabase(t);
  const front = await bouncer(t, url, 'session');
  const { deadlineMs, dialMs } = patient;
  const db = connect(front, { max: 3, deadlineMs, dialMs });
  t.teardown(() => db.destroy());
  await requireSessions(front);
  for (let n = 0; n < 3; n++) t.same(await prepared(db, 'select ?::int as n', [n]), [{ n }]);
  const { rows } = await db.raw<{ rows: unknown[] }>(
    "select current_setting('statement_timeout') as late, current_setting('idle_in_transaction_session_timeout') as idle",
  );
  t.match(rows, [{ late: /^[1-9]/, idle: '10s' }], 'the deadlines hold');
  t.equal(await takeLeaderLease(db, 'default', 'test', 4), true);

  const heard: (string | undefined)[] = [];
  const listener = new ChangeListener(
    front,
    { provisioning: (payload) => heard.push(payload), agents: () => undefined, calls: () => undefined },
    pino({ enabled: false }),
  );
  t.teardown(() => listener.stop());
  await listener.start();
  await db.raw("update teams set name = 'changed'");
  await until('the change to be heard', () =>
    heard.some((payload) => payload !== undefined) ? true : undefined,
  );
});

for (const mode of ['transaction', 'statement'] as const) {
  await t.test(
    `PgBouncer in ${mode} mode: a server refuses it, and names the mode that works`,
    { skip },
    async (t) => {
      const { url } = await freshDatabase(t);
      const env = {
        DATABASE_URL: await bouncer(t, url, mode),
        STAR64_AGI_PORT: '0',
        STAR64_AGI_TOKEN: 'aTokenOfTheTests6464646464',
        STAR64_AMI_PORT: '1',
        STAR64_AMI_SECRET: 'secretOfTheTests',
        STAR64_LOG_LEVEL: 'error',
      };
      const { status, err } = await star64(['serve'], { env });
      t.equal(status, 1);
      t.match(err, /^star64: PostgreSQL at .* is behind .*pool_mode = session.*\n$/);
      t.equal(err.trim().split('\n').length, 1, 'in one sentence');
    },
  );
}
