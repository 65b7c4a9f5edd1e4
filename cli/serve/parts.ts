import type { Logger } from 'pino';
import { Star64Error } from '../../domain/errors.js';

/** One part of `star64 serve`: something that runs until it is stopped. */
export interface Part {
  /** For the log. */
  readonly name: string;
  /** Resolves when the parts after it may rely on it. */
  start?: () => Promise<void> | void;
  /** Ends it, also while `start` is still under way, which ends then too. */
  stop?: () => Promise<void> | void;
}

/**
 * Parts that are started in the order of the list and stopped in reverse: each finds what it relies on, from its start
 * to its end.
 */
export class Parts {
  readonly #begun: Part[] = [];
  #stopped: Promise<void> | undefined;

  constructor(
    private readonly parts: readonly Part[],
    private readonly log: Logger,
  ) {}

  /** @throws when a part cannot be started, or `stop` comes in between; what had been started is stopped by then. */
  async start(): Promise<void> {
    try {
      for (const part of this.parts) {
        if (this.#stopped) throw new Star64Error('failure', 'stopped before it served');
        this.#begun.push(part);
        await part.start?.();
      }
    } catch (error) {
      await this.stop();
      throw error;
    }
  }

  /** Stops what was started, once. One that fails to stop keeps none of the others. */
  stop(): Promise<void> {
    this.#stopped ??= this.#stop();
    return this.#stopped;
  }

  async #stop(): Promise<void> {
    for (const part of this.#begun.reverse()) {
      try {
        await part.stop?.();
      } catch (error) {
        this.log.error({ err: error, part: part.name }, 'a part could not be stopped in good order');
      }
    }
    this.log.info('stopped');
  }
}
