import type { Logger } from 'pino';
import { pauseForMissed } from '../../../domain/calls/queue/missed.js';
import { failureOf } from '../../../domain/database/sql-errors.js';
import type { Database } from '../../../domain/database/pool.js';
import { LastingFault } from '../../../domain/machine/lasting-fault.js';
import type { Membership } from '../../../domain/presence/membership.js';
import { inPortions } from './in-portions.js';

/**
 * Pauses agents whose phone refuses or misses one call after the other. Failing, it leaves it to the next offer that
 * such a phone gets.
 */
export class MissedCalls {
  readonly #underWay = new Set<Promise<void>>();
  readonly #failing: LastingFault;

  constructor(
    private readonly db: Database,
    private readonly node: string,
    private readonly membership: Membership,
    private readonly log: Logger,
  ) {
    this.#failing = new LastingFault(log, {
      fault: 'nobody could be paused for missed calls',
      over: 'agents are paused for missed calls again',
      level: 'error',
    });
  }

  /** Takes offers that have ended without an answer, each its channel's uniqueid. Never throws. */
  take(offerIds: readonly string[]): void {
    if (offerIds.length === 0) return;
    const work = this.#pause(offerIds).finally(() => this.#underWay.delete(work));
    this.#underWay.add(work);
  }

  /** Resolves when what is under way is done. */
  async stop(): Promise<void> {
    await Promise.all(this.#underWay);
  }

  async #pause(offerIds: readonly string[]): Promise<void> {
    try {
      const paused = await pauseForMissed(this.db, this.node, offerIds);
      this.#failing.over();
      for (const { team, agent, extension } of paused)
        this.log.info({ team, agent, extension }, 'paused for missed calls');
      await inPortions(paused, (phone) => this.membership.sync(phone));
    } catch (error) {
      if (failureOf(error) === undefined) this.#failing.met((error as Error).message, { err: error });
    }
  }
}
