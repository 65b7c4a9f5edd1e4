import { randomUUID } from 'node:crypto';
import { hostname } from 'node:os';
import type { Logger } from 'pino';
import type { Database } from '../../domain/database/pool.js';
import { withDatabaseErrors } from '../../domain/database/sql-errors.js';
import { LastingFault } from '../../domain/machine/lasting-fault.js';
import { leadFeed, leaveFeed, makeDeliveries, Pieces } from '../../domain/webhooks/fan-out.js';
import {
  anyDue,
  claimMessages,
  giveBack,
  noteDelivered,
  noteFailed,
  noteLost,
  removeOldDeliveries,
  type Message,
} from '../../domain/webhooks/outbox.js';
import { signatures } from '../../domain/webhook-secret.js';
import { Addresses } from './addresses.js';
import { post, postLimits, type Outcome, type PostLimits } from './post.js';

export interface WebhookSenderSettings {
  version: string;
  /** Networks beside the public one where receivers may be, as `10.1.0.0/16`. */
  allowed: readonly string[];
  /** How often it looks for events, and for messages that are due. */
  everyMs: number;
  retryMs: number;
  /** Messages at a time: to one receiver, to all good ones, to all others, and over all. */
  mostOfOne: number;
  mostQuick: number;
  mostOthers: number;
  mostInAll: number;
  /** An answer is quick when it came so soon. */
  quickMs: number;
  leaseSeconds: number;
  leadSeconds: number;
  /** After which try how long until the next one; there is one try more than there are numbers. */
  delays: readonly number[];
  limits: PostLimits;
  /** How long the end of the process waits for messages under way. */
  graceMs: number;
}

export const webhookSenderDefaults: WebhookSenderSettings = {
  version: '0',
  allowed: [],
  everyMs: 300,
  retryMs: 1000,
  mostOfOne: 4,
  mostQuick: 64,
  mostOthers: 64,
  mostInAll: 512,
  quickMs: 2000,
  leaseSeconds: 60,
  leadSeconds: 10,
  // Standard Webhooks 1.0: 5 s, 5 min, 30 min, 2, 5, 10, 14, 20, 24 h.
  delays: [5, 300, 1800, 7200, 18_000, 36_000, 50_400, 72_000, 86_400],
  limits: postLimits,
  graceMs: 2000,
};

interface Sending {
  message: Message;
  quick: boolean;
  since: number;
}

/**
 * Sends events to the webhooks of all teams. Any number of processes do it at once: one of them makes deliveries from the
 * list of events, each sends what it claims. A message comes at least once, nearly in the order of the events, and keeps
 * its id, by which a receiver knows it again.
 *
 * No receiver waits for another: one that answers well and soon has places of its own, at most a few of which one receiver
 * has; one that fails or is slow, or has not answered yet, is sent a message at a time on other places. A message that
 * takes long is no longer counted among those of the good ones.
 */
export class WebhookSender {
  readonly #name = `${hostname()}:${process.pid}:${randomUUID().slice(0, 8)}`;
  readonly #settings: WebhookSenderSettings;
  readonly #addresses: Addresses;
  readonly #sending = new Map<number, Sending>();
  readonly #running = new Set<Promise<void>>();
  readonly #ending = new AbortController();
  readonly #away: LastingFault;
  readonly #results = new Map<string, number>();
  #loop: Promise<void> | undefined;
  #feeding: Promise<void> | undefined;
  #stopped = false;
  #wakes: (() => void) | undefined;
  #woken = false;
  #lead: { until: number; place: Awaited<ReturnType<typeof leadFeed>> } | undefined;
  readonly #pieces = new Pieces();
  #prunedAt = -Infinity;

