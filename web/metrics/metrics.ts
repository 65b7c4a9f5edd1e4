import { collectDefaultMetrics, Registry } from 'prom-client';
import type { Logger } from 'pino';
import type { Database } from '../../domain/database/pool.js';
import { Star64Error } from '../../domain/errors.js';
import { inSlices } from '../../domain/machine/exposition.js';
import { LastingFault } from '../../domain/machine/lasting-fault.js';
import { readFigures, type Figures } from '../../domain/monitor/metrics.js';
import { CallCounters } from './counters.js';
import { linesOf } from './text.js';

export interface MetricsSettings {
  version: string;
  webhooks: () => ReadonlyMap<string, number>;
  /** Open streams of events, and how many bytes wait in this process for their listeners. */
  streams: () => { open: number; unread: number };
  /** One text answers everybody for so long. */
  forMs?: number;
  /** What is done between two slices of the text. */
  pause?: () => Promise<unknown>;
}

/**
 * `/metrics` of `star64 web`. However often it is asked for, the database is asked once in five seconds, by a handful of
 * statements; prom-client, which makes its text in one go, has only what is of the process.
 */
export class Metrics {
  readonly #counters: CallCounters;
  readonly #process = new Registry();
  readonly #mistake: LastingFault;
  #known: { until: number; text: Promise<string> } | undefined;

  constructor(
    private readonly db: Database,
    log: Logger,
    private readonly settings: MetricsSettings,
  ) {
    this.#mistake = new LastingFault(log, {
      fault: 'the figures of /metrics cannot be read, though the database answers: a fault of star64',
      over: 'the figures of /metrics are read again',
      level: 'error',
    });
    this.#counters = new CallCounters(db);
    collectDefaultMetrics({ register: this.#process });
  }

  text(): Promise<string> {
    if (this.#known && performance.now() < this.#known.until) return this.#known.text;
    // One at a time, however long it takes: what is counted from a feed is read once.
    const text = this.#make();
    const known = { until: Infinity, text };
    this.#known = known;
    const forMs = this.settings.forMs ?? 5000;
    const from = performance.now();
    const settled = (): void => {
      known.until = from + forMs;
    };
    void text.then(settled, settled);
    return text;
  }

  async #make(): Promise<string> {
    const { version, webhooks, streams, pause } = this.settings;
    const { isUp, figures } = await this.#figures();
    const lines = linesOf({
      version,
      isUp,
      figures,
      counters: this.#counters,
      webhooks: webhooks(),
      streams: streams(),
    });
    return (await inSlices(lines, undefined, pause)) + (await this.#process.metrics());
  }

  /** Without a database there is none but that. What is wrong in a statement itself is no database that is away, and is logged. */
  async #figures(): Promise<{ isUp: boolean; figures?: Figures }> {
    try {
      const figures = await readFigures(this.db);
      await this.#counters.read(figures.byGroup);
      this.#mistake.over();
      return { isUp: true, figures };
    } catch (error) {
      if (error instanceof Star64Error && error.kind === 'database_unreachable') return { isUp: false };
      this.#mistake.met((error as Error).message, { err: error });
      return { isUp: true };
    }
  }
}
