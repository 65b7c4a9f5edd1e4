import type { Logger } from 'pino';
import { failureOf } from '../../../domain/database/sql-errors.js';
import type { Database } from '../../../domain/database/pool.js';
import { LastingFault } from '../../../domain/machine/lasting-fault.js';
import { signOutOverdue } from '../../../domain/presence/automatic-sign-out.js';
import type { Membership } from '../../../domain/presence/membership.js';
import { inPortions } from './in-portions.js';
import { Loop } from './loop.js';

/** Pauses, idling and shifts are counted in minutes: a look each second is enough. */
const everyMs = 1000;
/** So few that a whole shift which ends at once keeps neither PostgreSQL nor Asterisk from what is urgent. */
const atOnce = 50;

/**
 * Signs out whose shift has ended, who has idled or paused for too long. In a loop of its own, in portions: the end of a
 * shift of a thousand agents takes seconds, and the wrap-ups of others end meanwhile.
 */
export class AutomaticSignOut extends Loop {
  constructor(db: Database, node: string, membership: Membership, log: Logger) {
    const failing = new LastingFault(log, {
      fault: 'nobody could be signed out automatically',
      over: 'agents are signed out automatically again',
      level: 'error',
    });
    super(async () => {
      try {
        const signedOut = await signOutOverdue(db, node, atOnce);
        failing.over();
        for (const { team, agent, why } of signedOut)
          log.info({ team, agent, why }, 'signed out automatically');
        await inPortions(signedOut, (signIn) => membership.sync(signIn, { thorough: true }));
        return signedOut.length < atOnce ? everyMs : 0;
      } catch (error) {
        if (failureOf(error) === undefined) failing.met((error as Error).message, { err: error });
        return everyMs;
      }
    });
  }
}
