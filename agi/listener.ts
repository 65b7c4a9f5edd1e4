import { createServer, type Server, type Socket } from 'node:net';
import { conflict, Star64Error, usage } from '../domain/errors.js';

/** A full backlog is a dropped SYN, which costs a caller Asterisk's two seconds of silence. (The kernel may cap it.) */
const BACKLOG = 4_096;

/**
 * A TCP port that can be closed and opened again, so that a server that is not ready refuses connections in 0 s
 * instead of accepting calls that it cannot answer. Connections that were accepted are not touched by either.
 */
export class Listener {
  #server: Server | null = null;
  #opening: Promise<number> | null = null;

  constructor(
    private port: number,
    private readonly host: string,
    private readonly onConnection: (socket: Socket) => void,
    private readonly onError: (error: Error) => void,
  ) {}

  /**
   * Listens, and resolves with the port; port 0 is chosen by the system once and then kept. Does nothing when open.
   *
   * @throws Star64Error `conflict` when the port is taken, `usage` when port or host are wrong, `failure` otherwise.
   */
  open(): Promise<number> {
    this.#opening ??= this.#listen();
    return this.#opening;
  }

  /** From now on connections are refused. */
  close(): void {
    this.#server?.close();
    this.#server = null;
    this.#opening = null;
  }

  async #listen(): Promise<number> {
    // Nagle's algorithm would hold the second of two small commands for 40 ms.
    const server = createServer({ noDelay: true }, this.onConnection);
    this.#server = server;
    try {
      await new Promise<void>((resolve, reject) => {
        server.once('error', reject);
        server.once('close', () => reject(new Star64Error('failure', 'closed before it was open')));
        server.listen({ port: this.port, host: this.host, backlog: BACKLOG }, resolve);
      });
    } catch (error) {
      if (this.#server === server) this.close();
      throw this.#explain(error);
    }
    server.on('error', this.onError);
    const address = server.address();
    if (address !== null && typeof address === 'object') this.port = address.port;
    return this.port;
  }

  #explain(error: unknown): Star64Error {
    const where = `AGI server: cannot listen on ${this.host}:${this.port}`;
    const code = error instanceof Error && 'code' in error ? error.code : undefined;
    if (code === 'EADDRINUSE') {
      return conflict(`${where}: the port is in use; stop the other server or choose another port`);
    }
    if (code === 'ERR_SOCKET_BAD_PORT') return usage(`${where}: a port is a number from 0 to 65535`);
    if (code === 'EADDRNOTAVAIL' || code === 'ENOTFOUND') {
      return usage(`${where}: the host is no address of this machine`);
    }
    const reason = error instanceof Error ? error.message : String(error);
    return new Star64Error('failure', `${where}: ${reason}`, { cause: error });
  }
}
