import type { Socket } from 'node:net';
import { AgiError } from './errors.js';
import { END_OF_USAGE, refusalOf, resultOf, USAGE } from './replies.js';
import type { SessionOptions } from './options.js';
import { Environment, type AgiRequest } from './request.js';
import { checkedLine, nameOf } from './syntax.js';

interface Waiting {
  readonly line: string;
  readonly deadlineMs: number;
  readonly resolve: (result: string) => void;
  readonly reject: (error: AgiError) => void;
}

/** Marks a rejection as seen: a promise that nobody awaits must not end the process when the call ends. */
const ignore = (): void => undefined;

/**
 * The wire side of a session: bytes in, lines out, and the one table of who is waiting for what. It knows one socket,
 * the AGI protocol and its own deadlines; what the commands mean is the business of `Session`.
 */
export class Conversation {
  readonly ready: Promise<AgiRequest>;
  readonly closed: Promise<void>;
  request: AgiRequest | null = null;
  hungUp = false;

  readonly #socket: Socket;
  readonly #options: SessionOptions;
  readonly #environment = new Environment();
  #environmentBytes = 0;
  /** The beginning of a line whose end has not come. */
  #partial = '';
  /** Bytes so far of a 520 that goes on over several lines; null outside of one. */
  #usageBytes: number | null = null;
  #waiting: Waiting | null = null;
  readonly #queue: Waiting[] = [];
  #commandTimer: NodeJS.Timeout | undefined;
  /** Deadline of the current phase: environment, then (after HANGUP or 511) dying, then ending. */
  #phaseTimer: NodeJS.Timeout | undefined;
  #dying = false;
  #remote: string | undefined;
  /** No further command is accepted. */
  #over = false;
  /** Why, when it is not simply the end. */
  #failure: AgiError | null = null;
  /** The environment is complete and whoever waits for it knows. */
  #announced = false;
  #resolveReady!: (request: AgiRequest) => void;
  #rejectReady!: (error: AgiError) => void;

