import type { Logger } from 'pino';
import { failureOf } from '../../../domain/database/sql-errors.js';
import type { Database } from '../../../domain/database/pool.js';
import { LastingFault } from '../../../domain/machine/lasting-fault.js';
import { endOverdueStates } from '../../../domain/presence/agent-state.js';
import type { Membership } from '../../../domain/presence/membership.js';
import { Loop } from './loop.js';

/** Another server may have set a deadline: the next look is no later than this. */
const atMostMs = 1000;
/** A due state that somebody else has locked is looked at again after this. */
const lockedMs = 50;
/** So many lots of agents whose state has ended are told to Asterisk side by side. */
const lotsAtOnce = 4;

/**
 * Ends wrap-ups and pauses whose time is up, and nothing else: an agent who is free again waits neither for a shift that
 * ends nor for a phone that another server is busy with. Any number of servers do this side by side; the database gives
 * each deadline to one of them. It sleeps until the next deadline by the database's clock.
 */
export class Deadlines {
  readonly #loop = new Loop(() => this.#run());
  /** Lots of agents of whom Asterisk is being told. */
  readonly #telling = new Set<Promise<void>>();
  readonly #failing: LastingFault;

  constructor(
    private readonly db: Database,
    private readonly node: string,
    private readonly membership: Membership,
    log: Logger,
    /** How much later than it was to a wrap-up has ended, in seconds. */
    private readonly wrapUpEnded: (lateSeconds: number) => void = () => undefined,
  ) {
    this.#failing = new LastingFault(log, {
      fault: 'deadlines could not be carried out',
      over: 'deadlines are carried out again',
      level: 'error',
    });
  }

  start(): void {
    this.#loop.start();
  }

  /** Looks at once: a deadline may just have been set. */
  poke(): void {
    this.#loop.poke();
  }

  async stop(): Promise<void> {
    await this.#loop.stop();
    await Promise.all(this.#telling);
  }

  async #run(): Promise<number> {
    try {
      const { begun, nextInMs = atMostMs } = await endOverdueStates(this.db, this.node);
      this.#failing.over();
      for (const { before, lateSeconds } of begun) if (before === 'wrap-up') this.wrapUpEnded(lateSeconds);
      if (begun.length > 0) {
        const told = this.membership.syncAll(begun).finally(() => this.#telling.delete(told));
        this.#telling.add(told);
        if (this.#telling.size >= lotsAtOnce) await Promise.race(this.#telling);
      }
      return Math.min(atMostMs, Math.max(begun.length === 0 ? lockedMs : 1, Math.ceil(nextInMs)));
    } catch (error) {
      if (failureOf(error) === undefined) this.#failing.met((error as Error).message, { err: error });
      return atMostMs;
    }
  }
}
