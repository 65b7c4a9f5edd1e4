import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { Logger } from 'pino';
import type { AgiCounters } from '../../agi/server.js';
import type { SettledOffer } from '../../domain/calls/queue/offer-counts.js';
import { headOf, inSlices, series, type Histogram } from '../../domain/machine/exposition.js';
import { mostGroups } from '../../domain/monitor/metrics.js';
import type { Part } from './parts.js';

/** Upper ends of the histogram of late ends of wrap-ups, in seconds. */
export const lateEnds = [0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30] as const;

/** What a server says of itself; each is a number that it has anyway. */
export interface HealthFacts {
  version: string;
  node: string;
  /** Questions of each script by their end since the start, and those that are being answered. */
  questions: () => Pick<AgiCounters, 'active' | 'refused' | 'scripts'>;
  /** What became of offers that this server has seen end. */
  offers: () => readonly (SettledOffer & { count: number })[];
  /** By how much wrap-ups that this server has ended have ended late. */
  wrapUpEnds: Histogram;
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
    return inSlices(this.#lines(await this.#databaseUp()));
  }

  *#lines(isUp: boolean): Generator<string> {
    const { version, node, questions, offers, wrapUpEnds, managerConnected, leading } = this.facts;
    yield headOf('star64_build_info', 'gauge', 'Always 1; which star64 this is, of which node.');
    yield series('star64_build_info', { version, node }, 1);
    yield headOf('star64_db_up', 'gauge', 'Whether the database could be asked.');
    yield series('star64_db_up', {}, isUp ? 1 : 0);
    yield* questionLines(questions());
    yield* offerLines(offers());
    const late = 'star64_wrap_up_end_delay_seconds';
    yield headOf(late, 'histogram', 'How much later than it was to a wrap-up has ended.');
    yield* wrapUpEnds.lines(late);
    yield headOf(
      'star64_ami_connected',
      'gauge',
      'Whether this server is connected to the Asterisk manager.',
    );
    yield series('star64_ami_connected', { node }, managerConnected() ? 1 : 0);
    yield headOf('star64_leading', 'gauge', 'Whether this server is the one that watches over Asterisk.');
    yield series('star64_leading', { node }, leading() ? 1 : 0);
  }
}

function* questionLines({
  active,
  refused,
  scripts,
}: ReturnType<HealthFacts['questions']>): Generator<string> {
  const name = 'star64_agi_questions_total';
  yield headOf(name, 'counter', 'Questions of calls, by their end; refused: connections that asked none.');
  for (const [script, { served, hungUp, failed }] of scripts)
    for (const [result, count] of Object.entries({ served, hung_up: hungUp, failed }))
      yield series(name, { script, result }, count);
  yield series(name, { result: 'refused' }, refused);
  yield headOf('star64_agi_question_seconds', 'histogram', 'How long questions took to be answered.');
  for (const [script, { seconds }] of scripts)
    yield* seconds.lines('star64_agi_question_seconds', { script });
  yield headOf('star64_agi_questions_active', 'gauge', 'Questions that are being answered.');
  yield series('star64_agi_questions_active', {}, active);
}

function* offerLines(offers: ReturnType<HealthFacts['offers']>): Generator<string> {
  const name = 'star64_offers_total';
  yield headOf(name, 'counter', 'Times that a queue has rung an agent, by what became of it.');
  const groups = new Set(offers.map(({ team, group }) => `${team}\t${group ?? ''}`));
  if (groups.size <= mostGroups) {
    for (const { team, group, result, count } of offers)
      yield series(name, { team, group: group ?? '', result }, count);
    return;
  }
  const sums = new Map<string, number>();
  for (const { result, count } of offers) sums.set(result, (sums.get(result) ?? 0) + count);
  for (const [result, count] of sums) yield series(name, { result }, count);
}
