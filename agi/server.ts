import type { Socket } from 'node:net';
import type { Logger } from 'pino';
import { usage } from '../domain/errors.js';
import { Histogram } from '../domain/machine/exposition.js';
import { LastingFault } from '../domain/machine/lasting-fault.js';
import { AgiError } from './wire/errors.js';
import { Listener } from './listener.js';
import { sessionDefaults, type SessionOptions } from './wire/options.js';
import { proofHolds } from './proof.js';
import type { AgiRequest } from './wire/request.js';
import { Session } from './wire/session.js';

export { proofFor } from './proof.js';

/**
 * The answer to `agi://…/<name>`; `args` are those after the proof. When it returns, the session ends and the call goes
 * on in the dialplan. It may throw: that is logged, and the dialplan sees that no answer was set.
 */
export type Script = (session: Session, args: readonly string[]) => Promise<void>;

/** Settings of the server and of every conversation; times in ms. Only `token` has no default. */
export interface AgiServerSettings extends SessionOptions {
  /** 0 lets the system choose. */
  readonly port: number;
  readonly host: string;
  /** Secret shared with the generated dialplan, at least 24 characters; see `proofFor`. */
  readonly token: string;
  /** Scripts running at once; a connection above that is closed at once, so that Asterisk asks the next server. */
  readonly maxSessions: number;
  /** Connections whose environment is not complete; when there are more, the oldest makes room. */
  readonly maxHalfOpen: number;
  /** Longest life of a script: more than the longest deadline of the dialplan, which is that of keying a PIN. */
  readonly scriptTimeoutMs: number;
}

export const serverDefaults: Omit<AgiServerSettings, 'token'> = {
  ...sessionDefaults,
  port: 4_573,
  host: '127.0.0.1',
  maxSessions: 4_096,
  maxHalfOpen: 2_048,
  scriptTimeoutMs: 70_000,
};

/** Numbers for status: `active` and `halfOpen` are now, the others count since the start. */
export interface AgiCounters {
  /** Scripts running. */
  readonly active: number;
  /** Connections whose environment is not complete. */
  readonly halfOpen: number;
  /** Scripts that returned. */
  readonly served: number;
  /** Scripts that stopped because the caller hung up. */
  readonly hungUp: number;
  /** Scripts that failed in any other way. */
  readonly failed: number;
  /** Connections that reached no script. */
  readonly refused: number;
  /** The same of each script that was asked since the start, and how long it took. */
  readonly scripts: ReadonlyMap<string, ScriptCounters>;
}

/** What became of the questions of one script. */
export interface ScriptCounters {
  served: number;
  hungUp: number;
  failed: number;
  /** From the question to the end of the script, whatever its end; without what Asterisk needs to connect. */
  readonly seconds: Histogram;
}

/** Upper ends in seconds: from what memory answers to what keying a PIN takes. */
const questionEnds = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 10] as const;

const MIN_TOKEN = 24;

/** Mostly it is no stranger: the files of that Asterisk come from other settings than those of this server. */
const noProof =
  'no valid proof: the files that this Asterisk reads were generated for another database or with another token; run `star64 apply` (or generate, and reload) with the settings of this server';

/** For the errors of a connection that we are closing anyway. */
const ignore = (): void => undefined;

/**
 * The FastAGI server: listens, admits by proof, routes by exact script name, drains. Nothing that a connection, a
 * caller or a script does ends the process or reaches another call.
 */
export class AgiServer {
  readonly #settings: AgiServerSettings;
  readonly #scripts: ReadonlyMap<string, Script>;
  readonly #log: Logger;
  readonly #listener: Listener;
  /** Every connection with its whole life, script included. The promises never reject. */
  readonly #open = new Map<Session, Promise<void>>();
  /** In order of arrival. */
  readonly #halfOpen = new Set<Session>();
  readonly #active = new Set<Session>();
  readonly #unproven: LastingFault;
  readonly #counts = { served: 0, hungUp: 0, failed: 0, refused: 0 };
  readonly #byScript = new Map<string, ScriptCounters>();

