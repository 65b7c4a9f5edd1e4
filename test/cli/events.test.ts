import { spawn, type ChildProcessWithoutNullStreams } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import t, { type Test } from 'tap';
import { transition } from '../../domain/presence/agent-state.js';
import { pause } from '../../domain/presence/pause.js';
import { findQueue } from '../../domain/calls/queue/queue.js';
import { connect } from '../../domain/database/pool.js';
import { migrate, migrationDeadlineMs } from '../../domain/database/migrate.js';
import { signIn, signOut } from '../../domain/presence/sign-in.js';
import { LabPostgres } from '../../domain/database/embedded/postgres.js';
import { until } from '../../domain/machine/processes.js';
import { patient } from '../../lab/patience.js';
import { crowd, provision } from '../../lab/provision.js';
import { cli, star64 } from '../support/processes/cli.js';
import { freshDatabase } from '../support/database.js';
import { allReadable, feedMs } from '../support/doors/event-feed.js';
import { callJoined, defaultNode } from '../support/records.js';

/** That PostgreSQL could not be reached, and is back: also of a machine that stood still for longer than a server may wait. */
const interruption = String.raw`PostgreSQL at 127\.0\.0\.1:\d+/\S+ \(DATABASE_URL\) cannot be reached [^\n]*\nPostgreSQL is back[^\n]*\n`;

const main = fileURLToPath(new URL('../../cli/main.js', import.meta.url));

const { url, db } = await freshDatabase(t);
await provision(db, crowd(2));
await provision(db, crowd(2, { team: 'other', did: '600200' }));

const enter = (agent: string, extension: string, { team = 'astercc', on = db } = {}) =>
  signIn(on, team, { agent, extension, by: 'test' });
const leave = (agent: string, { team = 'astercc', on = db } = {}) => signOut(on, team, { agent }, 'test');

/** `star64 events --follow` as a process, read line by line. */
class Follower {
  out = '';
  err = '';
  readonly ended: Promise<number | null>;

  private constructor(readonly child: ChildProcessWithoutNullStreams) {
    child.stdout.setEncoding('utf8').on('data', (text: string) => (this.out += text));
    child.stderr.setEncoding('utf8').on('data', (text: string) => (this.err += text));
    this.ended = new Promise((resolve) => child.on('close', resolve));
  }

  /** Follows, and has seen the state that is there already: nothing that comes later can be missed. */
  static async start(t: Test, databaseUrl: string, ...args: string[]): Promise<Follower> {
    const child = spawn(
      'env',
      ['--unset=NODE_OPTIONS', process.execPath, main, 'events', '--follow', ...args],
      {
        env: { PATH: process.env['PATH'] ?? '', HOME: '/nonexistent', DATABASE_URL: databaseUrl },
        stdio: 'pipe',
      },
    );
    const follower = new Follower(child);
    t.teardown(async () => {
      child.kill('SIGKILL');
      await follower.ended;
    });
    await follower.says(1);
    return follower;
  }

  get events(): Record<string, unknown>[] {
    return this.out
      .split('\n')
      .slice(0, -1)
      .map((line) => JSON.parse(line) as Record<string, unknown>);
  }

  /** What it says on stderr, but for interruptions that are over. */
  get complaints(): string {
    return this.err.replaceAll(new RegExp(`^${interruption}`, 'gm'), '');
  }

  /** Waits for so many events, and returns what they say in short. */
  async says(count: number): Promise<string[]> {
    await until(`${count} events`, () => (this.events.length >= count ? true : undefined), feedMs);
    return this.events.map(({ team, agent, state }) => `${String(team)} ${String(agent)} ${String(state)}`);
  }
}

/** What is waited for until somebody opens it. */
function gate(): { opened: Promise<void>; open: () => void } {
  let open = (): void => undefined;
  const opened = new Promise<void>((resolve) => (open = resolve));
  return { opened, open };
}

