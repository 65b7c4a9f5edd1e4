import {
  answeredCalls,
  callAnswered,
  callQueued,
  callsEnded,
  findQueue,
  openCalls,
  queuedCalls,
} from '../../../domain/calls/calls.js';
import type { Database } from '../../../domain/database/pool.js';
import { deviceOf } from '../../queue/names.js';
import type { AsteriskSnapshot } from '../snapshot.js';
import { readQueueNames, readSignedInPhones } from './signed-in-phones.js';
import type { Difference, Mendable, Step } from './step.js';

/** Calls that are over in Asterisk are over in the database; all that a time without a server has left in one statement. */
export class CompareEndedCalls implements Step<Difference & { uniqueid: string }> {
  readonly name = 'ended calls';

  constructor(private readonly db: Database) {}

  async compare({ live }: AsteriskSnapshot): Promise<(Difference & { uniqueid: string })[]> {
    const gone = (await openCalls(this.db)).filter((uniqueid) => !live.has(uniqueid));
    return gone.map((uniqueid) => ({ key: `call ${uniqueid} is over`, uniqueid }));
  }

  async mend(differences: readonly (Difference & { uniqueid: string })[]): Promise<void> {
    await callsEnded(
      this.db,
      differences.map(({ uniqueid }) => uniqueid),
      'lost',
    );
  }
}

/** Callers who wait in a queue, and conversations, are known: nobody may have watched when they began. */
export class CompareCalls implements Step<Mendable> {
  readonly name = 'waiting and answered calls';

  constructor(private readonly db: Database) {}

  async compare(asterisk: AsteriskSnapshot): Promise<Mendable[]> {
    return [...(await this.#waiting(asterisk)), ...(await this.#answered(asterisk))];
  }

  async mend(differences: readonly Mendable[]): Promise<void> {
    for (const { mend } of differences) await mend();
  }

  async #waiting({ waiting }: AsteriskSnapshot): Promise<Mendable[]> {
    const ours = await readQueueNames(this.db);
    const here = waiting.filter(({ queue }) => ours.has(queue));
    const known = new Set(
      await queuedCalls(
        this.db,
        here.map(({ uniqueid }) => uniqueid),
      ),
    );
    return here
      .filter(({ uniqueid }) => !known.has(uniqueid))
      .map(({ queue: name, uniqueid, caller }) => ({
        key: `call ${uniqueid} waits in ${name}`,
        mend: async () => {
          const queue = await findQueue(this.db, name);
          if (queue) await callQueued(this.db, queue, uniqueid, caller);
        },
      }));
  }

  async #answered({ offers }: AsteriskSnapshot): Promise<Mendable[]> {
    const phones = await readSignedInPhones(this.db);
    const talks = phones.flatMap((phone) => {
      const offer = offers.get(deviceOf(phone));
      return offer?.connected === true ? [{ ...offer, agent: phone.agent }] : [];
    });
    const known = new Set(
      await answeredCalls(
        this.db,
        talks.map(({ call }) => call),
      ),
    );
    return talks
      .filter(({ call }) => !known.has(call))
      .map(({ call, caller, queue: name, agent }) => ({
        key: `call ${call} is answered by ${agent}`,
        mend: async () => {
          const queue = await findQueue(this.db, name);
          if (!queue) return;
          await callQueued(this.db, queue, call, caller);
          await callAnswered(this.db, queue.teamId, call, agent);
        },
      }));
  }
}
