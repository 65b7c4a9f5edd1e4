import { performance } from 'node:perf_hooks';
import type { Logger } from 'pino';

export interface FaultWords {
  /** Said at the beginning: `PostgreSQL is away: …`. */
  readonly fault: string;
  /** Said at the end. */
  readonly over: string;
  readonly level?: 'warn' | 'error';
  /** Of a fault whose end nobody sees: not met for so long it was over, and begins anew. Milliseconds. */
  readonly fadesAfter?: number;
}

/** A fault that goes on is said again after this. */
const againMs = 60_000;
/** So many reasons of one fault are said. */
const mostReasons = 5;

/**
 * A fault that is met again and again as long as it lasts: said at its beginning, once a minute, and at its end with how
 * long it was. What is met in between is for log level debug; a reason that this fault has not had yet is said at once.
 */
export class LastingFault {
  #since: number | undefined;
  #saidAt = 0;
  #metAt = Infinity;
  #times = 0;
  readonly #reasons = new Set<string>();

  constructor(
    private readonly log: Logger,
    private readonly words: FaultWords,
    /** Milliseconds of a clock that only goes forward. */
    private readonly now: () => number = () => performance.now(),
  ) {}

  /** It is there, for this reason. */
  met(reason: string, details: object = {}): void {
    const now = this.now();
    const { level = 'warn', fault, fadesAfter = Infinity } = this.words;
    if (now - this.#metAt > fadesAfter) this.#forget();
    this.#metAt = now;
    const begins = this.#since === undefined;
    this.#since ??= now;
    this.#times += 1;
    const isNew = !this.#reasons.has(reason);
    // What differs each time is no reason to say it each time.
    if (this.#reasons.size < mostReasons) this.#reasons.add(reason);
    const due = now - this.#saidAt >= againMs;
    const lasting = begins ? {} : { forSeconds: this.#seconds(now), times: this.#times };
    const says = begins || (isNew && this.#reasons.has(reason)) || due;
    if (says) this.#saidAt = now;
    this.log[says ? level : 'debug']({ ...details, reason, ...lasting }, fault);
  }

  /** It is not there; said if it was. */
  over(details: object = {}): void {
    if (this.#since === undefined) return;
    const lasted = { forSeconds: this.#seconds(this.now()), times: this.#times };
    this.#forget();
    this.log.info({ ...details, ...lasted }, this.words.over);
  }

  #forget(): void {
    this.#since = undefined;
    this.#times = 0;
    this.#reasons.clear();
  }

  #seconds(now: number): number {
    return Math.round((now - (this.#since ?? now)) / 100) / 10;
  }
}
