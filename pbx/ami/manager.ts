import { randomBytes } from 'node:crypto';
import { EventEmitter } from 'node:events';
import { performance } from 'node:perf_hooks';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Logger } from 'pino';
import { AmiError } from './errors.js';
import type { AmiMessage } from './message.js';
import { AmiSession, type RawEvent } from './session.js';
import { type AmiHeaders, checkedHeaders } from './syntax.js';
import { openWire } from './wire.js';
import { LastingFault } from '../../domain/machine/lasting-fault.js';
import { deliver } from './deliver.js';
import { type ManagerEvents, type ManagerSettings, type UpInfo, managerDefaults } from './settings.js';

export type { ManagerEvents, ManagerSettings, UpInfo } from './settings.js';

/** Uptime comes in whole seconds of Asterisk's clock, on both sides of the comparison. */
const SAME_BOOT_S = 2;
/** A connection that lasted less is followed by the next longer delay, not by the first. */
const STABLE_MS = 1_000;
/** These would change the state of the connection behind our back. */
const RESERVED = new Set(['login', 'logoff', 'challenge', 'events', 'filter']);

/**
 * The regular expression by which Asterisk sends no events but those of these names, and FullyBooted: for the action
 * `Filter` and for `eventfilter` in manager.conf, which does the same without write class `system`.
 * @throws AmiError `syntax` when a name is not letters only.
 */
export function eventFilter(names: readonly string[]): string {
  const all = ['FullyBooted', ...names];
  if (!all.every((name) => /^[A-Za-z]+$/.test(name)))
    throw new AmiError('syntax', 'an event name is letters only');
  return `^Event: (${all.join('|')})[^A-Za-z]`;
}

/**
 * Our end of Asterisk's manager interface (AMI): one connection for actions, on which no event can stand in front of an
 * answer, and one for events. Both are made anew, together, whenever either is lost.
 *
 * Every promise settles: by the answer, by its deadline, or at once when the connection is or goes down. A listener
 * that throws or rejects is logged and hurts nobody. Events are hints: Asterisk drops a slow reader, and what happened
 * while the connection was down is not told afterwards.
 */
export class Manager extends EventEmitter<ManagerEvents> {
  readonly #settings: Required<ManagerSettings>;
  readonly #log: Logger;
  readonly #wanted: ReadonlySet<string>;
  readonly #prefix = `s64-${randomBytes(6).toString('hex')}-`;
  readonly #stopping = new AbortController();
  #count = 0;
  #sessions: AmiSession[] = [];
  #up: UpInfo | null = null;
  #running: Promise<void> | null = null;
  #reason = 'not started';
  readonly #away: LastingFault;
  /** The content of FullyBooted on the present connection. */
  #boot: { uptimeS: number; lastReloadS: number; at: number } | null = null;
  #booted: () => void = () => undefined;
  #wasUp = false;
  /** When Asterisk last said that it had started, on our monotonic clock, in seconds. */
  #bootedAt: number | null = null;

