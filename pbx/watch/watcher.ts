import { setTimeout as sleep } from 'node:timers/promises';
import type { Logger } from 'pino';
import { LastingFault } from '../../domain/machine/lasting-fault.js';
import { isUnreachable } from '../../domain/database/sql-errors.js';
import { type Database } from '../../domain/database/pool.js';
import { releaseLeaderLease, takeLeaderLease } from '../../domain/database/leases.js';
import type { EventEmitter } from 'node:events';
import type { ManagerActions } from '../ami/manager.js';
import type { OwnAsterisk } from './own-asterisk.js';
import type { ManagerEvents } from '../ami/settings.js';
import { leaseVariable } from '../queue/names.js';
import type { Observer } from './events/observer.js';
import { askPhone, silentPhones } from '../queue/phones.js';
import { inPortions } from './loops/in-portions.js';
import { readEpoch } from '../queue/status.js';
import type { Reconciliation } from './compare/reconciliation.js';

export interface WatcherSettings {
  /** The Asterisk node that is watched. */
  node: string;
  /** Names this server, the same after a restart, so that it takes its watch back at once. */
  holder: string;
  tickMs: number;
  /** For how long the watch is taken. A server that hangs is replaced after this. */
  leaderSeconds: number;
  /** For how long Asterisk may rely on a server ending wrap-ups. Longer than a change of watch takes. */
  leaseSeconds: number;
  reconcileMs: number;
  /** After a reconciliation of which a step failed. */
  reconcileAgainMs: number;
  /** After the start of Asterisk its phones are asked, and again after so long, then after twice that, for a minute. */
  askAgainMs: number;
  /** So long they are asked in one tick, since the lease is renewed between two; the others follow in the next. */
  askForMs: number;
}

/** How often they are asked in all: with the last one Asterisk has asked each by itself. */
const mostAsked = 7;
/** So many before it is seen whether the time is over. */
const askedAtOnce = 20;

export const watcherDefaults = {
  tickMs: 1000,
  leaderSeconds: 4,
  leaseSeconds: 10,
  reconcileMs: 60_000,
  reconcileAgainMs: 5000,
  askAgainMs: 1000,
  askForMs: 1000,
};

/**
 * Follows one Asterisk node: one server at a time turns its events into states, promises Asterisk that wrap-ups are
 * ended (only while PostgreSQL and the manager connection both work), and reconciles.
 */
export class Watcher {
  #leading = false;
  #started = false;
  #stopped = false;
  #timer: NodeJS.Timeout | undefined;
  #tick: Promise<void> | undefined;
  #reconcileAt = 0;
  /** The moment of Asterisk's last reload, as it was read last. */
  #reloaded: string | undefined;
  #reloadedJustNow = false;
  /** Asterisk may have been restarted: its phones are asked at this moment of our monotonic clock; null: no more. */
  #askPhonesAt: number | null = null;
  #phonesAsked = 0;
  /** Those who are still to be asked this time. */
  #toAsk: string[] = [];
  readonly #away: LastingFault;
  readonly #trouble: LastingFault;
  /** Until when the watch is surely ours, on our monotonic clock. */
  #until = 0;

