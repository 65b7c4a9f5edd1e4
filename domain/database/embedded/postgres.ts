import { randomBytes } from 'node:crypto';
import { rm } from 'node:fs/promises';
import { setTimeout as sleep } from 'node:timers/promises';
import pg from 'pg';
import type { Hold } from '../../machine/hold.js';
import {
  copyData,
  gone,
  initialise,
  joinRunning,
  launch,
  openHome,
  query,
  shutDown,
  signal,
  type Connection,
  type Home,
} from './cluster.js';
import { isUnreachable } from '../sql-errors.js';
import { childrenOf } from '../../machine/processes.js';

export interface LabPostgresOptions {
  /** Keeps its data here; several processes may start it there, they share one server. Default: a temporary one. */
  dir?: string;
  /** Its data need not survive a power failure: it is several times faster. Always so for a temporary one. */
  fleeting?: boolean;
  /** Begins with the data of another one, which is stopped: its directory. That is faster than to make them anew. */
  copyOf?: string;
  /** How long one that others work with may take to answer, in milliseconds: it may be coming back. Default: 20,000. */
  patienceMs?: number;
}

/**
 * A PostgreSQL of star64's own, on 127.0.0.1 with a random password, for those who have none: for `star64 serve`
 * without `DATABASE_URL`, for demo and tests. It works as root (as user postgres or nobody then) and as any user, and
 * ends with the last process that uses it.
 */
export class LabPostgres {
  private constructor(
    private readonly home: Home,
    private readonly temporary: boolean,
    private readonly fleeting: boolean,
    private readonly connection: Connection,
    private hold: Hold | undefined,
    private pid: number,
  ) {}

  /**
   * Starts it, or takes part in the one that already runs on `dir`. @throws as PostgreSQL does when that one does not answer
   * for `patienceMs`, though others work with it.
   */
  static async start(options: LabPostgresOptions = {}): Promise<LabPostgres> {
    const home = await openHome(options.dir);
    const end = performance.now() + (options.patienceMs ?? 20_000);
    for (;;) {
      try {
        return await LabPostgres.#startIn(home, options);
      } catch (error) {
        if (!isUnreachable(error) || performance.now() > end) throw error;
        await sleep(200);
      }
    }
  }

  static async #startIn(home: Home, options: LabPostgresOptions): Promise<LabPostgres> {
    const temporary = options.dir === undefined;
    const fleeting = temporary || options.fleeting === true;
    return await home.locked(async () => {
      const running = await joinRunning(home);
      if (running !== undefined) {
        return new LabPostgres(home, temporary, fleeting, running.connection, running.hold, running.pid);
      }
      if (options.copyOf !== undefined) await copyData(options.copyOf, home);
      const { password } = await initialise(home, fleeting);
      const launched = await launch(home, fleeting, password);
      const connection = { password, port: launched.port };
      const server = new LabPostgres(home, temporary, fleeting, connection, launched.hold, launched.pid);
      await server.#createFirstDatabase();
      return server;
    });
  }

  /** Connection URL of its first database, `star64`. Holds the password. */
  get url(): string {
    return this.#urlOf('star64');
  }

  /** A new database, empty or a copy of `template` (its name, nobody connected to it); returns its connection URL. */
  async createDatabase(template = 'template1'): Promise<string> {
    const name = `test_${randomBytes(6).toString('hex')}`;
    await this.#query(`CREATE DATABASE ${name} TEMPLATE ${pg.escapeIdentifier(template)}`);
    return this.#urlOf(name);
  }

  /** Its processes: the parent of all, then one for each connection and task. */
  get pids(): number[] {
    return [this.pid, ...childrenOf(this.pid)];
  }

  /** Stops all its processes in their tracks (SIGSTOP): connections stay open and get no answer until `thaw()`. */
  freeze(): void {
    // The parent first, so that it starts no new ones meanwhile.
    for (const pid of this.pids) signal(pid, 'SIGSTOP');
  }

  thaw(): void {
    for (const pid of [...childrenOf(this.pid), this.pid]) signal(pid, 'SIGCONT');
  }

  /** SIGKILL to all its processes, as a power failure would; `restart()` brings it back. */
  async kill(): Promise<void> {
    const { pids } = this;
    pids.forEach((pid) => signal(pid, 'SIGKILL'));
    for (const pid of pids) await gone(pid);
    await this.hold?.leave(true);
    this.hold = undefined;
  }

  /** Stops it in good order, as an upgrade does: sessions are told and ended; `restart()` brings it back. */
  async halt(): Promise<void> {
    await shutDown(this.pid);
    await this.hold?.leave(true);
    this.hold = undefined;
  }

  /** Starts it again after `kill()` or `halt()`, on the same port. */
  async restart(): Promise<void> {
    await this.home.locked(async () => {
      const { hold, pid } = await launch(
        this.home,
        this.fleeting,
        this.connection.password,
        this.connection.port,
      );
      this.hold = hold;
      this.pid = pid;
    });
  }

  /** Ends it, unless another process still uses it; removes temporary data. May be called twice. */
  async stop(): Promise<void> {
    if (this.hold !== undefined) {
      const hold = this.hold;
      this.hold = undefined;
      await this.home.locked(async () => {
        const shared = await hold.shared();
        if (!shared) await shutDown(this.pid);
        await hold.leave(!shared);
      });
    }
    if (this.temporary) await rm(this.home.dir, { recursive: true, force: true });
  }

  async #createFirstDatabase(): Promise<void> {
    const { rows } = await this.#query("SELECT 1 FROM pg_database WHERE datname = 'star64'");
    if (rows.length === 0) await this.#query('CREATE DATABASE star64');
  }

  #urlOf(database: string): string {
    return `postgres://star64:${this.connection.password}@127.0.0.1:${this.connection.port}/${database}`;
  }

  async #query(sql: string): Promise<pg.QueryResult> {
    return await query(this.#urlOf('postgres'), sql);
  }
}
