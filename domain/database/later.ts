import type { Logger } from 'pino';
import { LastingFault } from '../machine/lasting-fault.js';
import { failureOf } from './sql-errors.js';

export interface LaterSettings {
  /** How long what is added waits for more to be written with it. */
  readonly delayMs: number;
  /** After PostgreSQL has not taken it, or what it needs is not there yet. */
  readonly retryMs: number;
  /** So many are kept with PostgreSQL away, the newest. */
  readonly keep: number;
  /** So many are written in one statement. */
  readonly batch: number;
}

export interface LaterWords<T> {
  /** Said while PostgreSQL takes nothing, and when it does again. */
  readonly fault: string;
  readonly over: string;
  /** Said of one that is dropped, since too many wait or since PostgreSQL refuses it for itself. */
  readonly lost: string;
  readonly refused: string;
  /** All that would have been recorded: in the log it is what is left of it. */
  readonly contents: (one: T) => object;
}

/**
 * Writes a moment later and many at a time, so that nothing of a call waits for PostgreSQL, or costs a statement of its
 * own. With PostgreSQL away, slow or out of room it keeps the newest and writes them when it is back. One that PostgreSQL
 * refuses for itself is dropped alone, and its contents are logged.
 */
export class LaterWriter<T> {
  #waiting: T[] = [];
  #timer: NodeJS.Timeout | undefined;
  #writing: Promise<void> | undefined;
  readonly #away: LastingFault;

  constructor(
    private readonly log: Logger,
    private readonly settings: LaterSettings,
    private readonly words: LaterWords<T>,
    /** Writes them all or none; returns those that are to be tried again later. */
    private readonly write: (batch: readonly T[]) => Promise<readonly T[]>,
    /** As it is to be kept while PostgreSQL is away. */
    private readonly kept: (one: T) => T = (one) => one,
  ) {
    this.#away = new LastingFault(log, words);
  }

  /** Never throws, and waits for nothing. */
  add(one: T): void {
    this.#waiting.push(one);
    this.#dropOldest();
    this.#later(this.settings.delayMs);
  }

  /** Writes what waits now; for shutdown. Never throws. */
  async flush(): Promise<void> {
    this.#stop();
    await this.#writing;
    if (this.#waiting.length > 0) await this.#writeAll();
    this.#stop();
  }

  #stop(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
  }

  #later(ms: number): void {
    this.#timer ??= setTimeout(() => {
      this.#timer = undefined;
      // One writer: whoever writes goes on until nothing waits.
      this.#writing ??= this.#writeAll().finally(() => (this.#writing = undefined));
    }, ms);
  }

  async #writeAll(): Promise<void> {
    const again: T[] = [];
    while (this.#waiting.length > 0) {
      const { left, away } = await this.#record(this.#waiting.splice(0, this.settings.batch));
      again.push(...left);
      if (!away) continue;
      this.#waiting = this.#waiting.map(this.kept);
      break;
    }
    if (again.length === 0) return;
    this.#waiting.unshift(...again);
    this.#dropOldest();
    this.#later(this.settings.retryMs);
  }

  /** Records what it can. `left`: what is to be tried again later; `away`: PostgreSQL takes nothing. */
  async #record(batch: readonly T[]): Promise<{ left: readonly T[]; away: boolean }> {
    try {
      const left = await this.write(batch);
      this.#away.over();
      return { left, away: false };
    } catch (error) {
      if (failureOf(error) !== undefined) {
        this.#away.met((error as Error).message, { waiting: this.#waiting.length + batch.length });
        return { left: batch.map(this.kept), away: true };
      }
      const [only] = batch;
      if (batch.length === 1 && only !== undefined) {
        this.log.error({ err: error, ...this.words.contents(only) }, this.words.refused);
        return { left: [], away: false };
      }
      // One of them is wrong in itself, and the others must not go with it.
      const middle = Math.ceil(batch.length / 2);
      const first = await this.#record(batch.slice(0, middle));
      const rest = batch.slice(middle);
      if (first.away) return { left: [...first.left, ...rest.map(this.kept)], away: true };
      const second = await this.#record(rest);
      return { left: [...first.left, ...second.left], away: second.away };
    }
  }

  #dropOldest(): void {
    const lost = this.#waiting.splice(0, Math.max(0, this.#waiting.length - this.settings.keep));
    for (const one of lost) this.log.error(this.words.contents(one), this.words.lost);
  }
}