await t.test('a line of JSON for each change, with stable names', async (t) => {
  await enter('1001', '5001');
  const follower = await Follower.start(t, url, '--since', '1h');
  const queue = await findQueue(db, defaultNode, 'astercc-support');
  const entered = await enter('1002', '5002');
  await enter('1001', '5001', { team: 'other' });
  if (entered.outcome !== 'signed-in' || !queue) throw new Error('the team is not as it was set up');
  await callJoined(db, 'astercc-support', 'call-1', 'a\u009b2J\u2028b');
  const call = { callUniqueid: 'call-1', groupId: queue.groupId };
  await transition(db, entered.signIn.id, 'offer', call);
  await leave('1002');
  t.same(await follower.says(4), [
    'astercc 1001 idle',
    'astercc 1002 idle',
    'astercc 1002 ringing',
    'astercc 1002 signed-out',
  ]);
  const [, , ringing, last] = follower.events;
  t.same(Object.keys(ringing ?? {}), [
    'id',
    'at',
    'team',
    'agent',
    'name',
    'extension',
    'state',
    'previous_state',
    'previous_since',
    'reason',
    'until',
    'group',
    'call',
    'caller',
    'call_kind',
    'by',
    'cursor',
    'type',
  ]);
  t.match(ringing, { at: /^\d{4}-\d\d-\d\dT[\d:.]+Z$/, name: 'crowd', extension: '5002', group: 'support' });
  t.match(ringing, { call: 'call-1', caller: 'a\u009b2J\u2028b', previous_state: 'idle', reason: null });
  t.notMatch(follower.out, /[\u0080-\u009f\u2028]/, 'a caller cannot talk to the terminal');
  t.match(last, { state: 'signed-out', previous_state: 'ringing', by: 'test', call: null });

  follower.child.kill('SIGINT');
  t.equal(await follower.ended, 130);
  t.equal(follower.complaints, 'star64: interrupted\n');
  await leave('1001');
  await leave('1001', { team: 'other' });
});

await t.test('without --follow: what was, and the end', async (t) => {
  const env = { DATABASE_URL: url };
  const lines = (out: string): string[] =>
    out
      .split('\n')
      .slice(0, -1)
      .map((line) => (JSON.parse(line) as { team: string }).team);
  await allReadable(db);
  const one = await star64(['events'], { env });
  t.match(one, { status: 0, err: '' });
  t.same(
    lines(one.out),
    Array.from({ length: 5 }, () => 'astercc'),
  );
  t.equal(
    lines((await cli(['events', '--all-teams'], { env })).out).filter((team) => team === 'other').length,
    2,
  );
  t.equal(lines((await cli(['events', '--team', 'other', '--since', '2d'], { env })).out).length, 2);
  await db('events').update({ written_at: db.raw(`written_at - interval '61 minutes'`) });
  t.match(await cli(['events'], { env }), { status: 0, out: '', err: '' }, 'of the last hour');
  t.equal(lines((await cli(['events', '--since', '2h'], { env })).out).length, 5);

  t.match(await cli(['events', '--team', 'nowhere'], { env }), { status: 4, out: '' });
  for (const since of ['1', 'h', '1w', '-1h', '1.5h', '']) {
    t.match(await cli(['events', '--since', since], { env }), {
      status: 2,
      out: '',
      err: /as 90s, 15m, 1h or 2d/,
    });
  }
});

await t.test('all teams; whoever stops reading ends it silently; SIGTERM ends it well', async (t) => {
  await enter('1001', '5001');
  const reader = await Follower.start(t, url, '--all-teams', '--since', '30m');
  const other = await Follower.start(t, url, '--team', 'astercc', '--since', '30m');
  await enter('1002', '5002', { team: 'other' });
  t.same(await reader.says(2), ['astercc 1001 idle', 'other 1002 idle']);
  reader.child.stdout.destroy();
  await leave('1001');
  t.equal(await reader.ended, 0);
  t.equal(reader.complaints, '');

  t.same(await other.says(2), ['astercc 1001 idle', 'astercc 1001 signed-out']);
  other.child.kill('SIGTERM');
  t.equal(await other.ended, 0);
  t.equal(other.complaints, '');
  await leave('1002', { team: 'other' });
});

