import { EventEmitter, once } from 'node:events';
import { readFileSync } from 'node:fs';
import { type AddressInfo, createServer, type Server, type Socket } from 'node:net';

/** One action as it stood on the wire: its raw text, and its headers by lower-case name. */
export interface SeenAction {
  raw: string;
  name: string;
  id: string;
  headers: Map<string, string[]>;
  connection: FakeConnection;
}

/** What the fake does with an action: `true` when it took it, otherwise the usual answer follows. */
type Handler = (action: SeenAction) => boolean;

/** A stream recorded from Asterisk 22.10, `@ID@` where the ActionID of the question stood. */
export function recorded(name: string, id = ''): string {
  return readFileSync(new URL(`../../../fixtures/ami/${name}`, import.meta.url), 'utf8').replaceAll(
    '@ID@',
    id,
  );
}

export class FakeConnection {
  mask = '';
  constructor(readonly socket: Socket) {}
  write(text: string | Buffer): void {
    this.socket.write(text);
  }
  /** A message; the empty line is added. */
  say(...lines: string[]): void {
    this.write(lines.join('\r\n') + '\r\n\r\n');
  }
}

/**
 * An Asterisk manager made of bytes. It answers Login, Ping, Events, Filter and Logoff as Asterisk does and everything
 * else with success, unless a handler takes the action; it emits `action` for each.
 */
export class FakeAmi extends EventEmitter<{ action: [SeenAction]; connection: [FakeConnection]; close: [] }> {
  readonly actions: SeenAction[] = [];
  readonly connections: FakeConnection[] = [];
  handler: Handler = () => false;
  greeting = 'Asterisk Call Manager/11.0.0\r\n';
  /** When this Asterisk was started, by our monotonic clock. */
  startedAt = performance.now() - 100_000;
  /** The uptime that it has told last. */
  toldUptimeS = 0;
  booted = true;
  filterAllowed = true;
  #server: Server | null = null;
  #port = 0;

  get port(): number {
    return this.#port;
  }
  get open(): FakeConnection[] {
    return this.connections.filter(({ socket }) => !socket.destroyed);
  }
  /** The connection that asked for no events, and the one that asked for some. */
  get forActions(): FakeConnection {
    return this.#last((mask) => mask === 'off');
  }
  get forEvents(): FakeConnection {
    return this.#last((mask) => mask !== 'off' && mask !== '');
  }

  /** Listens on a free port, the second time on the same one. */
  async start(): Promise<void> {
    const server = createServer((socket) => this.#accept(socket));
    this.#server = server;
    await once(server.listen(this.#port, '127.0.0.1'), 'listening');
    this.#port = (server.address() as AddressInfo).port;
  }

  /** Stops listening and resets what is open: Asterisk is gone. */
  async stop(): Promise<void> {
    const server = this.#server;
    this.#server = null;
    for (const { socket } of this.connections) socket.destroy();
    if (server) await new Promise((resolve) => server.close(resolve));
  }

  seen(name: string): SeenAction[] {
    return this.actions.filter((action) => action.name === name);
  }

  /** The next action of this name, or the one already seen. */
  async waitFor(name: string, count = 1): Promise<SeenAction> {
    for (;;) {
      const found = this.seen(name)[count - 1];
      if (found) return found;
      await once(this, 'action');
    }
  }

  #last(wanted: (mask: string) => boolean): FakeConnection {
    const found = this.open.findLast(({ mask }) => wanted(mask));
    if (!found) throw new Error('no such connection is open');
    return found;
  }

  #accept(socket: Socket): void {
    const connection = new FakeConnection(socket);
    this.connections.push(connection);
    // A reset by the client is one of the things under test.
    socket.on('error', () => undefined);
    socket.on('close', () => this.emit('close'));
    socket.write(this.greeting);
    this.emit('connection', connection);
    let buffer = '';
    socket.setEncoding('utf8').on('data', (chunk: string) => {
      buffer += chunk;
      for (let end = buffer.indexOf('\r\n\r\n'); end >= 0; end = buffer.indexOf('\r\n\r\n')) {
        const raw = buffer.slice(0, end);
        buffer = buffer.slice(end + 4);
        this.#take(connection, raw);
      }
    });
  }

  #take(connection: FakeConnection, raw: string): void {
    const headers = new Map<string, string[]>();
    for (const line of raw.split('\r\n')) {
      const [key = '', ...rest] = line.split(': ');
      headers.set(key.toLowerCase(), [...(headers.get(key.toLowerCase()) ?? []), rest.join(': ')]);
    }
    const name = headers.get('action')?.[0]?.toLowerCase() ?? '';
    const id = headers.get('actionid')?.[0] ?? '';
    const action = { raw, name, id, headers, connection };
    if (name === 'login') connection.mask = headers.get('events')?.[0] ?? 'all';
    this.actions.push(action);
    if (!this.handler(action)) this.#answer(action);
    this.emit('action', action);
  }

  #answer({ name, id, connection }: SeenAction): void {
    if (name === 'login') {
      connection.say('Response: Success', `ActionID: ${id}`, 'Message: Authentication accepted');
      if (this.booted && connection.mask.includes('system')) this.sayBooted(connection);
    } else if (name === 'ping') {
      connection.say('Response: Success', `ActionID: ${id}`, 'Ping: Pong', 'Timestamp: 1795508966.164362');
    } else if (name === 'filter' && !this.filterAllowed) {
      connection.say('Response: Error', `ActionID: ${id}`, 'Message: Permission denied');
    } else if (name === 'logoff') {
      connection.say('Response: Goodbye', `ActionID: ${id}`, 'Message: Thanks for all the fish.');
      connection.socket.end();
    } else {
      connection.say('Response: Success', `ActionID: ${id}`, 'Message: done');
    }
  }

  sayBooted(connection: FakeConnection): void {
    const uptimeS = Math.floor((performance.now() - this.startedAt) / 1000);
    this.toldUptimeS = uptimeS;
    const rest = [`Uptime: ${uptimeS}`, `LastReload: ${uptimeS}`, 'Status: Fully Booted'];
    connection.say('Event: FullyBooted', 'Privilege: system,all', ...rest);
  }
}