  /** @throws Star64Error `usage` for a short token or a limit that is no positive whole number. */
  constructor(
    settings: Partial<AgiServerSettings> & Pick<AgiServerSettings, 'token'>,
    scripts: ReadonlyMap<string, Script>,
    log: Logger,
  ) {
    this.#settings = { ...serverDefaults, ...settings };
    this.#scripts = scripts;
    this.#log = log;
    this.#unproven = new LastingFault(log, {
      fault: 'agi: connection refused',
      over: 'agi: questions have a valid proof again',
      fadesAfter: 300_000,
    });
    const { port, host, token, ...limits } = this.#settings;
    if (token.length < MIN_TOKEN) {
      throw usage(`AGI token: ${token.length} characters; give it at least ${MIN_TOKEN}, at random`);
    }
    for (const [name, value] of Object.entries(limits)) {
      if (!Number.isSafeInteger(value) || value < 1) {
        throw usage(`AGI setting ${name}: ${value}; it takes a whole number from 1`);
      }
    }
    this.#listener = new Listener(
      port,
      host,
      (socket) => this.#accept(socket),
      (error) => this.#log.error({ err: error }, 'agi: listener'),
    );
  }

  get counters(): AgiCounters {
    return {
      active: this.#active.size,
      halfOpen: this.#halfOpen.size,
      ...this.#counts,
      scripts: this.#byScript,
    };
  }

  /** Listens. @throws Star64Error, see `Listener.open`. */
  async start(): Promise<{ port: number }> {
    return { port: await this.#listener.open() };
  }

  /** Not ready: new connections are refused at once; running scripts go on. */
  stopListening(): void {
    this.#listener.close();
  }

  /** Ready again, on the same port. @throws Star64Error, see `Listener.open`. */
  async resume(): Promise<void> {
    await this.#listener.open();
  }

  /**
   * Stops accepting and lets every accepted call finish; what is left after `deadlineMs` is cut. Resolves with the
   * number of connections that were cut.
   */
  async drain(deadlineMs: number): Promise<number> {
    this.stopListening();
    let timer: NodeJS.Timeout | undefined;
    const deadline = new Promise<void>((resolve) => (timer = setTimeout(resolve, deadlineMs)));
    await Promise.race([Promise.all(this.#open.values()), deadline]);
    clearTimeout(timer);
    const cut = this.#open.size;
    await this.close();
    return cut;
  }

  /** Stops accepting and cuts every connection now. A script hears it at its next command. */
  async close(): Promise<void> {
    this.stopListening();
    const sessions = [...this.#open.keys()];
    for (const session of sessions) session.destroy(new AgiError('closed', 'the AGI server was closed'));
    await Promise.all(sessions.map((session) => session.closed));
  }

  #accept(socket: Socket): void {
    if (this.#active.size >= this.#settings.maxSessions) {
      socket.on('error', ignore);
      socket.destroy();
      this.#refuse('too many sessions');
      return;
    }
    const session = new Session(socket, this.#settings);
    if (this.#halfOpen.size >= this.#settings.maxHalfOpen) this.#dropOldest();
    this.#halfOpen.add(session);
    this.#open.set(session, this.#live(session));
  }

  /** Connections that say nothing cost nothing, so they must not keep out a call, which speaks at once. */
  #dropOldest(): void {
    for (const oldest of this.#halfOpen) {
      this.#halfOpen.delete(oldest);
      oldest.destroy(new AgiError('closed', 'dropped: too many connections without an environment'));
      return;
    }
  }

  async #live(session: Session): Promise<void> {
    const request = await session.ready.catch((error: unknown) => this.#refuseSilent(error, session));
    this.#halfOpen.delete(session);
    if (request) await this.#serve(session, request);
    await session.end();
    this.#open.delete(session);
  }

  async #serve(session: Session, request: AgiRequest): Promise<void> {
    const { uniqueid, script: name } = request;
    const [proof = '', ...args] = request.args;
    if (!proofHolds(proof, uniqueid, name, this.#settings.token)) {
      this.#counts.refused++;
      this.#unproven.met(noProof, { uniqueid, script: name, remote: session.remote });
      session.destroy(new AgiError('closed', 'refused'));
      return;
    }
    if (this.#active.size >= this.#settings.maxSessions) {
      session.destroy(new AgiError('closed', 'refused'));
      this.#refuse('too many sessions', { uniqueid, script: name });
      return;
    }
    const script = this.#scripts.get(name);
    if (script) await this.#run(session, request, script, args);
    else await this.#unknown(session, request);
  }

  async #run(session: Session, request: AgiRequest, script: Script, args: readonly string[]): Promise<void> {
    this.#active.add(session);
    const began = performance.now();
    let timer: NodeJS.Timeout | undefined;
    const expired = new Promise<never>((_, reject) => {
      timer = setTimeout(() => {
        const error = new AgiError(
          'timeout',
          `the script took more than ${this.#settings.scriptTimeoutMs} ms`,
        );
        session.destroy(error);
        reject(error);
      }, this.#settings.scriptTimeoutMs);
    });
    try {
      await Promise.race([script(session, args), expired]);
      this.#count(request, 'served', began);
    } catch (error) {
      this.#fail(request, error, began);
    } finally {
      clearTimeout(timer);
      this.#active.delete(session);
    }
  }

  /** Only of scripts that there are: a name from outside names no series. */
  #count({ script }: AgiRequest, end: 'served' | 'hungUp' | 'failed', began: number): void {
    const counters = this.#byScript.get(script) ?? {
      ...{ served: 0, hungUp: 0, failed: 0 },
      seconds: new Histogram(questionEnds),
    };
    this.#byScript.set(script, counters);
    counters[end]++;
    counters.seconds.add((performance.now() - began) / 1000);
    this.#counts[end]++;
  }

  #fail(request: AgiRequest, error: unknown, began: number): void {
    const { uniqueid, script } = request;
    if (error instanceof AgiError && error.code === 'hangup') {
      this.#count(request, 'hungUp', began);
      this.#log.info({ uniqueid, script }, 'agi: the caller hung up during the script');
      return;
    }
    this.#count(request, 'failed', began);
    this.#log.error({ uniqueid, script, err: error }, 'agi: script failed');
  }

  /** The proof holds, so it is our own dialplan that is wrong: say so where its author looks. */
  async #unknown(session: Session, { uniqueid, script }: AgiRequest): Promise<void> {
    this.#refuse('no such script', { uniqueid, script });
    const name = script.replace(/[^\x20-\x7e]/g, '?').slice(0, 80);
    try {
      await session.verbose(`star64: there is no AGI script "${name}"`);
    } catch (error) {
      this.#log.debug({ uniqueid, err: error }, 'agi: the notice of an unknown script did not arrive');
    }
  }

  /** Port scans and health checks come and go all day: they are counted, and worth a line only on request. */
  #refuseSilent(error: unknown, { remote }: Session): null {
    const reason = error instanceof Error ? error.message : String(error);
    if (error instanceof AgiError && error.code === 'closed') {
      this.#counts.refused++;
      this.#log.debug({ reason, remote }, 'agi: connection closed before its environment was complete');
    } else {
      this.#refuse(reason, { remote });
    }
    return null;
  }

  #refuse(why: string, details: object = {}): void {
    this.#counts.refused++;
    this.#log.warn({ why, ...details }, 'agi: connection refused');
  }
}