  constructor(socket: Socket, options: SessionOptions) {
    this.#socket = socket;
    this.#options = options;
    this.ready = new Promise((resolve, reject: (error: AgiError) => void) => {
      this.#resolveReady = resolve;
      this.#rejectReady = reject;
    });
    this.ready.catch(ignore);
    this.closed = new Promise((resolve) => {
      socket.once('close', () => {
        this.#finish();
        resolve();
      });
    });
    // A reset by the peer must not end the process; the 'close' that always follows settles everything.
    socket.on('error', ignore);
    socket.on('end', () => this.#finish());
    socket.on('data', (chunk: Buffer) => this.#receive(chunk.toString('latin1')));
    this.#phase(options.environmentTimeoutMs, () =>
      this.destroy(new AgiError('timeout', 'the AGI environment did not come in time')),
    );
  }

  /** The other end's address. A system call, so nobody asks before it is needed; kept when the beginning failed. */
  get remote(): string | undefined {
    return this.#remote ?? this.#socket.remoteAddress;
  }

  /** See `Session.sendCommand`. */
  send(line: string, deadlineMs: number): Promise<string> {
    const promise = new Promise<string>((resolve, reject: (error: AgiError) => void) => {
      if (this.#over) throw this.#reason();
      if (!this.request) throw new AgiError('protocol', 'a command before the environment is complete');
      checkedLine(line, this.#options.lineLimit);
      const waiting = { line, deadlineMs, resolve, reject };
      if (this.#waiting || this.#queue.length > 0) this.#queue.push(waiting);
      else this.#write(waiting);
    });
    promise.catch(ignore);
    return promise;
  }

  end(): Promise<void> {
    if (!this.#over) {
      this.#over = true;
      this.#rejectWaiting();
      this.#phase(this.#options.endGraceMs, () => this.#finish());
      this.#socket.end();
    }
    return this.closed;
  }

  destroy(error: AgiError): void {
    this.#failure ??= error;
    this.#finish();
  }

  /** The connection is over: whoever still waits hears why. May run again, for instance at 'close'. */
  #finish(): void {
    this.#over = true;
    clearTimeout(this.#phaseTimer);
    this.#settle()?.reject(this.#reason());
    this.#rejectWaiting();
    this.#partial = '';
    // The log of a refused connection names its address, which a closed socket no longer knows.
    if (!this.#announced) this.#remote ??= this.#socket.remoteAddress;
    this.#socket.destroy();
  }

  #write(waiting: Waiting): void {
    this.#waiting = waiting;
    // A partial line keeps a core of Asterisk busy until its LF comes: the whole line in one write.
    this.#socket.write(`${waiting.line}\n`);
    this.#commandTimer = setTimeout(() => {
      this.destroy(new AgiError('timeout', `${nameOf(waiting.line)}: no answer in ${waiting.deadlineMs} ms`));
    }, waiting.deadlineMs);
  }

  /** Takes the command whose answer is complete. */
  #settle(): Waiting | null {
    const waiting = this.#waiting;
    clearTimeout(this.#commandTimer);
    this.#waiting = null;
    this.#usageBytes = null;
    return waiting;
  }

  /** Rejects what has not begun: commands in the queue, and the environment. */
  #rejectWaiting(): void {
    for (const waiting of this.#queue.splice(0)) waiting.reject(this.#reason());
    if (!this.#announced) this.#rejectReady(this.#reason());
  }

  #phase(ms: number, expire: () => void): void {
    clearTimeout(this.#phaseTimer);
    this.#phaseTimer = setTimeout(expire, ms);
  }

  /** Made only when somebody hears it: an error with its stack is dear, and most sessions just end. */
  #reason(): AgiError {
    if (this.#failure) return this.#failure;
    return this.hungUp
      ? new AgiError('hangup', 'the caller hung up and the AGI session has ended')
      : new AgiError('closed', 'the AGI session has ended');
  }

  /** `text` holds one character per byte, so no character can be cut in two by a packet. */
  #receive(text: string): void {
    // We have ended and wait for the peer to close: only an answer that was under way still matters.
    if (this.#over && !this.#waiting) return;
    let from = 0;
    try {
      for (let to = text.indexOf('\n'); to >= 0; to = text.indexOf('\n', from)) {
        const line = this.#partial + text.slice(from, to);
        this.#partial = '';
        from = to + 1;
        this.#line(line);
      }
      this.#partial += text.slice(from);
      this.#checkSize();
    } catch (error) {
      this.destroy(error instanceof AgiError ? error : new AgiError('protocol', String(error)));
    }
    if (this.#over) return;
    // Only now: what comes in the same packet may show that the environment or the answer was forged.
    if (this.request && !this.#announced) {
      this.#announced = true;
      this.#resolveReady(this.request);
    }
    const next = this.#waiting ? undefined : this.#queue.shift();
    if (next) this.#write(next);
  }

  #checkSize(): void {
    if (!this.request && this.#environmentBytes + this.#partial.length > this.#options.environmentBytes) {
      throw new AgiError(
        'protocol',
        `the AGI environment is longer than ${this.#options.environmentBytes} bytes`,
      );
    }
    if (this.#partial.length + (this.#usageBytes ?? 0) > this.#options.replyBytes) {
      throw new AgiError('protocol', `an AGI answer is longer than ${this.#options.replyBytes} bytes`);
    }
  }

  #line(line: string): void {
    if (!this.request) this.#environmentLine(line);
    else if (this.#usageBytes !== null) this.#usage(this.#usageBytes, line);
    else if (line === 'HANGUP') this.#hangup();
    else if (this.#waiting) this.#answer(this.#waiting, line);
    else if (!this.#over) throw new AgiError('protocol', 'an AGI answer that no command asked for');
  }

  #environmentLine(line: string): void {
    if (line !== '') {
      this.#environmentBytes += line.length + 1;
      this.#environment.add(line);
      return;
    }
    clearTimeout(this.#phaseTimer);
    this.request = this.#environment.request();
  }

  /** HANGUP answers no command: one that is waiting is still answered, before or after it. */
  #hangup(): void {
    // After our own end() Asterisk says it too, with the caller still there.
    if (this.#over || this.hungUp) return;
    this.hungUp = true;
    this.#die();
  }

  /** The channel is dead and lives on in Asterisk until we close. */
  #die(): void {
    if (this.#dying || this.#over) return;
    this.#dying = true;
    this.#phase(this.#options.hangupGraceMs, () => void this.end());
  }

  #answer(waiting: Waiting, line: string): void {
    if (line.startsWith(USAGE)) {
      this.#usageBytes = line.length;
      return;
    }
    const result = resultOf(line);
    if (result !== undefined) {
      this.#settle()?.resolve(result);
      return;
    }
    const refused = refusalOf(line);
    if (refused === undefined)
      throw new AgiError('protocol', `${nameOf(waiting.line)}: an answer that is none`);
    this.#refuse(refused);
  }

  /** The text may hold anything, also what looks like an answer; only its end counts. */
  #usage(before: number, line: string): void {
    this.#usageBytes = before + 1 + line.length;
    this.#checkSize();
    if (line.endsWith(END_OF_USAGE)) this.#refuse(520);
  }

  #refuse(agiCode: number): void {
    const waiting = this.#settle();
    if (!waiting) return;
    const name = nameOf(waiting.line);
    if (agiCode !== 511) {
      waiting.reject(new AgiError('rejected', `${name}: Asterisk answered ${agiCode}`, agiCode));
      return;
    }
    // With AGISIGHUP=no this is the only sign of a hangup.
    this.#die();
    const message = `${name}: not permitted on a dead channel`;
    waiting.reject(new AgiError(this.hungUp ? 'hangup' : 'rejected', message, agiCode));
  }
}
