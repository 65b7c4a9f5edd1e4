import { performance } from 'node:perf_hooks';
import { nextTurn } from '../../domain/machine/turn.js';
import { AmiError } from './errors.js';
import type { AmiMessage } from './message.js';
import { checkedHeaders, type AmiHeaders } from './syntax.js';

/** The bytes below a session. After `destroy` nothing is reported any more. */
export interface Wire {
  /** Writes the login; `answered` as in `send`. */
  login(headers: [string, string][], answered: (response: AmiMessage) => void): void;
  /** Writes one action; `answered` is called at most once, with the response of the same ActionID. */
  send(headers: [string, string][], answered: (response: AmiMessage) => void): void;
  /** Nobody waits for this ActionID any more. */
  forget(id: string): void;
  destroy(): void;
}

/** An event that nobody has looked at closely yet: most are not wanted, and thrown away by name. */
export interface RawEvent {
  name: string;
  id: string | undefined;
  /** Whether its ActionID is one of this process. */
  ours: boolean;
  read: () => AmiMessage;
}

export interface WireEvents {
  connected: () => void;
  /** Something arrived, wanted or not. */
  heard: () => void;
  event: (event: RawEvent) => void;
  /** A message that is neither an event nor an answer to this process. */
  stray: () => void;
  /** The connection is gone, or never came to be. */
  closed: (reason: string) => void;
}

export interface SessionOptions {
  open: (events: WireEvents) => Wire;
  nextId: () => string;
  /** Username, Secret and Events (a class list, or `off`). */
  loginHeaders: AmiHeaders;
  actionDeadlineMs: number;
  connectDeadlineMs: number;
  pingEveryMs: number;
  /** Takes the events that answer no list; null on a connection where Asterisk was told to send none. */
  onEvent: ((event: RawEvent) => void) | null;
}

/** The response, and for a list its entries in order (without the `…Complete` event). */
export interface Answer {
  response: AmiMessage;
  entries: AmiMessage[];
}

interface Pending {
  action: string;
  list: boolean;
  response: AmiMessage | null;
  entries: AmiMessage[];
  deadline: number;
  timer: NodeJS.Timeout;
  resolve: (answer: Answer) => void;
  reject: (error: AmiError) => void;
}

/** Asterisk's own words, fit for a log line. */
function words(response: AmiMessage): string {
  return (response.headers.get('message') ?? 'no reason given').replace(/\p{Cc}/gu, ' ').slice(0, 200);
}

/**
 * One logged-in connection to Asterisk's manager, from connecting to its end: `Manager` makes a new one when it is lost.
 * Every promise is settled by the answer, by its deadline or by the end of the connection.
 */
export class AmiSession {
  /** Resolves, never rejects, with the reason when the connection is over. */
  readonly closed: Promise<string>;
  readonly #options: SessionOptions;
  readonly #wire: Wire;
  readonly #pending = new Map<string, Pending>();
  readonly #connected: Promise<void>;
  #setConnected: () => void = () => undefined;
  #setClosed: (reason: string) => void = () => undefined;
  #over: string | null = null;
  #heardAt = 0;
  #timer: NodeJS.Timeout | undefined;

