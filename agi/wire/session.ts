import type { Socket } from 'node:net';
import Context from 'ding-dong/lib/context.js';
import { Conversation } from './conversation.js';
import { AgiError } from './errors.js';
import { sessionDefaults, type SessionOptions } from './options.js';
import type { Reply } from './replies.js';
import type { AgiRequest } from './request.js';

// ding-dong wraps the stream that it is given in a readable-stream 2, which costs a third of a call's CPU and turns
// Latin-1 letters into U+FFFD. It gets this instead, and the bytes go from the socket to the conversation directly.
const inert = Object.freeze({ on: (): void => undefined, resume: (): void => undefined });

const silent = Object.freeze({ logger: (): void => undefined });

const raw = (): AgiError => new AgiError('syntax', 'raw AGI lines are not sent: use command()');

const nothing = (): void => undefined;
/** A key comes as its ASCII code; 0 is none. */
const keyOf = ({ result }: Reply): string | null =>
  result === '0' ? null : String.fromCharCode(Number(result));
const valueOf = (reply: Reply): string | null => reply.value;

/** Marks a rejection as seen: a command that a script did not await must not end the process when the call ends. */
const ignore = (): void => undefined;

/** What a finished playback or recording says. */
export interface Played {
  /** The key that ended it, `null` when none did. */
  readonly digit: string | null;
  /** Where it stopped, in samples. */
  readonly endpos: number;
}

/**
 * One FastAGI conversation over one socket. It promises:
 * - one command at a time is on the wire, as Asterisk needs it; further ones wait their turn, first come first
 *   served. Each is one write;
 * - every promise settles: with the answer, or with an {@link AgiError} at a refusal, a deadline or the end of the
 *   connection;
 * - after HANGUP commands still go out (Asterisk allows a dead channel some of them), but the session ends by itself
 *   after `hangupGraceMs`, because the dead channel lives for as long as we stay; the same after a 511;
 * - bytes from the network become neither commands nor answers to the wrong command nor uncaught errors.
 *
 * Emits `hangup`, once, when Asterisk says that the caller is gone (an AMI Redirect looks the same).
 */
export class Session extends Context {
  readonly #conversation: Conversation;
  readonly #slowMs: number;
  readonly #commandMs: number;

  constructor(socket: Socket, options: SessionOptions = sessionDefaults) {
    super(inert, silent);
    this.stream = inert;
    this.#commandMs = options.commandTimeoutMs;
    this.#slowMs = options.slowCommandTimeoutMs;
    this.#conversation = new Conversation(socket, options, () => this.emit('hangup'));
  }

  /** Resolves when the environment is complete; rejects when it is refused, late, or the connection ends first. */
  get ready(): Promise<AgiRequest> {
    return this.#conversation.ready;
  }

  /** Resolves when the socket is closed, for whatever reason; never rejects. */
  get closed(): Promise<void> {
    return this.#conversation.closed;
  }

  /** What Asterisk said about the call. @throws AgiError `protocol` before {@link ready}. */
  get request(): AgiRequest {
    const { request } = this.#conversation;
    if (!request) throw new AgiError('protocol', 'the AGI environment is not complete');
    return request;
  }

  /** Where the connection comes from; undefined once one that was announced has ended. */
  get remote(): string | undefined {
    return this.#conversation.remote;
  }

  /** Whether HANGUP was seen. */
  get hungUp(): boolean {
    return this.#conversation.hungUp;
  }

  /**
   * Sends one command, given word by word, and resolves with its 200 answer. Words are quoted here: never quote
   * before. The deadline (ms) runs from the moment of sending; when it passes the session is over, because a late
   * answer could not be told from the next one.
   *
   * @throws AgiError of any code.
   */
  command(words: readonly string[], timeoutMs: number = this.#commandMs): Promise<Reply> {
    return this.#conversation.command(words, timeoutMs);
  }

  /**
   * Ends the conversation as a script does when it is done: nothing more is sent, the connection is half-closed, and
   * Asterisk goes on in the dialplan. Its HANGUP on the way out is not the caller's and is ignored. Resolves when the
   * socket is closed, at the latest after `endGraceMs`.
   */
  override end(): Promise<void> {
    return this.#conversation.end();
  }

  /** Ends at once: every waiting promise rejects with `error` and the socket is destroyed. */
  destroy(error: AgiError): void {
    this.#conversation.destroy(error);
  }

  /** SET VARIABLE; `name` may be a function, `CALLERID(name)`. */
  setVariable(name: string, value: string): Promise<void> {
    return this.#ask(['SET', 'VARIABLE', name, value], nothing);
  }

  /**
   * GET VARIABLE: `null` when it is not set, cut by Asterisk after 1023 bytes. Not for what a caller controls: a line
   * feed in the value can forge further answers. Pass that as an argument of AGI() through FILTER().
   */
  getVariable(name: string): Promise<string | null> {
    return this.#ask(['GET', 'VARIABLE', name], valueOf);
  }

  /** GET FULL VARIABLE: expands `${…}` in `expression`; unset is the empty string, `null` no such channel. */
  getFullVariable(expression: string, channel?: string): Promise<string | null> {
    const words = ['GET', 'FULL', 'VARIABLE', expression];
    return this.#ask(channel === undefined ? words : [...words, channel], valueOf);
  }

