import { once } from 'node:events';
import { createServer, connect, type Socket } from 'node:net';
import type { Test } from 'tap';
import { AgiError } from '../../agi/wire/errors.js';
import { sessionDefaults, type SessionOptions } from '../../agi/wire/options.js';
import { Session } from '../../agi/wire/session.js';

/** The block that Asterisk 22 sends, with what a test wants to be different. */
export function environment(changes: Record<string, string> = {}, args: readonly string[] = []): string {
  const lines: Record<string, string> = {
    agi_network: 'yes',
    agi_network_script: 'sign-in',
    agi_request: 'agi://127.0.0.1/sign-in',
    agi_channel: 'PJSIP/astercc-5000-00000001',
    agi_language: 'en',
    agi_type: 'PJSIP',
    agi_uniqueid: '1700000000.1',
    agi_version: '22.10.0',
    agi_callerid: '5000',
    agi_calleridname: 'Alice',
    agi_callingpres: '0',
    agi_callingani2: '0',
    agi_callington: '0',
    agi_callingtns: '0',
    agi_dnid: '*64',
    agi_rdnis: 'unknown',
    agi_context: 'astercc-features',
    agi_extension: '*64',
    agi_priority: '1',
    agi_enhanced: '0.0',
    agi_accountcode: '',
    agi_threadid: '140219',
    ...changes,
  };
  args.forEach((arg, i) => (lines[`agi_arg_${i + 1}`] = arg));
  return Object.entries(lines)
    .map(([key, value]) => `${key}: ${value}\n`)
    .join('')
    .concat('\n');
}

/** How a promise ended: its value, or the code of its AgiError; `pending` when it does not end. */
export async function outcome(promise: Promise<unknown>): Promise<unknown> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<string>((resolve) => (timer = setTimeout(resolve, 20_000, 'pending')));
  const ended = promise.then(
    (value) => value,
    (error: unknown) => {
      if (!(error instanceof AgiError)) return error;
      return error.agiCode === null ? error.code : `${error.code} ${error.agiCode}`;
    },
  );
  const result = await Promise.race([ended, late]);
  clearTimeout(timer);
  return result;
}

/** The Asterisk end of one real TCP connection, played by hand, with the session at the other end. */
export class Wire {
  #received = '';
  #waiting: (() => void) | null = null;
  #ended = false;
  /** Everything that the session sent. */
  sent = '';

  private constructor(
    readonly socket: Socket,
    readonly session: Session,
    /** The session's own socket, to count its writes. */
    readonly inner: Socket,
  ) {
    socket.on('error', () => this.#wake());
    socket.on('data', (chunk: Buffer) => {
      this.#received += chunk.toString('utf8');
      this.sent += chunk.toString('utf8');
      this.#wake();
    });
    const end = (): void => {
      this.#ended = true;
      this.#wake();
    };
    socket.on('end', end);
    socket.on('close', end);
  }

  static async open(t: Test, options: Partial<SessionOptions> = {}): Promise<Wire> {
    const server = createServer({ noDelay: true });
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    const address = server.address();
    if (address === null || typeof address === 'string') throw new Error('no port');
    const accepted = once(server, 'connection') as Promise<[Socket]>;
    // Asterisk keeps its own half open until it has said everything.
    const socket = connect({ port: address.port, host: '127.0.0.1', noDelay: true, allowHalfOpen: true });
    const [inner] = await accepted;
    const wire = new Wire(socket, new Session(inner, { ...sessionDefaults, ...options }), inner);
    t.teardown(() => {
      socket.destroy();
      inner.destroy();
      server.close();
    });
    return wire;
  }

  /** Opened, and the environment sent and understood. */
  static async ready(t: Test, options: Partial<SessionOptions> = {}): Promise<Wire> {
    const wire = await Wire.open(t, options);
    wire.send(environment());
    await wire.session.ready;
    return wire;
  }

  send(bytes: string | Buffer): void {
    this.socket.write(bytes);
  }

  /** The next command that arrives; fails when the session closes instead. */
  async line(): Promise<string> {
    for (;;) {
      const end = this.#received.indexOf('\n');
      if (end >= 0) {
        const line = this.#received.slice(0, end);
        this.#received = this.#received.slice(end + 1);
        return line;
      }
      if (this.#ended) throw new Error('the session closed without a command');
      await new Promise<void>((resolve) => (this.#waiting = resolve));
    }
  }

  /** Waits for a command and answers it; resolves with the command. */
  async answer(bytes: string | Buffer): Promise<string> {
    const line = await this.line();
    this.send(bytes);
    return line;
  }

  /** Resolves when the session has closed its side. */
  async closing(): Promise<void> {
    while (!this.#ended) await new Promise<void>((resolve) => (this.#waiting = resolve));
  }

  #wake(): void {
    this.#waiting?.();
    this.#waiting = null;
  }
}