  constructor(options: SessionOptions) {
    this.#options = options;
    this.closed = new Promise((resolve) => (this.#setClosed = resolve));
    this.#connected = new Promise((resolve) => (this.#setConnected = resolve));
    this.#wire = options.open({
      connected: () => this.#setConnected(),
      heard: () => (this.#heardAt = performance.now()),
      event: (event) => this.#event(event),
      stray: () => this.#stray(),
      closed: (reason) => this.close(reason),
    });
  }

  /**
   * Connects and logs in, both within `connectDeadlineMs`, then keeps the connection under watch with Ping.
   * @throws AmiError `rejected` when Asterisk refuses the login, `down` or `timeout` otherwise.
   */
  async login(): Promise<void> {
    const until = performance.now() + this.#options.connectDeadlineMs;
    this.#timer = setTimeout(
      () => this.close(`no connection within ${this.#options.connectDeadlineMs} ms`),
      this.#options.connectDeadlineMs,
    );
    await Promise.race([this.#connected, this.closed]);
    clearTimeout(this.#timer);
    // With the link already gone, this rejects at once and says why.
    await this.#ask('Login', this.#options.loginHeaders, until - performance.now(), false);
    this.#watch();
  }

  /** One action and its response; `deadlineMs` instead of the usual deadline. @throws AmiError, every code. */
  async request(action: string, headers: AmiHeaders, deadlineMs?: number): Promise<AmiMessage> {
    const answer = await this.#ask(action, headers, deadlineMs ?? this.#options.actionDeadlineMs, false);
    return answer.response;
  }

  /** One action whose answer is a list of events up to `…Complete`, all within the deadline. */
  requestList(action: string, headers: AmiHeaders, deadlineMs?: number): Promise<Answer> {
    return this.#ask(action, headers, deadlineMs ?? this.#options.actionDeadlineMs, true);
  }

  /** Ends the session: everything pending is rejected with `down`, the socket destroyed. A second call does nothing. */
  close(reason: string): void {
    if (this.#over !== null) return;
    this.#over = reason;
    clearTimeout(this.#timer);
    this.#wire.destroy();
    for (const [id, pending] of this.#pending) {
      this.#settle(id);
      pending.reject(
        new AmiError('down', `${pending.action}: the connection to Asterisk is gone: ${reason}`),
      );
    }
    this.#setClosed(reason);
  }

  async #ask(action: string, headers: AmiHeaders, deadlineMs: number, list: boolean): Promise<Answer> {
    const id = this.#options.nextId();
    const lines = checkedHeaders(action, id, headers);
    if (this.#over !== null)
      throw new AmiError('down', `${action}: not connected to Asterisk: ${this.#over}`);
    return new Promise((resolve, reject) => {
      const late = async (): Promise<void> => {
        await nextTurn();
        if (!this.#pending.has(id)) return;
        this.#settle(id);
        reject(
          new AmiError('timeout', `${action}: no answer from Asterisk within ${Math.round(deadlineMs)} ms`),
        );
      };
      const timer = setTimeout(() => void late(), deadlineMs);
      const deadline = performance.now() + deadlineMs;
      this.#pending.set(id, { action, list, response: null, entries: [], deadline, timer, resolve, reject });
      const answered = (response: AmiMessage): void => this.#answered(id, response);
      if (action === 'Login') this.#wire.login(lines, answered);
      else this.#wire.send(lines, answered);
    });
  }

  #settle(id: string): void {
    clearTimeout(this.#pending.get(id)?.timer);
    this.#pending.delete(id);
    this.#wire.forget(id);
  }

  #answered(id: string, response: AmiMessage): void {
    const pending = this.#pending.get(id);
    if (pending === undefined) return;
    if (response.name.toLowerCase() === 'error') {
      this.#settle(id);
      pending.reject(new AmiError('rejected', `${pending.action}: Asterisk says: ${words(response)}`));
    } else if (pending.list) {
      pending.response = response;
    } else {
      this.#settle(id);
      pending.resolve({ response, entries: [] });
    }
  }

  #event(raw: RawEvent): void {
    const pending = raw.id === undefined ? undefined : this.#pending.get(raw.id);
    if (raw.id === undefined || pending?.list !== true) {
      if (this.#options.onEvent) this.#options.onEvent(raw);
      else if (!raw.ours) this.#stray();
      return;
    }
    const event = raw.read();
    if (event.headers.get('eventlist')?.toLowerCase() === 'complete' || event.name.endsWith('Complete')) {
      this.#settle(raw.id);
      this.#complete(pending, event);
    } else {
      pending.entries.push(event);
    }
  }

  /**
   * Asterisk writes the name of a waiting caller as it is into the entries of QueueStatus. An empty line in it cuts
   * the entry in two, and the second half can be anything, up to a forged queue member. One half always lacks the
   * ActionID: on a connection without events that is the sign, and no list that is under way can be believed.
   */
  #stray(): void {
    if (this.#options.onEvent) return;
    for (const [id, { action, list, reject }] of this.#pending) {
      if (!list) continue;
      this.#settle(id);
      reject(new AmiError('protocol', `${action}: the list is cut up by a value with an empty line in it`));
    }
  }

  #complete(pending: Pending, end: AmiMessage): void {
    const { action, entries, response } = pending;
    const told = Number(end.headers.get('listitems') ?? entries.length);
    if (response === null || entries.length < told) {
      pending.reject(new AmiError('protocol', `${action}: ${entries.length} of ${told} entries arrived`));
    } else {
      pending.resolve({ response, entries });
    }
  }

  #watch(): void {
    this.#timer = setTimeout(() => void this.#ping(), this.#options.pingEveryMs);
  }

  /**
   * Asterisk answers the actions of one connection in order, so a Ping may have to wait for whatever was asked
   * before; and any sign of life is as good as its answer (events can stand in front of it).
   */
  async #ping(): Promise<void> {
    const now = performance.now();
    const before = Math.max(now, ...Array.from(this.#pending.values(), (pending) => pending.deadline));
    try {
      await this.request('Ping', {}, before - now + this.#options.actionDeadlineMs);
    } catch {
      // Which error it was does not matter: closed already (close() then does nothing), or nothing came back.
      if (this.#heardAt < now) this.close('Asterisk does not answer a Ping');
    }
    if (this.#over === null) this.#watch();
  }
}
