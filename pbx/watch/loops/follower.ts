import type { Logger } from 'pino';
import { readTold } from '../../../domain/database/notifications.js';
import type { Database } from '../../../domain/database/pool.js';
import { LastingFault } from '../../../domain/machine/lasting-fault.js';
import type { Membership } from '../../../domain/presence/membership.js';
import { signInsOf } from '../../../domain/presence/open-sign-in.js';
import { inPortions } from './in-portions.js';

/**
 * Makes Asterisk follow what commands have changed. Every server does it, so that none has to be there: each only
 * makes Asterisk say what the database says by then.
 */
export class Follower {
  #waiting = new Set<number>();
  #running: Promise<void> | undefined;
  readonly #unseen: LastingFault;

  constructor(
    private readonly db: Database,
    private readonly node: string,
    private readonly membership: Membership,
    private readonly log: Logger,
    /** Told when Asterisk could not be. */
    private readonly missed: () => void,
  ) {
    this.#unseen = new LastingFault(log, {
      fault: 'what a command has changed was not seen',
      over: 'what commands change is seen again',
    });
  }

  /** Takes what a command has told. Never throws. */
  take(payload: string): void {
    const ids = readTold(payload);
    if (!ids) {
      this.log.warn({ payload: payload.slice(0, 80) }, 'a notification that no command has sent: ignored');
      return;
    }
    for (const id of ids) this.#waiting.add(id);
    this.#running ??= this.#run();
  }

  /** Resolves when what is under way is done; what waits is left to other servers and to the next start. */
  async stop(): Promise<void> {
    this.#waiting.clear();
    await this.#running;
  }

  async #run(): Promise<void> {
    while (this.#waiting.size > 0) {
      const ids = [...this.#waiting];
      this.#waiting.clear();
      try {
        await this.#follow(ids);
        this.#unseen.over();
      } catch (error) {
        this.#unseen.met((error as Error).message);
        this.missed();
      }
    }
    this.#running = undefined;
  }

  async #follow(ids: readonly number[]): Promise<void> {
    // Teams of other nodes are for their servers to follow.
    const changed = (await signInsOf(this.db, ids)).filter(({ node }) => node === this.node);
    const told = await inPortions(changed, (signIn) =>
      this.membership.sync(signIn, { thorough: true, alone: true }),
    );
    if (told.includes(false)) this.missed();
    // Only now: a call that is free again must not be offered to an agent who leaves with the others.
    for (const { offer } of changed) if (offer !== null) await this.membership.cancelOffer(offer);
    for (const { team, agent, extension } of changed)
      this.log.info({ team, agent, extension }, 'followed a command');
  }
}
