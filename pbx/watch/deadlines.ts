import type { Logger } from 'pino';
import { endOverdueStates } from '../../domain/presence/agent-state.js';
import { signOutOverdue } from '../../domain/presence/automatic-sign-out.js';
import { isUnreachable } from '../../domain/database/sql-errors.js';
import { type Database } from '../../domain/database/pool.js';
import type { Membership } from '../../domain/presence/membership.js';

/**
 * Ends wrap-ups and pauses whose time is up, and shifts. Any number of servers do this side by side; the database gives each deadline to
 * one of them. It sleeps until the next deadline by the database's clock, at most a second, since another server
 * may have set one.
 */
export class Deadlines {
  #timer: NodeJS.Timeout | undefined;
  #running: Promise<void> | undefined;
  #again = false;
  #stopped = false;
  #signOutAt = 0;

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

  /** Pauses, idling and shifts are counted in minutes: a look each second is enough. */
  async #signOut(): Promise<void> {
    if (performance.now() < this.#signOutAt) return;
    this.#signOutAt = performance.now() + 1000;
    for (const signIn of await signOutOverdue(this.db)) {
      this.log.info({ team: signIn.team, agent: signIn.agent }, 'signed out: stayed longer than allowed');
      await this.membership.sync(signIn, { thorough: true });
    }
  }

  async #run(): Promise<number> {
    try {
      const { begun, nextInMs } = await endOverdueStates(this.db);
      await this.membership.syncAll(begun);
      await this.#signOut();
      return Math.min(this.atMostMs, Math.max(1, Math.ceil(nextInMs ?? this.atMostMs)));
    } catch (error) {
      if (!isUnreachable(error)) this.log.error({ err: error }, 'deadlines could not be carried out');
      return this.atMostMs;
    }
  }
}