await t.test('a lost PostgreSQL is said once; nothing is lost, nothing comes twice', async (t) => {
  const postgres = await LabPostgres.start();
  t.teardown(() => postgres.stop());
  const migrator = connect(postgres.url, { ...patient, max: 1, deadlineMs: migrationDeadlineMs });
  await migrate(migrator);
  // A PostgreSQL of the lab may lose its last commits when it is killed: this one is to keep them.
  await migrator.raw('alter database star64 set synchronous_commit to on');
  await migrator.destroy();
  const on = connect(postgres.url, patient);
  t.teardown(() => on.destroy());
  await provision(on, crowd(2));
  await enter('1001', '5001', { on });

  const follower = await Follower.start(t, postgres.url, '--since', '1h');
  // It cannot look while it is stopped: this change is there before the connection is lost, and is not known yet.
  follower.child.kill('SIGSTOP');
  await enter('1002', '5002', { on });
  await postgres.kill();
  follower.child.kill('SIGCONT');
  await until(
    'the loss to be said',
    () => (/cannot be reached/.test(follower.err) ? true : undefined),
    feedMs,
  );
  await postgres.restart();
  const again = connect(postgres.url, patient);
  t.teardown(() => again.destroy());
  await leave('1001', { on: again });
  await until('the return to be said', () => (/is back/.test(follower.err) ? true : undefined), feedMs);
  await leave('1002', { on: again });
  t.same(await follower.says(4), [
    'astercc 1001 idle',
    'astercc 1002 idle',
    'astercc 1001 signed-out',
    'astercc 1002 signed-out',
  ]);
  follower.child.kill('SIGINT');
  t.equal(await follower.ended, 130);
  t.match(follower.err, new RegExp(`^(?:${interruption})+star64: interrupted\n$`), 'once for each loss');
});

await t.test('twenty writers, a killed reader and a killed server: every event once', async (t) => {
  const postgres = await LabPostgres.start();
  t.teardown(() => postgres.stop());
  const migrator = connect(postgres.url, { ...patient, max: 1, deadlineMs: migrationDeadlineMs });
  await migrate(migrator);
  // A PostgreSQL of the lab may lose its last commits when it is killed: this one is to keep them.
  await migrator.raw('alter database star64 set synchronous_commit to on');
  await migrator.destroy();
  // What is told as failed though it was done is done again below, and changes nothing: nobody has to wait for long.
  const on = connect(postgres.url, { ...patient, max: 20, deadlineMs: 10_000 });
  t.teardown(() => on.destroy());
  const agents = 20;
  await provision(on, crowd(agents));

  const rounds = 15;
  /** Before these rounds the writers wait for the reading: however quick they are, there is something left for each reader. */
  const gates = new Map([5, 10].map((round) => [round, gate()]));
  let left = 0;
  /** One agent's day, whatever happens to the server: what fails is done again. */
  const write = async (index: number): Promise<void> => {
    const [agent, extension] = [String(1001 + index), String(5001 + index)];
    for (let round = 0; round < rounds; round++) {
      await gates.get(round)?.opened;
      const again = <T>(work: () => Promise<T | undefined>): Promise<T> =>
        until<T>('PostgreSQL to take it', () => work().catch(() => undefined), feedMs);
      const entered = await again(() => enter(agent, extension, { on }));
      if (entered.outcome !== 'signed-in') throw new Error(entered.outcome);
      const paused = await again(() => pause(on, 'astercc', { agent }));
      if (paused.outcome !== 'paused') throw new Error(paused.outcome);
      await again(() => leave(agent, { on }));
      left++;
    }
  };
  const writing = Promise.all(Array.from({ length: agents }, (_, index) => write(index)));

  const seen: Record<string, unknown>[] = [];
  let from = ['--since', '1h'];
  const read = async (count: number): Promise<void> => {
    const reader = await Follower.start(t, postgres.url, ...from);
    await until('its events', () => (reader.events.length >= count ? true : undefined), feedMs);
    reader.child.kill('SIGKILL');
    await reader.ended;
    // A line that was cut off has not been told.
    seen.push(...reader.events);
    from = ['--after', String(seen.at(-1)?.['cursor'])];
  };
  await read(60);
  gates.get(5)?.open();
  await read(60);
  gates.get(10)?.open();
  // Killed while they write, wherever they stand.
  const before = left;
  await until('somebody to write', () => (left > before ? true : undefined), feedMs);
  await postgres.kill();
  await postgres.restart();
  await read(60);
  await writing;
  const { rows: all } = await on.raw<{ rows: { id: string }[] }>(
    `select 'state-' || id as id from agent_states
     union all select 'sign-out-' || id from sign_ins where signed_out_at is not null order by id`,
  );
  t.equal(all.length, agents * rounds * 3);
  while (seen.length < all.length) await read(1);
  t.same(
    seen.map(({ id }) => String(id)).sort(),
    all.map(({ id }) => id),
  );
});
