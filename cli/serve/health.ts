import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { Logger } from 'pino';
import { headOf, series } from '../../domain/machine/exposition.js';
import type { Part } from './parts.js';

/** What a server says of itself; each is a number that it has anyway. */
export interface HealthFacts {
  version: string;
  node: string;
  /** Questions by their end since the start, and those that are being answered. */
  questions: () => { active: number; served: number; hungUp: number; failed: number; refused: number };
  managerConnected: () => boolean;
  leading: () => boolean;
  /** Rejects when the database cannot be used. */
  askDatabase: () => Promise<unknown>;
}

/**
 * `/livez`, `/readyz` and `/metrics` of `star64 serve`, for this machine alone and only where `serve.health_port` is set. None
 * of them may cost the questions of calls anything: they are counters that are there, and at most one statement.
 */
export class Health implements Part {
  readonly name = 'health';
  #server: Server | undefined;

  constructor(
    /** Undefined: it is not opened. */
    private readonly port: number | undefined,
    private readonly facts: HealthFacts,
    private readonly log: Logger,
  ) {}

  /** Where it listens; undefined when it does not. */
  get listensOn(): number | undefined {
    return (this.#server?.address() as AddressInfo | null)?.port;
  }

  /** A port that cannot be had is said, and no reason to answer no calls. */
  async start(): Promise<void> {
    const { port } = this;
    if (port === undefined) return;
    const server = createServer((request, response) => void this.#answer(request, response));
    this.#server = server;
    await new Promise<void>((resolve) => {
      server.once('error', (error) => {
        this.log.error({ port, reason: error.message }, 'the port for health and metrics cannot be had');
        resolve();
      });
      server.listen(port, '127.0.0.1', resolve);
    });
  }

  async stop(): Promise<void> {
    const server = this.#server;
    if (!server?.listening) return;
    server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
  }

  async #answer({ method, url }: IncomingMessage, response: ServerResponse): Promise<void> {
    const { status, body, type = 'application/json' } = await this.#said(method, url);
    response.writeHead(status, { 'content-type': type, 'cache-control': 'no-store' }).end(body);
  }

  async #said(method?: string, url?: string): Promise<{ status: number; body: string; type?: string }> {
    if (method !== 'GET') return { status: 405, body: '{"status":"GET only"}' };
    switch (url) {
      case '/livez':
        return { status: 200, body: '{"status":"ok"}' };
      case '/readyz':
        return (await this.#databaseUp())
          ? { status: 200, body: '{"status":"ok"}' }
          : { status: 503, body: '{"status":"the database cannot be used"}' };
      case '/metrics':
        return {
          status: 200,
          body: await this.#metrics(),
          type: 'text/plain; version=0.0.4; charset=utf-8',
        };
      default:
        return { status: 404, body: '{"status":"there is nothing at this path"}' };
    }
  }

  #databaseUp(): Promise<boolean> {
    return this.facts.askDatabase().then(
      () => true,
      () => false,
    );
  }

  async #metrics(): Promise<string> {
    const { version, node, questions, managerConnected, leading } = this.facts;
    const { active, served, hungUp, failed, refused } = questions();
    const name = 'star64_agi_questions_total';
    return [
      headOf('star64_build_info', 'gauge', 'Always 1; which star64 this is, of which node.'),
      series('star64_build_info', { version, node }, 1),
      headOf('star64_db_up', 'gauge', 'Whether the database could be asked.'),
      series('star64_db_up', {}, (await this.#databaseUp()) ? 1 : 0),
      headOf(name, 'counter', 'Questions of calls, by their end; refused: connections that asked none.'),
      ...Object.entries({ served, hung_up: hungUp, failed, refused }).map(([result, count]) =>
        series(name, { result }, count),
      ),
      headOf('star64_agi_questions_active', 'gauge', 'Questions that are being answered.'),
      series('star64_agi_questions_active', {}, active),
      headOf('star64_ami_connected', 'gauge', 'Whether this server is connected to the Asterisk manager.'),
      series('star64_ami_connected', { node }, managerConnected() ? 1 : 0),
      headOf('star64_leading', 'gauge', 'Whether this server is the one that watches over Asterisk.'),
      series('star64_leading', { node }, leading() ? 1 : 0),
    ].join('');
  }
}
