import { createSocket } from 'node:dgram';
import { createServer, type Server } from 'node:net';
import { Star64Error } from '../errors.js';

/** Below Linux's ephemeral range (32768 and up), so that no outgoing connection of a stranger sits on these ports. */
const pools = {
  /** A phone or caller: its SIP port and the next, a control port, media ports. */
  phone: { first: 12_000, size: 10, blocks: 400 },
  /** The servers of a centre. */
  server: { first: 11_000, size: 10, blocks: 100 },
  /** An Asterisk: SIP, manager, and media for 490 call legs. */
  asterisk: { first: 16_000, size: 1000, blocks: 16 },
} as const;

/**
 * A block of ports of 127.0.0.0/8 that no other lab process uses, whichever process or user started it. The claim is a
 * listener on the block's first port, held as long as the block: the kernel ends it with this process. The ports after
 * it are for the claimant.
 */
export class PortBlock {
  private constructor(
    private readonly guard: Server,
    /** The first usable port. */
    readonly first: number,
    /** The last usable port. */
    readonly last: number,
  ) {}

  static async reserve(pool: keyof typeof pools): Promise<PortBlock> {
    const { first, size, blocks } = pools[pool];
    const start = Math.floor(Math.random() * blocks);
    for (let tried = 0; tried < blocks; tried++) {
      const port = first + ((start + tried) % blocks) * size;
      const guard = await listen(port);
      if (guard === undefined) continue;
      // A child of a claimant that has just died may still sit here until its watcher has ended it.
      if (await unused(port + 1, Math.min(port + 6, port + size - 1))) {
        return new PortBlock(guard, port + 1, port + size - 1);
      }
      await close(guard);
    }
    throw new Star64Error('failure', `all ${blocks} port blocks for ${pool} use are taken on this machine`);
  }

  async release(): Promise<void> {
    await close(this.guard);
  }
}

/** A TCP port of 127.0.0.1 that is free at this moment. */
export async function freePort(): Promise<number> {
  const server = await listen(0);
  const address = server?.address();
  if (server === undefined || typeof address !== 'object' || address === null) {
    throw new Star64Error('failure', 'no free TCP port on 127.0.0.1');
  }
  await close(server);
  return address.port;
}

async function listen(port: number): Promise<Server | undefined> {
  const server = createServer((socket) => socket.destroy());
  return await new Promise((resolve) => {
    // Whatever the reason, a port that cannot be listened on is not free.
    server.once('error', () => resolve(undefined));
    server.listen(port, '127.0.0.1', () => {
      server.unref();
      resolve(server);
    });
  });
}

async function close(server: Server): Promise<void> {
  await new Promise((resolve) => server.close(resolve));
}

async function unused(from: number, to: number): Promise<boolean> {
  for (let port = from; port <= to; port++) {
    const tcp = await listen(port);
    if (tcp === undefined) return false;
    await close(tcp);
    const udp = createSocket('udp4');
    const bound = await new Promise<boolean>((resolve) => {
      udp.once('error', () => resolve(false));
      udp.bind(port, '127.0.0.1', () => resolve(true));
    });
    udp.close();
    if (!bound) return false;
  }
  return true;
}
