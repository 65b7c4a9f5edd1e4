import type { Logger } from 'pino';
import { endOverdueStates } from '../domain/agent-state.js';
import { isUnreachable, type Database } from '../domain/database.js';
import type { Membership } from '../domain/membership.js';

/**
 * Ends wrap-ups whose time is up. Any number of servers do this side by side; the database gives each deadline to
 * one of them. It sleeps until the next deadline by the database's clock, at most a second, since another server
 * may have set one.
 */
export class Deadlines {
  #timer: NodeJS.Timeout | undefined;
  #running: Promise<void> | undefined;
  #again = false;
  #stopped = false;

  constructor(
    private readonly db: Database,
    private readonly membership: Membership,
    private readonly log: Logger,
    private readonly atMostMs = 1000,
  ) {}

  start(): void {
    this.poke();
  }

  async stop(): Promise<void> {
    this.#stopped = true;
    clearTimeout(this.#timer);
    await this.#running;
  }

  /** Looks at once: a deadline may just have been set. */
  poke(): void {
    if (this.#stopped) return;
    if (this.#running) {
      this.#again = true;
      return;
    }
    clearTimeout(this.#timer);
    this.#running = this.#run().then((waitMs) => {
      this.#running = undefined;
      if (this.#stopped) return;
      if (this.#again) {
        this.#again = false;
        this.poke();
      } else {
        this.#timer = setTimeout(() => this.poke(), waitMs);
      }
    });
  }

  async #run(): Promise<number> {
    try {
      const { begun, nextInMs } = await endOverdueStates(this.db);
      await Promise.all(begun.map((state) => this.membership.project(state)));
      return Math.min(this.atMostMs, Math.max(1, Math.ceil(nextInMs ?? this.atMostMs)));
    } catch (error) {
      if (!isUnreachable(error)) this.log.error({ err: error }, 'deadlines could not be carried out');
      return this.atMostMs;
    }
  }
}
