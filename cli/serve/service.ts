import { setTimeout as sleep } from 'node:timers/promises';
import type { Logger } from 'pino';
import { scripts } from '../../agi/scripts/index.js';
import { AgiServer, type AgiServerSettings, type Script } from '../../agi/server.js';
import { CallJournal } from '../../domain/calls/journal.js';
import { connect, type Database } from '../../domain/database/pool.js';
import { isUnreachable } from '../../domain/database/sql-errors.js';
import { migrate, migrationDeadlineMs } from '../../domain/database/migrate.js';
import { ChangeListener } from '../../domain/database/listen.js';
import { Star64Error } from '../../domain/errors.js';
import { Routing } from '../../domain/calls/routing.js';
import { EventRetention } from '../../domain/monitor/event-retention.js';
import { registerNode } from '../../domain/provisioning/node.js';
import { AutomaticSignOut } from '../../pbx/watch/automatic-sign-out.js';
import { Deadlines } from '../../pbx/watch/deadlines.js';
import { Follower } from '../../pbx/watch/follower.js';
import { Manager, type ManagerSettings } from '../../pbx/ami/manager.js';
import { QueueMembership } from '../../pbx/queue/membership.js';
import { Observer, observedEvents } from '../../pbx/watch/observer.js';
import { Reconciliation } from '../../pbx/watch/reconciliation.js';
import { Watcher, watcherDefaults } from '../../pbx/watch/watcher.js';

export interface ServiceSettings {
  databaseUrl: string;
  agi: Partial<AgiServerSettings> & Pick<AgiServerSettings, 'token' | 'host' | 'port'>;
  ami: Pick<ManagerSettings, 'host' | 'port' | 'username' | 'secret'>;
  node: string;
  /** Names this server among those of the node; the same after a restart. */
  holder: string;
}

/** `star64 serve`, put together: the FastAGI server, the manager connection, the watch and the deadlines. */
export class Service {
  readonly #db: Database;
  readonly #manager: Manager;
  readonly #agi: AgiServer;
  readonly #journal: CallJournal;
  readonly #routing: Routing;
  readonly #listener: ChangeListener;
  readonly #follower: Follower;
  readonly #deadlines: Deadlines;
  readonly #automaticSignOut: AutomaticSignOut;
  readonly #watcher: Watcher;
  readonly #eventRetention: EventRetention;
  #stopping = false;
  #reloadWanted = false;
  #reloading = false;

  constructor(
    private readonly settings: ServiceSettings,
    private readonly log: Logger,
  ) {
    const db = connect(settings.databaseUrl);
    const manager = new Manager(
      { ...settings.ami, events: observedEvents, eventClasses: ['agent', 'call', 'user'] },
      log.child({ part: 'ami' }),
    );
    const membership = new QueueMembership(db, manager, log);
    const deadlines = new Deadlines(db, settings.node, membership, log);
    const watcher = new Watcher(
      { node: settings.node, holder: settings.holder, ...watcherDefaults },
      db,
      manager,
      new Observer(db, settings.node, log, {
        deadlineSet: () => deadlines.poke(),
        missed: () => this.#watcher.reconcileSoon(),
      }),
      new Reconciliation(db, settings.node, manager, membership, log),
      log,
    );
    const routing = new Routing(db);
    const journal = new CallJournal(db, settings.node, log);
    const services = { db, membership, routing, journal, log };
    const bound = new Map<string, Script>();
    for (const [name, script] of scripts) bound.set(name, (session, args) => script(services, session, args));

    this.#db = db;
    this.#manager = manager;
    this.#deadlines = deadlines;
    this.#automaticSignOut = new AutomaticSignOut(db, settings.node, membership, log);
    this.#watcher = watcher;
    this.#eventRetention = new EventRetention(db, log);
    this.#routing = routing;
    this.#journal = journal;
    this.#agi = new AgiServer(settings.agi, bound, log.child({ part: 'agi' }));
    this.#follower = new Follower(db, settings.node, membership, log, () => watcher.reconcileSoon());
    this.#listener = new ChangeListener(
      settings.databaseUrl,
      { provisioning: () => this.#reload(), agents: (payload) => this.#follower.take(payload) },
      log,
    );
  }

  /**
   * Migrates, then listens. As long as PostgreSQL has not been seen the FastAGI port stays closed: a refused
   * connection sends the call to its fallback at once. Resolves with the port when calls are answered.
   */
  async start(): Promise<{ port: number }> {
    this.#manager.start();
    await this.#untilMigrated();
    const { node } = this.settings;
    if ((await registerNode(this.#db, node)) === 0)
      this.log.warn({ node }, 'no team lives on this Asterisk: look at `asterisk.node`, or move one here');
    await this.#routing.load();
    await this.#listener.start();
    if (this.#stopping) throw new Star64Error('failure', 'stopped before it served');
    const { port } = await this.#agi.start();
    this.#deadlines.start();
    this.#automaticSignOut.start();
    this.#eventRetention.start();
    this.#watcher.start();
    this.log.info({ host: this.settings.agi.host, port }, 'serving');
    return { port };
  }

  /** Stops accepting, lets the questions under way be answered, gives the watch back, and closes everything. */
  async stop(drainMs = 10_000): Promise<void> {
    this.#stopping = true;
    const cut = await this.#agi.drain(drainMs);
    if (cut > 0) this.log.warn({ cut }, 'questions were cut off after the time for draining');
    // The arrivals before the ends, which the watcher writes.
    await this.#journal.flush();
    await this.#eventRetention.stop();
    await this.#automaticSignOut.stop();
    await this.#deadlines.stop();
    await this.#watcher.stop();
    await this.#listener.stop();
    await this.#follower.stop();
    await this.#manager.stop();
    await this.#db.destroy();
    this.log.info('stopped');
  }

  async #untilMigrated(): Promise<void> {
    for (;;) {
      const db = connect(this.settings.databaseUrl, { max: 1, deadlineMs: migrationDeadlineMs });
      try {
        const done = await migrate(db);
        if (done.length > 0) this.log.info({ done }, 'migrated');
        return;
      } catch (error) {
        if (!isUnreachable(error) && !isUnreachable((error as Error).cause)) throw error;
        if (this.#stopping) throw error;
        this.log.warn({ reason: (error as Error).message }, 'waiting for PostgreSQL');
        await new Promise((resolve) => setTimeout(resolve, 1000));
      } finally {
        await db.destroy();
      }
    }
  }

  /** One at a time, since of two the older answer could come last. */
  #reload(): void {
    this.#reloadWanted = true;
    if (this.#reloading) return;
    this.#reloading = true;
    void this.#reloadAll().finally(() => {
      this.#reloading = false;
      if (this.#reloadWanted && !this.#stopping) this.#reload();
    });
  }

  async #reloadAll(): Promise<void> {
    while (this.#reloadWanted && !this.#stopping) {
      this.#reloadWanted = false;
      try {
        await this.#routing.load();
      } catch (error) {
        const { message: reason } = error as Error;
        this.log.warn({ reason }, 'routing could not be read: the last known stands, trying again in 1 s');
        this.#reloadWanted = true;
        await sleep(1000);
      }
    }
    // Groups and memberships may have changed; whoever is signed in follows without signing in again.
    this.#watcher.reconcileSoon();
  }
}