  constructor(
    private readonly settings: WatcherSettings,
    private readonly db: Database,
    private readonly manager: ManagerActions &
      Pick<EventEmitter<ManagerEvents>, 'on'> &
      Pick<OwnAsterisk, 'verify'>,
    private readonly observer: Observer,
    private readonly reconciliation: Pick<Reconciliation, 'run'>,
    private readonly log: Logger,
  ) {
    this.#away = new LastingFault(log, {
      fault: 'PostgreSQL is away: Asterisk is not watched until it is back',
      over: 'PostgreSQL is back',
    });
    this.#trouble = new LastingFault(log, {
      fault: 'Asterisk could not be watched: trying again',
      over: 'Asterisk is watched again',
    });
    manager.on('event', (event) => {
      if (this.#leading) this.observer.take(event);
    });
    manager.on('up', () => {
      this.observer.watches();
      this.#askPhonesAt = 0;
      this.#phonesAsked = 0;
      this.#toAsk = [];
      this.reconcileSoon();
    });
  }

  get leading(): boolean {
    return this.#leading;
  }

  start(): void {
    this.#started = true;
    this.#next(0);
  }

  /** Reconciles at the next opportunity: something was missed. */
  reconcileSoon(): void {
    this.#reconcileAt = 0;
    // Not before its start: the manager connection may be up long before the tables are.
    if (this.#started && !this.#tick) this.#next(0);
  }

  async stop(): Promise<void> {
    this.#stopped = true;
    clearTimeout(this.#timer);
    await this.#tick;
    if (!this.#leading) return;
    this.#leading = false;
    try {
      await this.observer.settled();
      await releaseLeaderLease(this.db, this.settings.node, this.settings.holder);
    } catch (error) {
      this.log.debug({ err: error }, 'the watch could not be given back: it runs out by itself');
    }
  }

  #next(ms: number): void {
    if (this.#stopped) return;
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => {
      this.#tick = this.#run().finally(() => {
        this.#tick = undefined;
        this.#next(this.#reconcileAt === 0 && this.#leading ? 100 : this.settings.tickMs);
      });
    }, ms);
  }

  /**
   * Takes or renews both leases: the leader's, and the one by which Asterisk relies on a server. False: another server
   * has them.
   */
  async #renew(): Promise<boolean> {
    const { node, holder, leaderSeconds, leaseSeconds } = this.settings;
    const now = performance.now();
    const until = (await readEpoch(this.manager)) + leaseSeconds;
    if (!(await takeLeaderLease(this.db, node, holder, leaderSeconds, until))) return false;
    this.#until = now + leaderSeconds * 1000;
    const lease = await this.manager.action('Getvar', { Variable: leaseVariable });
    await this.manager.action('Setvar', { Variable: leaseVariable, Value: String(until) });
    // A reload with clearglobalvars=yes, which Asterisk tells nobody of.
    if (this.#leading && lease.headers.get('value') === '') this.#reconcileAt = 0;
    return true;
  }

  /**
   * What Asterisk has loaded anew is compared at once. Its own event of it is of the class that also has the flood of a
   * storm of registrations, so it is asked. It knows the moment to a second: another reload may come in the same one.
   */
  async #noticeReload(): Promise<void> {
    const { headers } = await this.manager.action('CoreStatus');
    const reloaded = `${headers.get('corereloaddate') ?? ''} ${headers.get('corereloadtime') ?? ''}`;
    const isFirst = this.#reloaded === undefined;
    const isNew = !isFirst && this.#reloaded !== reloaded;
    if (isNew || this.#reloadedJustNow) this.#reconcileAt = 0;
    // An Asterisk that has just started may be reloaded within the second in which it is first asked.
    this.#reloadedJustNow = isNew || isFirst;
    this.#reloaded = reloaded;
  }

  /**
   * Soon after its start Asterisk may not have read its registrations, and who signs in later comes to a phone that was not
   * asked: so it is done again, ever more seldom, until Asterisk has asked each of them by itself.
   */
  async #askPhones(): Promise<void> {
    if (this.#askPhonesAt === null || performance.now() < this.#askPhonesAt) return;
    const { manager, settings } = this;
    if (this.#toAsk.length === 0) this.#toAsk = await silentPhones(manager, this.db, settings.node);
    const until = performance.now() + settings.askForMs;
    do await inPortions(this.#toAsk.splice(0, askedAtOnce), (device) => askPhone(manager, device));
    while (this.#toAsk.length > 0 && performance.now() < until);
    if (this.#toAsk.length > 0) return;
    const again = this.settings.askAgainMs * 2 ** this.#phonesAsked++;
    this.#askPhonesAt = this.#phonesAsked < mostAsked ? performance.now() + again : null;
  }

  /** Both leases are renewed while a reconciliation with many differences runs. */
  async #reconcile(): Promise<void> {
    const { tickMs, reconcileAgainMs } = this.settings;
    const work = this.reconciliation.run();
    const over = work.then(
      () => true,
      () => true,
    );
    for (;;) {
      const pause = new AbortController();
      const tick = sleep(tickMs, false, { signal: pause.signal }).catch(() => false);
      const done = await Promise.race([over, tick]);
      pause.abort();
      if (done) break;
      if (!this.#leading) continue;
      try {
        await this.manager.verify();
        this.#leading = await this.#renew();
      } catch (error) {
        // The reconciliation meets the same trouble, or the next tick does.
        this.log.debug({ err: error }, 'watch or lease could not be renewed');
      }
    }
    const { failed } = await work;
    this.observer.adopt();
    if (failed.length > 0) this.#reconcileAt = performance.now() + reconcileAgainMs;
  }

  async #run(): Promise<void> {
    const { node, reconcileMs } = this.settings;
    try {
      // A server that hung for longer may have missed what became of its promise to Asterisk.
      const had = this.#leading && performance.now() < this.#until;
      // Without a manager connection there is nothing to see: another server may have one. And one that finds that
      // another database has this Asterisk ends, whoever leads.
      await this.manager.verify();
      this.#leading = this.manager.connected && (await this.#renew());
      if (this.manager.connected) this.#away.over({ node });
      if (!this.#leading) return;
      if (!had) {
        this.log.info({ node }, 'watching Asterisk');
        this.observer.watches();
        this.#reconcileAt = 0;
        this.observer.adopt();
      }
      await this.#noticeReload();
      if (performance.now() >= this.#reconcileAt) {
        this.#reconcileAt = performance.now() + reconcileMs;
        await this.#reconcile();
      }
      await this.#askPhones();
      this.#trouble.over({ node });
    } catch (error) {
      this.#reconcileAt = 0;
      // PostgreSQL away, or so slow that the lease is over: it is not ours to keep. It returns, and with it a
      // reconciliation, with the next tick.
      const away = isUnreachable(error);
      if (away || performance.now() >= this.#until) this.#leading = false;
      (away ? this.#away : this.#trouble).met((error as Error).message, { node });
    }
  }
}
