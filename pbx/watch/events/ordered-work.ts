import type { Logger } from 'pino';
import { failureOf, type DatabaseFailure } from '../../../domain/database/sql-errors.js';
import { LastingFault } from '../../../domain/machine/lasting-fault.js';

export interface Work {
  /** Events of one phone or one call are worked off in their order. */
  key: string;
  /** What must be worked off before it, beside what has the same key. */
  after?: string;
  run: () => Promise<void>;
}

/**
 * What is tried once more at once. Of two statements that wait for each other PostgreSQL ends one. Where nothing moved for some
 * seconds, here or there, answers that were on their way have been given up; the reconciliation would find what goes on, but not
 * what is over by then: a phone that rang, an offer that was refused.
 */
const triedAgain: ReadonlySet<DatabaseFailure | undefined> = new Set([
  'conflict',
  'too-slow',
  'unreachable',
] as const);

/** Works off what events ask for: side by side, but what has the same key in its order. */
export class OrderedWork {
  /** What is under way, by its key. */
  readonly #chains = new Map<string, Promise<void>>();
  /** What is not done yet, the oldest first, and when it was added, on the monotonic clock. */
  readonly #waiting = new Set<{ key: string; since: number }>();

  readonly #failing: LastingFault;

  constructor(
    log: Logger,
    /** Something could not be done. */
    private readonly missed: () => void,
  ) {
    this.#failing = new LastingFault(log, {
      fault: 'events could not be recorded',
      over: 'events are recorded again',
      level: 'error',
      fadesAfter: 60_000,
    });
  }

  /** Never throws. */
  add({ key, after, run }: Work): void {
    const previous = [key, after].map((each) => this.#chains.get(each ?? '') ?? Promise.resolve());
    const added = { key, since: performance.now() };
    const next = Promise.all(previous)
      .then(() => this.#guarded(run))
      .finally(() => {
        this.#waiting.delete(added);
        if (this.#chains.get(key) === next) this.#chains.delete(key);
      });
    this.#waiting.add(added);
    this.#chains.set(key, next);
  }

  /** Whether anything with this key is not done yet. */
  has(key: string): boolean {
    return this.#chains.has(key);
  }

  /** The moment, on the monotonic clock, before which all that was added is done, but for what has this key. */
  doneUntil(butFor: string): number {
    for (const { key, since } of this.#waiting) if (key !== butFor) return since;
    return performance.now();
  }

  /** Resolves when what was added so far is done, or has failed. */
  async caughtUp(): Promise<void> {
    await Promise.all(this.#chains.values());
  }

  /** Resolves when nothing is under way any more. */
  async settled(): Promise<void> {
    while (this.#chains.size > 0) await this.caughtUp();
  }

  /** Never throws. */
  async #guarded(run: () => Promise<void>): Promise<void> {
    try {
      // Everything here may be told twice, also where it was done and only the answer is lost.
      await run().catch((error: unknown) =>
        triedAgain.has(failureOf(error)) ? run() : Promise.reject(error as Error),
      );
    } catch (error) {
      this.missed();
      if (failureOf(error) === undefined) this.#failing.met((error as Error).message, { err: error });
    }
  }
}
