import { once } from 'node:events';
import { connect, createServer, type Server, type Socket } from 'node:net';
import type { AddressInfo } from 'node:net';
import type { Address } from '../../lab/centre.js';

/** A cable between two ends, such as the servers and Asterisk's manager, that can be cut and mended. */
export class Link {
  readonly #sockets = new Set<Socket>();
  #whole = true;

  private constructor(
    private readonly server: Server,
    private readonly far: Address,
  ) {
    server.on('connection', (near) => this.#join(near));
  }

  /** Lays it to `far`; who connects to `near` gets there. */
  static async to(far: Address): Promise<Link> {
    const server = createServer();
    const link = new Link(server, far);
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    return link;
  }

  get near(): Address {
    return { host: '127.0.0.1', port: (this.server.address() as AddressInfo).port };
  }

  /** Ends every connection, on both sides; new ones end as soon as they are made. */
  cut(): void {
    this.#whole = false;
    for (const socket of this.#sockets) socket.destroy();
  }

  mend(): void {
    this.#whole = true;
  }

  /** What is connected stays so, and nothing comes through any more: as when a firewall forgets a connection. */
  silence(): void {
    for (const socket of this.#sockets) socket.unpipe().resume();
  }

  async close(): Promise<void> {
    this.cut();
    this.server.close();
    await once(this.server, 'close');
  }

  #join(near: Socket): void {
    if (!this.#whole) {
      near.destroy();
      return;
    }
    const ends = [near, connect(this.far.port, this.far.host)] as const;
    for (const [index, socket] of ends.entries()) {
      const other = ends[1 - index];
      this.#sockets.add(socket);
      // One end that breaks takes the other with it: 'close' follows.
      socket.on('error', () => undefined);
      socket.on('close', () => {
        this.#sockets.delete(socket);
        other?.destroy();
      });
      if (other) socket.pipe(other);
    }
  }
}
