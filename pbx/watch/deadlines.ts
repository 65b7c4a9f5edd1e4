import type { Logger } from 'pino';
import { failureOf } from '../../domain/database/sql-errors.js';
import type { Database } from '../../domain/database/pool.js';
import { endOverdueStates } from '../../domain/presence/agent-state.js';
import type { Membership } from '../../domain/presence/membership.js';
import { Loop } from './loop.js';

/** Another server may have set a deadline: the next look is no later than this. */
const atMostMs = 1000;

/**
 * Ends wrap-ups and pauses whose time is up, and nothing else: who waits to be free again must not wait for a shift that
 * ends. Any number of servers do this side by side; the database gives each deadline to one of them. It sleeps until the
 * next deadline by the database's clock.
 */
export class Deadlines extends Loop {
  constructor(db: Database, node: string, membership: Membership, log: Logger) {
    super(async () => {
      try {
        const { begun, nextInMs } = await endOverdueStates(db, node);
        await membership.syncAll(begun);
        return Math.min(atMostMs, Math.max(1, Math.ceil(nextInMs ?? atMostMs)));
      } catch (error) {
        if (failureOf(error) === undefined) log.error({ err: error }, 'deadlines could not be carried out');
        return atMostMs;
      }
    });
  }
}