  /** @throws AmiError `syntax` when a setting cannot be written into an AMI header. */
  constructor(settings: ManagerSettings, log: Logger) {
    super();
    this.#settings = { ...managerDefaults, ...settings };
    this.#log = log;
    this.#away = new LastingFault(log, {
      fault: 'no connection to the Asterisk manager',
      over: 'the connection to the Asterisk manager is back',
    });
    this.#wanted = new Set((settings.events || []).map((name) => name.toLowerCase()));
    // A setting that cannot be sent is a mistake to be told now, not a connection that fails for ever.
    checkedHeaders('Login', this.#nextId(), this.#loginHeaders('off'));
    checkedHeaders('Filter', this.#nextId(), this.#filter());
  }

  /** Whether an action issued now would be sent. */
  get connected(): boolean {
    return this.#up !== null;
  }

  /** Connects, and keeps connecting until `stop`. */
  start(): void {
    if (this.#running === null) this.#reason = 'not answered yet';
    this.#running ??= this.#run();
  }

  /** Logs off and stays down for good; everything pending is rejected with `down`. */
  async stop(): Promise<void> {
    this.#stopping.abort();
    this.#reason = 'stopped';
    const sessions = this.#up === null ? [] : this.#sessions;
    this.#up = null;
    // A Logoff that fails is as good: the connection is destroyed next.
    await Promise.allSettled(sessions.map((session) => session.request('Logoff', {})));
    this.#close('stopped');
    await this.#running;
  }

  /**
   * Resolves when the connection is ready, at once if it is.
   * @throws AmiError `down` after the deadline, with the reason of the last failed attempt.
   */
  async whenUp(deadlineMs: number): Promise<UpInfo> {
    if (this.#up !== null) return this.#up;
    return new Promise((resolve, reject) => {
      const up = (info: UpInfo): void => {
        clearTimeout(timer);
        resolve(info);
      };
      const timer = setTimeout(() => {
        this.off('up', up);
        reject(new AmiError('down', `no connection to Asterisk's manager: ${this.#reason}`));
      }, deadlineMs);
      this.once('up', up);
    });
  }

  /**
   * Sends one action and returns its response.
   * @throws AmiError: `rejected` for `Response: Error`, `timeout`, `down`, `syntax`.
   */
  async action(
    name: string,
    headers: AmiHeaders = {},
    options: { deadlineMs?: number } = {},
  ): Promise<AmiMessage> {
    return this.#actions(name).request(name, headers, options.deadlineMs);
  }

  /**
   * Sends an action that Asterisk answers with a list, and returns the whole list.
   * @throws AmiError: as {@link action}, and `protocol` when the list is incomplete or tampered with.
   */
  async list(
    name: string,
    headers: AmiHeaders = {},
    options: { deadlineMs?: number } = {},
  ): Promise<AmiMessage[]> {
    const answer = await this.#actions(name).requestList(name, headers, options.deadlineMs);
    return answer.entries;
  }

  #actions(name: string): AmiSession {
    if (RESERVED.has(name.toLowerCase())) throw new AmiError('syntax', `${name} is the connection's own`);
    const session = this.#sessions[0];
    if (this.#up === null || session === undefined) {
      throw new AmiError('down', `${name}: not connected to Asterisk: ${this.#reason}`);
    }
    return session;
  }

  #nextId(): string {
    this.#count += 1;
    return this.#prefix + this.#count.toString(36);
  }

  #loginHeaders(events: string): AmiHeaders {
    return { Username: this.#settings.username, Secret: this.#settings.secret, Events: events };
  }

  #filter(): AmiHeaders {
    return { Operation: 'Add', Filter: eventFilter(this.#settings.events || []) };
  }

  #session(eventMask: string, onEvent: ((event: RawEvent) => void) | null): AmiSession {
    return new AmiSession({
      ...this.#settings,
      open: (events) => openWire(this.#settings, this.#prefix, events),
      nextId: () => this.#nextId(),
      loginHeaders: this.#loginHeaders(eventMask),
      onEvent,
    });
  }

  async #run(): Promise<void> {
    const { reconnectFirstMs, reconnectMaxMs } = this.#settings;
    let failures = 0;
    while (!this.#stopping.signal.aborted) {
      const from = performance.now();
      const wasUp = await this.#live();
      failures = wasUp && performance.now() - from > STABLE_MS ? 0 : failures + 1;
      const delay = Math.min(reconnectMaxMs, reconnectFirstMs * 2 ** Math.max(0, failures - 1));
      const pause = sleep(delay * (0.5 + Math.random() / 2), undefined, { signal: this.#stopping.signal });
      // Only stop() ends it early, and the loop looks for that itself.
      await pause.catch(() => undefined);
    }
  }

  /** One pair of connections from beginning to end. Returns whether it was ever ready. */
  async #live(): Promise<boolean> {
    this.#boot = null;
    const events =
      this.#settings.events === false ? [] : [this.#session('system', (event) => this.#onEvent(event))];
    const sessions = [this.#session('off', null), ...events];
    this.#sessions = sessions;
    let wasUp = false;
    let reason: string;
    try {
      await Promise.all(sessions.map((session) => session.login()));
      await Promise.all(events.map((session) => this.#subscribe(session)));
      wasUp = !this.#stopping.signal.aborted;
      if (wasUp) this.#announce();
      reason = await Promise.race(sessions.map((session) => session.closed));
    } catch (error) {
      reason = this.#explain(error);
    }
    if (this.#stopping.signal.aborted) reason = 'stopped';
    else this.#away.met(reason);
    this.#reason = reason;
    this.#up = null;
    this.#close(reason);
    if (wasUp) this.#deliver('down', reason);
    return wasUp;
  }

  #explain(error: unknown): string {
    const { host, port, username } = this.#settings;
    const what = `${host}:${port}: ${error instanceof Error ? error.message : String(error)}`;
    if (!(error instanceof AmiError) || error.code !== 'rejected') return what;
    return `${what}; check secret, permit and deny of [${username}] in manager.conf, then "manager reload" in Asterisk`;
  }

  #close(reason: string): void {
    for (const session of this.#sessions) session.close(reason);
    this.#sessions = [];
  }

  /**
   * Waits for Asterisk to have finished starting (until then its queues are empty or unknown commands), then
   * narrows the events down: by name where manager.conf lets us (Filter needs write class system), by class anyway.
   */
  async #subscribe(session: AmiSession): Promise<void> {
    const { connectDeadlineMs, eventClasses } = this.#settings;
    const booted = new Promise<void>((resolve) => (this.#booted = resolve));
    const given = new AbortController();
    // Aborting it is how the race is left without a timer behind.
    const patience = sleep(connectDeadlineMs, undefined, { signal: given.signal }).catch(() => undefined);
    if (this.#boot === null) await Promise.race([booted, session.closed, patience]);
    given.abort();
    if (this.#boot === null)
      this.#log.warn('Asterisk is still starting, or class system is not in read= of our user');
    try {
      await session.request('Filter', this.#filter());
    } catch (error) {
      if (!(error instanceof AmiError) || error.code !== 'rejected') throw error;
      this.#log.debug({ reason: error.message }, 'events are filtered by class only');
    }
    // Class system is for FullyBooted alone: it also carries the flood of a re-registration storm.
    const mask = this.#boot === null ? [...eventClasses, 'system'] : eventClasses;
    await session.request('Events', { EventMask: mask.join(',') });
  }

  #onEvent(event: RawEvent): void {
    const name = event.name.toLowerCase();
    if (name === 'fullybooted') this.#onBooted(event.read());
    if (this.#up !== null && this.#wanted.has(name)) this.#deliver('event', event.read());
  }

  #onBooted(event: AmiMessage): void {
    const [uptimeS, lastReloadS] = ['uptime', 'lastreload'].map((key) => Number(event.headers.get(key) ?? 0));
    const late = this.#up !== null && this.#boot === null;
    this.#boot = { uptimeS: uptimeS ?? 0, lastReloadS: lastReloadS ?? 0, at: performance.now() / 1000 };
    this.#booted();
    if (late) this.#announce();
  }

  #announce(): void {
    const boot = this.#boot;
    let since: UpInfo['since'] = 'unknown';
    const bootedAt = boot === null ? null : boot.at - boot.uptimeS;
    if (!this.#wasUp) since = 'start';
    else if (bootedAt !== null && this.#bootedAt !== null) {
      since = bootedAt - this.#bootedAt > SAME_BOOT_S ? 'restart' : 'blip';
    }
    this.#wasUp = true;
    this.#bootedAt = bootedAt ?? this.#bootedAt;
    this.#up = { since, uptimeS: boot?.uptimeS ?? null, lastReloadS: boot?.lastReloadS ?? null };
    this.#away.over();
    this.#log.info(this.#up, 'connected to the Asterisk manager');
    this.#deliver('up', this.#up);
  }

  /** Instead of emit, so that a bad listener hurts nobody. */
  #deliver<K extends keyof ManagerEvents>(name: K, payload: ManagerEvents[K][0]): void {
    deliver(this.rawListeners(name), payload, (err) =>
      this.#log.error({ err, event: name }, 'a listener of the manager failed'),
    );
  }
}

/** The questions that Asterisk takes, without the connection's own life. */
export type ManagerActions = Pick<Manager, 'action' | 'list' | 'connected'>;