  /**
   * EXEC: runs a dialplan application; its arguments are joined by commas (one that holds a comma must be quoted for
   * the application by the caller). Resolves with the application's result; -1 means that it ended the call.
   *
   * @throws AgiError `rejected` with 200 when there is no such application.
   */
  exec(application: string, ...args: string[]): Promise<number> {
    const read = ({ result }: Reply): number => {
      if (result === '-2') throw new AgiError('rejected', `EXEC ${application}: no such application`, 200);
      return Number(result);
    };
    return this.#ask(['EXEC', application, args.join(',')], read, this.#slowMs);
  }

  /**
   * STREAM FILE from `offset` samples, until it ends or one of `escapeDigits` is pressed.
   *
   * @throws AgiError `rejected` with 200 when Asterisk cannot play it: no such file, or the caller is going.
   */
  streamFile(file: string, escapeDigits = '', offset = 0): Promise<Played> {
    const read = (reply: Reply): Played => {
      if (reply.result === '-1') throw this.#failed('STREAM FILE');
      return { digit: keyOf(reply), endpos: reply.endpos ?? 0 };
    };
    return this.#ask(['STREAM', 'FILE', file, escapeDigits, String(offset)], read, this.#slowMs);
  }

  /**
   * GET DATA: plays `file` and collects up to `maxDigits` digits, `#` ends; `timeoutMs` is the wait for each digit.
   * Without digits the answer is the empty string.
   */
  getData(
    file: string,
    timeoutMs: number,
    maxDigits: number,
  ): Promise<{ digits: string; timedOut: boolean }> {
    const read = ({ result, value }: Reply): { digits: string; timedOut: boolean } => {
      if (result === '-1') throw this.#failed('GET DATA');
      return { digits: result, timedOut: value === 'timeout' };
    };
    const words = ['GET', 'DATA', file, String(timeoutMs), String(maxDigits)];
    return this.#ask(words, read, this.#slowMs + timeoutMs * (maxDigits + 1));
  }

  /** WAIT FOR DIGIT: the key, or `null` when `timeoutMs` passed. @throws AgiError `hangup` when the caller left. */
  waitForDigit(timeoutMs: number): Promise<string | null> {
    const read = (reply: Reply): string | null => {
      // Nothing else makes it fail. HANGUP itself comes 40 ms later, or never with AGISIGHUP=no.
      if (reply.result === '-1') throw new AgiError('hangup', 'WAIT FOR DIGIT: the caller hung up', 200);
      return keyOf(reply);
    };
    return this.#ask(['WAIT', 'FOR', 'DIGIT', String(timeoutMs)], read, this.#commandMs + timeoutMs);
  }

  /** GOSUB: runs a subroutine now, with one argument string, and resolves when it has returned. */
  gosub(context: string, extension: string, priority: string, argument?: string): Promise<void> {
    const read = ({ result }: Reply): void => {
      if (result.startsWith('-')) throw this.#failed('GOSUB');
    };
    const words = ['GOSUB', context, extension, priority];
    return this.#ask(argument === undefined ? words : [...words, argument], read, this.#slowMs);
  }

  /** VERBOSE: a line on Asterisk's console at `level` 1 to 4. */
  verbose(message: string, level = 1): Promise<void> {
    return this.#ask(['VERBOSE', message, String(level)], nothing);
  }

  /** NOOP: asks whether Asterisk is there. */
  noop(): Promise<void> {
    return this.#ask(['NOOP'], nothing);
  }

  /** DATABASE GET from Asterisk's own database: `null` when there is no such key. */
  databaseGet(family: string, key: string): Promise<string | null> {
    return this.#ask(['DATABASE', 'GET', family, key], valueOf);
  }

  /** DATABASE PUT. @throws AgiError `rejected` with 200 when Asterisk could not store it. */
  databasePut(family: string, key: string, value: string): Promise<void> {
    const read = ({ result }: Reply): void => {
      if (result !== '1') throw this.#failed('DATABASE PUT');
    };
    return this.#ask(['DATABASE', 'PUT', family, key, value], read);
  }

  /** HANGUP: hangs up the call, or another `channel`; `false` when there is no such channel. */
  hangup(channel?: string): Promise<boolean> {
    return this.#ask(
      channel === undefined ? ['HANGUP'] : ['HANGUP', channel],
      ({ result }) => result === '1',
    );
  }

  /** ding-dong's raw door, behind all its own commands, which quote nothing: shut. Use {@link command}. */
  override sendCommand(_line: string): Promise<never> {
    return Promise.reject(raw());
  }

  /** See {@link sendCommand}. */
  override send(_line: string, callback: (error: Error) => void): void {
    callback(raw());
  }

  /** ding-dong's sugar, which dialled `…,undefined` when an argument was left out: use {@link exec}. */
  override dial(_target: string): Promise<never> {
    return Promise.reject(raw());
  }

  /** ding-dong's way to wait, which kept a listener for ever: only `variables`, the same as {@link ready}. */
  override onEvent(event: string): Promise<AgiRequest> {
    if (event === 'variables') return this.ready;
    return Promise.reject(new AgiError('syntax', 'wait for ready or closed, or listen with once()'));
  }

  #ask<T>(words: readonly string[], read: (reply: Reply) => T, timeoutMs = this.#commandMs): Promise<T> {
    const result = this.#conversation.command(words, timeoutMs).then(read);
    result.catch(ignore);
    return result;
  }

  /** Asterisk answers -1 both for its own failure and for a caller who just left; HANGUP may follow 40 ms later. */
  #failed(name: string): AgiError {
    return this.hungUp
      ? new AgiError('hangup', `${name}: the caller hung up`, 200)
      : new AgiError('rejected', `${name}: failed, or the caller hung up`, 200);
  }
}
