import type { Logger } from 'pino';
import type { Database } from '../../../domain/database/pool.js';
import { LastingFault } from '../../../domain/machine/lasting-fault.js';
import {
  answerPhoneQuestion,
  openPhoneQuestions,
  sweepPhoneQuestions,
  type PhoneQuestion,
} from '../../../domain/presence/phone-questions.js';
import type { ManagerActions } from '../../ami/manager.js';
import { addressesOf } from '../../queue/phones.js';
import { Loop } from './loop.js';

export interface PhoneQuestionsSettings {
  /** How often is looked for questions of which no notification came, which only shortens the wait. */
  everyMs: number;
  sweepMs: number;
}

export const phoneQuestionsDefaults: PhoneQuestionsSettings = { everyMs: 1000, sweepMs: 60_000 };

/**
 * Answers from where an agent's phones have registered, which is asked of Asterisk at that moment. Its events of it are of the
 * class that a storm of registrations floods, and the servers do not read that.
 */
export class PhoneQuestions extends Loop {
  constructor(
    db: Database,
    node: string,
    holder: string,
    manager: ManagerActions,
    leading: () => boolean,
    log: Logger,
    settings: PhoneQuestionsSettings = phoneQuestionsDefaults,
  ) {
    let sweepAt = 0;
    const unseen = new LastingFault(log, {
      fault: 'nobody is told from where phones have registered',
      over: 'it is told again from where phones have registered',
    });
    const answer = async ({ id, phones }: PhoneQuestion): Promise<void> => {
      const found: Record<string, string[]> = {};
      for (const phone of phones) {
        const addresses = await addressesOf(manager, phone);
        if (addresses.length > 0) found[phone.extension] = addresses;
      }
      await answerPhoneQuestion(db, id, found);
    };
    super(async () => {
      try {
        if (!leading() || !manager.connected) return settings.everyMs;
        if (performance.now() >= sweepAt) {
          await sweepPhoneQuestions(db, node);
          sweepAt = performance.now() + settings.sweepMs;
        }
        await Promise.all((await openPhoneQuestions(db, node, holder)).map(answer));
        unseen.over();
      } catch (error) {
        unseen.met((error as Error).message);
      }
      return settings.everyMs;
    });
  }
}