  constructor(
    private readonly db: Database,
    private readonly log: Logger,
    settings: Partial<WebhookSenderSettings> = {},
    addresses?: Addresses,
  ) {
    this.#settings = { ...webhookSenderDefaults, ...settings };
    this.#addresses = addresses ?? new Addresses(this.#settings.allowed);
    this.#away = new LastingFault(log, {
      fault: 'webhooks stand still: the database cannot be used',
      over: 'webhooks are sent again; nothing is left out',
    });
  }

  start(): void {
    this.#feeding = this.#run(
      () => this.#feed(),
      () => this.#pause(this.#settings.everyMs),
    );
    this.#loop = this.#run(
      () => this.#send(),
      (ms) => this.#sleep(ms),
    );
  }

  /** How many messages came to which end in this process, by `<team>/<webhook>` and result with a blank between. */
  get results(): ReadonlyMap<string, number> {
    return this.#results;
  }

  /** Waits a moment for what is under way; what is not through by then is given back, and sent by another process. */
  async stop(): Promise<void> {
    this.#stopped = true;
    this.#wake();
    this.#stopPause?.();
    const grace = setTimeout(() => this.#ending.abort(), this.#settings.graceMs);
    await this.#loop;
    await this.#feeding;
    await Promise.all(this.#running);
    clearTimeout(grace);
    if (this.#lead) await leaveFeed(this.db, this.#name).catch(() => undefined);
  }

  /** Does `work` until the end; `wait` after it, unless it says that there is more to do. */
  async #run(work: () => Promise<boolean>, wait: (ms: number) => Promise<void>): Promise<void> {
    while (!this.#stopped) {
      try {
        const more = await withDatabaseErrors(work);
        this.#away.over();
        if (!more) await wait(this.#settings.everyMs);
      } catch (error) {
        this.#away.met((error as Error).message);
        await wait(this.#settings.retryMs);
      }
    }
  }

  /** Makes deliveries, if this process leads. Whether there are more events. */
  async #feed(): Promise<boolean> {
    const { leadSeconds } = this.#settings;
    if (!this.#lead || performance.now() > this.#lead.until) {
      const place = await leadFeed(this.db, this.#name, leadSeconds);
      this.#lead = { until: performance.now() + leadSeconds * 300, place };
    }
    const { place } = this.#lead;
    if (!place) return false;
    const tried = await this.#pieces.try(async (piece) => ({
      made: await makeDeliveries(this.db, this.#name, place, piece),
    }));
    if (!tried) return true;
    const { made } = tried;
    if (!made) {
      this.#lead = undefined;
      return false;
    }
    this.#lead.place = made.place;
    if (made.made > 0) this.#wake();
    if (performance.now() - this.#prunedAt > 60_000) {
      this.#prunedAt = performance.now();
      while (!this.#stopped && (await removeOldDeliveries(this.db)) === 5000);
    }
    return !made.caughtUp;
  }

  /** Claims what is due and begins to send it. Whether there may be more. */
  async #send(): Promise<boolean> {
    this.#woken = false;
    if (!(await anyDue(this.db))) return false;
    const { mostOfOne, leaseSeconds } = this.#settings;
    let begun = 0;
    for (const quick of [true, false]) {
      const most = this.#room(quick);
      if (most <= 0) continue;
      const messages = await claimMessages(this.db, {
        quick,
        most,
        mostOfOne: quick ? mostOfOne : 1,
        busy: this.#busy(),
        leaseSeconds,
      });
      begun += messages.length;
      for (const message of messages) this.#begin(message, quick);
    }
    return begun > 0;
  }

  /** How many messages more may be under way. */
  #room(quick: boolean): number {
    const { mostQuick, mostOthers, mostInAll, quickMs } = this.#settings;
    const now = performance.now();
    const sending = [...this.#sending.values()];
    const counted = sending.filter((one) => one.quick === quick && (!quick || now - one.since < quickMs));
    return Math.min((quick ? mostQuick : mostOthers) - counted.length, mostInAll - sending.length);
  }

  #busy(): Record<number, number> {
    const busy: Record<number, number> = {};
    for (const { message } of this.#sending.values())
      busy[message.webhookId] = (busy[message.webhookId] ?? 0) + 1;
    return busy;
  }

  #begin(message: Message, quick: boolean): void {
    const since = performance.now();
    this.#sending.set(message.id, { message, quick, since });
    const run = this.#carry(message, since).finally(() => {
      this.#sending.delete(message.id);
      this.#running.delete(run);
      this.#wake();
    });
    this.#running.add(run);
  }

  /** Sends a message and notes what came of it. What cannot be noted is sent again after its lease. */
  async #carry(message: Message, since: number): Promise<void> {
    try {
      if (message.body === undefined) {
        await this.#lost(message);
        return;
      }
      const outcome = await this.#post(message, message.body);
      const quick = performance.now() - since < this.#settings.quickMs;
      if (outcome.error !== null && this.#ending.signal.aborted) await giveBack(this.db, [message]);
      else if (outcome.error === null && outcome.status !== null) {
        await noteDelivered(this.db, message, { status: outcome.status, quick });
        this.#count(message, 'delivered');
      } else await this.#failed(message, outcome);
    } catch (error) {
      this.#away.met((error as Error).message);
    }
  }

  #post({ url, message: id, secrets }: Message, body: string): Promise<Outcome> {
    const timestamp = Math.floor(Date.now() / 1000);
    const headers = {
      'content-type': 'application/json',
      'user-agent': `star64/${this.#settings.version}`,
      'webhook-id': id,
      'webhook-timestamp': String(timestamp),
      'webhook-signature': signatures(secrets, { id, timestamp, body }),
    };
    const { limits } = this.#settings;
    return post(url, headers, body, this.#addresses, { signal: this.#ending.signal, limits });
  }

  async #failed(message: Message, { status, error, retryAfter }: Outcome): Promise<void> {
    const delay = this.#settings.delays[message.tries - 1];
    const gone = status === 410;
    const last = delay === undefined || gone;
    // So that what failed together does not come back together.
    const again = (delay ?? 0) * (0.9 + Math.random() * 0.2);
    await noteFailed(this.db, message, {
      status,
      error: error ?? 'failed',
      againSeconds: last ? null : Math.max(again, retryAfter ?? 0),
      restSeconds: retryAfter,
      gone,
    });
    this.#count(message, last ? 'dead' : 'failed');
    this.#say(message, error, last);
  }

  async #lost(message: Message): Promise<void> {
    const error = 'the event is no longer kept';
    await noteLost(this.db, message, error);
    this.#count(message, 'dead');
    this.#say(message, error, true);
  }

  #say({ team, webhook, message, type, tries }: Message, reason: string | null, last: boolean): void {
    const says = last ? 'a webhook was not sent an event: no further try' : 'a webhook did not take an event';
    this.log[last ? 'warn' : 'debug']({ team, webhook, message, type, tries, reason }, says);
  }

  #count({ team, webhook }: Message, result: string): void {
    const key = `${team}/${webhook} ${result}`;
    this.#results.set(key, (this.#results.get(key) ?? 0) + 1);
  }

  /** There is something to send, or room for it. */
  #wake(): void {
    this.#woken = true;
    this.#wakes?.();
  }

  async #sleep(ms: number): Promise<void> {
    if (this.#woken || this.#stopped) return;
    await new Promise<void>((resolve) => {
      const timer = setTimeout(resolve, ms);
      this.#wakes = () => {
        clearTimeout(timer);
        resolve();
      };
    });
    this.#wakes = undefined;
  }

  #stopPause: (() => void) | undefined;
  async #pause(ms: number): Promise<void> {
    if (this.#stopped) return;
    await new Promise<void>((resolve) => {
      const timer = setTimeout(resolve, ms);
      this.#stopPause = () => {
        clearTimeout(timer);
        resolve();
      };
    });
  }
}
