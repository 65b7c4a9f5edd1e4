import { collectDefaultMetrics, Registry } from 'prom-client';
import type { Database } from '../../domain/database/pool.js';
import { inSlices } from '../../domain/machine/exposition.js';
import { readFigures } from '../../domain/monitor/metrics.js';
import { CallCounters } from './counters.js';
import { linesOf } from './text.js';

export interface MetricsSettings {
  version: string;
  webhooks: () => ReadonlyMap<string, number>;
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
  #known: { until: number; text: Promise<string> } | undefined;

  constructor(
    private readonly db: Database,
    private readonly settings: MetricsSettings,
  ) {
    this.#counters = new CallCounters(db);
    collectDefaultMetrics({ register: this.#process });
  }

  text(): Promise<string> {
    if (this.#known && performance.now() < this.#known.until) return this.#known.text;
    const known = { until: performance.now() + (this.settings.forMs ?? 5000), text: this.#make() };
    this.#known = known;
    return known.text;
  }

  async #make(): Promise<string> {
    const { version, webhooks, pause } = this.settings;
    const figures = await this.#figures();
    const lines = linesOf({ version, figures, counters: this.#counters, webhooks: webhooks() });
    return (await inSlices(lines, undefined, pause)) + (await this.#process.metrics());
  }

  /** Undefined without a database, which is a figure, too. */
  async #figures() {
    try {
      await this.#counters.read();
      return await readFigures(this.db);
    } catch {
      return undefined;
    }
  }
}
