import { randomBytes } from 'node:crypto';
import { chmod, chown, mkdir, readdir, readFile, readlink, rename, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import pg from 'pg';
import { z } from 'zod';
import { Star64Error } from '../../errors.js';
import { Hold } from '../../machine/hold.js';
import { FileLock } from '../../machine/lock.js';
import { freePort } from '../../machine/ports.js';
import { barrier, installPostgres, postgresMajor, serverUser, type ServerUser } from './install.js';
import { childrenOf, LabProcess, processStart, run, until } from '../../machine/processes.js';
import { temporaryDirectory } from '../../machine/temporary.js';

const Connection = z.object({ port: z.number().int(), password: z.string() });
/** How to reach a running server; kept in a file that only the owner reads. */
export type Connection = z.infer<typeof Connection>;

/** Where one server lives, and with which programs and as which user it runs. */
export interface Home {
  dir: string;
  data: string;
  programs: string;
  user: ServerUser | undefined;
  locked: <T>(work: () => Promise<T>) => Promise<T>;
}

/** The directory (`undefined`: a new temporary one), made reachable for the server's user. */
export async function openHome(given: string | undefined): Promise<Home> {
  const user = await serverUser();
  const dir = given === undefined ? await reachableDirectory(user) : resolve(given);
  // Directories made on the way there can be passed through, not listed, when the server runs as a user of its own.
  await mkdir(dir, { recursive: true, mode: user === undefined ? 0o700 : 0o711 });
  if (user !== undefined) {
    await chmod(dir, 0o711);
    const closed = await barrier(dir, user);
    if (closed !== undefined) {
      throw new Star64Error(
        'failure',
        `PostgreSQL runs as user ${user.name} and cannot reach ${dir}, because ${closed} is closed to it: ` +
          'choose a data directory elsewhere, such as /var/lib/star64',
      );
    }
  }
  return {
    dir,
    data: join(dir, 'data'),
    programs: await installPostgres(user),
    user,
    locked: async (work) => {
      const lock = await FileLock.acquire(join(dir, 'lock'));
      try {
        return await work();
      } finally {
        await lock.release();
      }
    },
  };
}

async function reachableDirectory(user: ServerUser | undefined): Promise<string> {
  for (const parent of [tmpdir(), '/var/tmp']) {
    if (user === undefined || (await barrier(parent, user)) === undefined) {
      return await temporaryDirectory('postgres', parent);
    }
  }
  throw new Star64Error(
    'failure',
    `no temporary directory that the user ${user?.name ?? ''} can reach: set TMPDIR`,
  );
}

/**
 * The server that already runs here; ends one that nobody holds any more. @throws what keeps it from answering, if others
 * hold it: it is theirs to end, and works for them, or will again.
 */
export async function joinRunning(
  home: Home,
): Promise<{ connection: Connection; hold: Hold; pid: number } | undefined> {
  const pid = await runningServer(home);
  if (pid === undefined) return undefined;
  const hold = await Hold.join(home.dir);
  if (hold !== undefined) {
    try {
      const connection = Connection.parse(
        JSON.parse(await readFile(join(home.dir, 'connection.json'), 'utf8')),
      );
      await query(`postgres://star64:${connection.password}@127.0.0.1:${connection.port}/star64`, 'SELECT 1');
      return { connection, hold, pid };
    } catch (error) {
      const isShared = await hold.shared();
      await hold.leave(false);
      if (isShared) throw error;
      // Its last holder has just died and it is shutting down; or it does not answer at all.
    }
  }
  await shutDown(pid);
  return undefined;
}

/** Process id of the server on this directory. A pid file alone proves nothing: after a crash the id is anybody's. */
async function runningServer(home: Home): Promise<number | undefined> {
  const [pid] = await pidFile(home);
  return pid !== undefined && (await worksIn(home.data, pid)) ? Number(pid) : undefined;
}

/** Whether a process is one of the server's: they all work in its data directory. */
async function worksIn(data: string, pid: string): Promise<boolean> {
  return (await readlink(`/proc/${pid}/cwd`).catch(() => undefined)) === data;
}

/**
 * Removes the pid file of a server that was killed, after the last of its processes has ended. PostgreSQL itself would
 * not start as long as the id in the file exists, and it exists as a zombie where nobody collects orphans, as in many
 * containers.
 */
async function clearAfterCrash(home: Home): Promise<void> {
  await until(
    `the processes in ${home.data} to end`,
    async () => {
      const pids = (await readdir('/proc')).filter((name) => /^\d+$/.test(name));
      const inside = await Promise.all(pids.map((pid) => worksIn(home.data, pid)));
      return inside.includes(true) ? undefined : true;
    },
    10_000,
  );
  await rm(join(home.data, 'postmaster.pid'), { force: true });
}

async function pidFile(home: Home): Promise<string[]> {
  const text = await readFile(join(home.data, 'postmaster.pid'), 'utf8').catch(() => '');
  return text === '' ? [] : text.split('\n').map((line) => line.trim());
}

/** Creates the data directory where there is none. It is made under another name: an interrupted run leaves none. */
export async function initialise(home: Home, fleeting: boolean): Promise<{ password: string }> {
  const passwordPath = join(home.dir, 'password');
  const initialised = await readFile(join(home.data, 'PG_VERSION'), 'utf8').catch(() => undefined);
  if (initialised !== undefined) {
    await refuseOtherMajor(home, initialised.trim());
    return { password: (await readFile(passwordPath, 'utf8')).trim() };
  }

  const password = randomBytes(24).toString('hex');
  const fresh = `${home.data}.new`;
  await rm(fresh, { recursive: true, force: true });
  await mkdir(fresh, { mode: 0o700 });
  await writeFile(passwordPath, password, { mode: 0o600 });
  if (home.user !== undefined) {
    await chown(fresh, home.user.uid, home.user.gid);
    await chown(passwordPath, home.user.uid, home.user.gid);
  }
  await run(
    join(home.programs, 'initdb'),
    [
      `--pgdata=${fresh}`,
      '--username=star64',
      `--pwfile=${passwordPath}`,
      '--auth=scram-sha-256',
      '--encoding=UTF8',
      '--locale=C',
      ...(fleeting ? ['--no-sync'] : []),
    ],
    { ...identity(home), cwd: home.dir },
  );
  await rename(fresh, home.data);
  return { password };
}

/** Gives a home that has no data those of another one, whose server is stopped, with the password and the owner. */
export async function copyData(from: string, home: Home): Promise<void> {
  for (const name of ['password', 'data'])
    await run('cp', ['--archive', '--no-target-directory', join(from, name), join(home.dir, name)]);
}

/** PostgreSQL reads no data of another major version, and they are the operator's to move: nothing is touched. */
async function refuseOtherMajor({ dir, data }: Home, made: string): Promise<void> {
  const major = await postgresMajor();
  if (made === major) return;
  throw new Star64Error(
    'failure',
    `the data in ${data} were made by PostgreSQL ${made}, and this star64 brings PostgreSQL ${major}, which cannot read them. ` +
      `They are left as they are. To go on with them, let a PostgreSQL ${made} of your own run on ${data} and name it in DATABASE_URL ` +
      `(user and database star64, the password is in ${join(dir, 'password')}). To move them, let its pg_dump write that database to a file, ` +
      `and load the file with psql into an empty database star64 of a newer PostgreSQL, named in DATABASE_URL.`,
  );
}

/** Starts the server and waits until it accepts connections; on a free port unless one is wanted. */
export async function launch(
  home: Home,
  fleeting: boolean,
  password: string,
  wantedPort?: number,
): Promise<{ hold: Hold; pid: number; port: number }> {
  await clearAfterCrash(home);
  for (let attempt = 1; ; attempt++) {
    const port = wantedPort ?? (await freePort());
    const settings = {
      listen_addresses: '127.0.0.1',
      port: String(port),
      unix_socket_directories: '',
      timezone: 'UTC',
      max_connections: '300',
      shared_buffers: '64MB',
      // Data that need not survive a power failure.
      ...(fleeting ? { fsync: 'off', full_page_writes: 'off' } : {}),
    };
    const [hold, child] = await Hold.found(home.dir, async (watched) =>
      LabProcess.launch(
        join(home.programs, 'postgres'),
        ['-D', home.data, ...Object.entries(settings).flatMap(([name, value]) => ['-c', `${name}=${value}`])],
        {
          ...identity(home),
          cwd: home.dir,
          outputFile: join(home.dir, 'log'),
          endSignal: 'SIGINT',
          watched,
        },
      ),
    );
    const ready = await until(
      'PostgreSQL to start',
      async () => {
        if (!child.running) return 'failed';
        const lines = await pidFile(home);
        return lines[0] === String(child.pid) && lines[7] === 'ready' ? 'ready' : undefined;
      },
      60_000,
    );
    if (ready === 'ready') {
      await writeFile(join(home.dir, 'connection.json'), JSON.stringify({ port, password }), { mode: 0o600 });
      return { hold, pid: child.pid, port };
    }
    await hold.leave(true);
    const log = await readFile(join(home.dir, 'log'), 'utf8');
    // Somebody else may have taken the port in between.
    if (attempt < 3 && log.includes('Address already in use')) continue;
    throw new Star64Error('failure', `PostgreSQL does not start: ${log.slice(-500).trim()}`);
  }
}

function identity(home: Home): { env: NodeJS.ProcessEnv; uid?: number; gid?: number } {
  // None of PostgreSQL's own variables (PGPORT and the like) may reach it from outside.
  const env = { PATH: process.env['PATH'], LC_ALL: 'C', HOME: home.dir };
  return home.user === undefined ? { env } : { env, uid: home.user.uid, gid: home.user.gid };
}

/** A fast shutdown (sessions are ended, a checkpoint is written), and after ten seconds by force. */
export async function shutDown(pid: number): Promise<void> {
  for (const child of childrenOf(pid)) signal(child, 'SIGCONT');
  signal(pid, 'SIGCONT');
  signal(pid, 'SIGINT');
  await gone(pid).catch(async () => {
    signal(pid, 'SIGKILL');
    await gone(pid);
  });
}

/** Waits until a process has ended. */
export async function gone(pid: number): Promise<void> {
  await until(
    `process ${pid} to end`,
    async () => ((await processStart(pid)) === undefined ? true : undefined),
    10_000,
  );
}

/** Sends a signal to a process that may be gone already. */
export function signal(pid: number, name: NodeJS.Signals): void {
  try {
    process.kill(pid, name);
  } catch (error) {
    // It has ended already: there is nothing left to stop, continue or kill.
    if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error;
  }
}

/** One query over a connection of its own. */
export async function query(url: string, sql: string): Promise<pg.QueryResult> {
  const client = new pg.Client({
    connectionString: url,
    connectionTimeoutMillis: 5000,
    query_timeout: 30_000,
  });
  // A server that goes down says so on idle connections too; the query itself fails where it matters.
  client.on('error', () => undefined);
  try {
    await client.connect();
    return await client.query(sql);
  } finally {
    await client.end();
  }
}
