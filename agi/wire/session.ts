import type { Socket } from 'node:net';
import Context from 'ding-dong/lib/context.js';
import { Conversation } from './conversation.js';
import { AgiError } from './errors.js';
import { sessionDefaults, type SessionOptions } from './options.js';
import type { AgiRequest } from './request.js';
import { escaped, quoted } from './syntax.js';

/**
 * ding-dong's command methods, which make the lines that are sent. Its constructor does not run: that would read the
 * socket through a readable-stream 2 (a third of a session's CPU) and a parser that believes forged answers.
 */
const dingDong = Context.prototype;

/** Marks a rejection as seen: a command that a script did not await must not end the process when the call ends. */
const ignore = (): void => undefined;

/**
 * One FastAGI conversation over one socket. ding-dong writes the commands, `Conversation` carries them. It promises:
 * - arguments arrive at Asterisk unchanged, or the command is refused with `syntax` and nothing is sent;
 * - one command at a time is on the wire, as Asterisk needs it; further ones wait their turn, first come first
 *   served. Each is one write;
 * - every promise settles: with the answer, or with an {@link AgiError} at a refusal, a deadline or the end of the
 *   connection;
 * - after HANGUP commands still go out (Asterisk allows a dead channel some of them), but the session ends by itself
 *   after `hangupGraceMs`, because the dead channel lives for as long as we stay; the same after a 511;
 * - bytes from the network become neither commands nor answers to the wrong command nor uncaught errors.
 *
 * It has the commands that scripts use, and no GET VARIABLE: Asterisk sends a value as it is, so that a line feed in
 * it forges answers. What a script must know comes as an argument of AGI(), through FILTER() where a caller chose it.
 */
export class Session {
  readonly #conversation: Conversation;
  readonly #commandMs: number;
  readonly #slowMs: number;

  constructor(socket: Socket, options: SessionOptions = sessionDefaults) {
    this.#commandMs = options.commandTimeoutMs;
    this.#slowMs = options.slowCommandTimeoutMs;
    this.#conversation = new Conversation(socket, options);
  }

  /** Resolves when the environment is complete; rejects when it is refused, late, or the connection ends first. */
  get ready(): Promise<AgiRequest> {
    return this.#conversation.ready;
  }

  /** Resolves when the socket is closed, for whatever reason; never rejects. */
  get closed(): Promise<void> {
    return this.#conversation.closed;
  }

  /** The call as Asterisk described it. @throws AgiError `protocol` before {@link ready}. */
  get request(): AgiRequest {
    const { request } = this.#conversation;
    if (!request) throw new AgiError('protocol', 'the AGI environment is not complete');
    return request;
  }

  /** Where the connection comes from; undefined once one that was announced has ended. */
  get remote(): string | undefined {
    return this.#conversation.remote;
  }

  /** Whether Asterisk has said HANGUP: the caller is gone (an AMI Redirect looks the same). */
  get hungUp(): boolean {
    return this.#conversation.hungUp;
  }

  /** SET VARIABLE; `name` may be a function, `CALLERID(name)`. */
  setVariable(name: string, value: string): Promise<unknown> {
    return dingDong.setVariable.call(this, quoted(name), escaped(value));
  }

  /**
   * GET DATA: plays `file` and collects up to `maxDigits` digits, `#` ends; `timeoutMs` is the wait for each digit.
   * Resolves with the digits, with the empty string when there were none.
   *
   * @throws AgiError `rejected` with 200 when Asterisk cannot play it: no such file, or the caller is going.
   */
  getData(file: string, timeoutMs: number, maxDigits: number): Promise<string> {
    const deadlineMs = this.#slowMs + timeoutMs * (maxDigits + 1);
    const patient = { sendCommand: (line: string) => this.sendCommand(line, deadlineMs) };
    const keyed = dingDong.getData.call(patient, quoted(file), timeoutMs, maxDigits).then((digits) => {
      if (digits !== '-1') return digits;
      // Asterisk answers -1 both for its own failure and for a caller who just left; HANGUP may follow 40 ms later.
      throw this.hungUp
        ? new AgiError('hangup', 'GET DATA: the caller hung up', 200)
        : new AgiError('rejected', 'GET DATA: failed, or the caller hung up', 200);
    });
    keyed.catch(ignore);
    return keyed;
  }

  /** VERBOSE: a line on Asterisk's console at `level` 1 to 4. */
  verbose(message: string, level = 1): Promise<unknown> {
    return dingDong.verbose.call(this, escaped(message), level);
  }

  /** NOOP: asks whether Asterisk is there. */
  noop(): Promise<unknown> {
    return dingDong.noop.call(this);
  }

  /**
   * Sends one finished line, as ding-dong's methods make it, and resolves with the word after `result=` in the 200
   * answer. The deadline (ms) runs from the moment of sending; when it passes the session is over, because a late
   * answer could not be told from the next one.
   *
   * @throws AgiError of any code; `syntax` when the line is not exactly one command.
   */
  sendCommand(line: string, deadlineMs: number = this.#commandMs): Promise<string> {
    return this.#conversation.send(line, deadlineMs);
  }

  /**
   * Ends the conversation as a script does when it is done: nothing more is sent, the connection is half-closed, and
   * Asterisk goes on in the dialplan. Its HANGUP on the way out is not the caller's and is ignored. Resolves when the
   * socket is closed, at the latest after `endGraceMs`.
   */
  end(): Promise<void> {
    return this.#conversation.end();
  }

  /** Ends at once: every waiting promise rejects with `error` and the socket is destroyed. */
  destroy(error: AgiError): void {
    this.#conversation.destroy(error);
  }
}
