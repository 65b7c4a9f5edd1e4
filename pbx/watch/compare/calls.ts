import { CallOutRecords } from '../../../domain/calls/outbound/calls-out-records.js';
import type { OfferCounts } from '../../../domain/calls/queue/offer-counts.js';
import { CallRecords, type Caller } from '../../../domain/calls/records/records.js';
import type { Database } from '../../../domain/database/pool.js';
import { callbackChannel } from '../../queue/callback-channel.js';
import { deviceOf } from '../../queue/names.js';
import type { Snapshot } from './snapshot.js';
import type { Difference, Mendable, Step } from './step.js';

interface Ended extends Difference {
  readonly kind: 'call' | 'offer';
  readonly uniqueid: string;
}

/**
 * Calls and offers that are over in Asterisk are over in the database; all that a time without a server has left in one
 * statement for each kind.
 */
export class CompareEndedCalls implements Step<Ended> {
  readonly name = 'ended calls';
  readonly #records: CallRecords;

  constructor(db: Database, node: string, counts?: OfferCounts) {
    this.#records = new CallRecords(db, node, counts);
  }

  async compare({ live }: Snapshot): Promise<Ended[]> {
    const { calls, offers } = await this.#records.open();
    const over = (kind: Ended['kind'], uniqueids: readonly string[]): Ended[] =>
      uniqueids
        .filter((uniqueid) => !live.has(uniqueid))
        .map((uniqueid) => ({ key: `${kind} ${uniqueid} is over`, kind, uniqueid }));
    return [...over('offer', offers), ...over('call', calls)];
  }

  async mend(differences: readonly Ended[]): Promise<void> {
    const of = (kind: Ended['kind']): string[] =>
      differences.filter((one) => one.kind === kind).map(({ uniqueid }) => uniqueid);
    const [offers, calls] = [of('offer'), of('call')];
    // What came of the offers was not seen.
    if (offers.length > 0)
      await this.#records.offersEnded(offers.map((offerId) => ({ offerId, result: null })));
    if (calls.length > 0) await this.#records.callsEnded(calls.map((uniqueid) => ({ uniqueid })));
  }
}

interface CallOutOver extends Difference {
  readonly uniqueid: string;
  readonly at: string | null;
}

/**
 * Calls to the outside that are over in Asterisk are over in the database. One that nobody saw end ended while no server
 * watched, if none has seen it since: then it is over since that time began, and no provider bills for the rest. (Of what
 * ended later there is a line: CompareLeftCalls, which comes before.)
 */
export class CompareCallsOut implements Step<CallOutOver> {
  readonly name = 'ended calls to the outside';
  readonly #records: CallOutRecords;
  /** Those that this server has seen alive, and since when nobody had watched before. */
  #seen = new Map<string, string | null>();

  constructor(db: Database, node: string) {
    this.#records = new CallOutRecords(db, node);
  }

  async compare({ live }: Snapshot): Promise<CallOutOver[]> {
    const open = await this.#records.open();
    const before = this.#seen;
    this.#seen = new Map();
    return open.flatMap(({ uniqueid, channel, unwatchedSince }) => {
      const seen = before.get(uniqueid);
      if (live.has(channel)) this.#seen.set(uniqueid, unwatchedSince);
      else if (seen !== undefined) this.#seen.set(uniqueid, seen);
      if (live.has(channel)) return [];
      const at = seen === unwatchedSince ? null : unwatchedSince;
      return [{ key: `call ${uniqueid} to the outside is over`, uniqueid, at }];
    });
  }

  mend(differences: readonly CallOutOver[]): Promise<void> {
    return this.#records.endedUnseen(differences);
  }
}

/** Callers who wait in a queue, and conversations, are known: nobody may have watched when they began. */
export class CompareCalls implements Step<Mendable> {
  readonly name = 'waiting and answered calls';
  readonly #records: CallRecords;

  constructor(db: Database, node: string, counts?: OfferCounts) {
    this.#records = new CallRecords(db, node, counts);
  }

  async compare(asterisk: Snapshot): Promise<Mendable[]> {
    return [...(await this.#waiting(asterisk)), ...(await this.#answered(asterisk))];
  }

  async mend(differences: readonly Mendable[]): Promise<void> {
    for (const { mend } of differences) await mend();
  }

  async #waiting({ waiting, live, queues }: Snapshot): Promise<Mendable[]> {
    const ours = await queues();
    const known = (await this.#records.open()).waiting;
    const place = ({ queue, uniqueid }: { queue: string; uniqueid: string }): string =>
      `${uniqueid} in ${queue}`;
    const callerOf = ({ queue, uniqueid }: { queue: string; uniqueid: string }): Caller => ({
      queue,
      uniqueid,
      linkedid: live.get(uniqueid) ?? uniqueid,
    });
    const inDatabase = new Set(known.map(place));
    const inAsterisk = new Set(waiting.map(place));
    // Who is called back has no call before an agent has answered.
    const unknown = waiting.filter(
      (one) => ours.has(one.queue) && !inDatabase.has(place(one)) && !callbackChannel(one.uniqueid),
    );
    const gone = known.filter((one) => !inAsterisk.has(place(one)));
    return [
      ...unknown.map((one) => ({
        key: `call ${place(one)} waits`,
        mend: () => this.#records.joined(callerOf(one), { ...one, number: one.caller }),
      })),
      ...gone.map((one) => ({
        key: `call ${place(one)} waits no longer`,
        mend: () => this.#records.left([callerOf(one)]),
      })),
    ];
  }

  async #answered({ offers, signedIn }: Snapshot): Promise<Mendable[]> {
    const phones = await signedIn();
    const talks = phones.flatMap(({ agent, signInId, ...phone }) => {
      const offer = offers.get(deviceOf(phone));
      return offer?.connected === true ? [{ ...offer, agent, signInId }] : [];
    });
    const known = new Set(await this.#records.answeredOffers(talks.map(({ offerId }) => offerId)));
    return talks
      .filter(({ offerId, call }) => !known.has(offerId) && !callbackChannel(call))
      .map(({ call: uniqueid, linkedid, queue, caller: number, offerId, agent, signInId }) => ({
        key: `call ${uniqueid} is answered by ${agent}`,
        mend: async () => {
          const caller = { queue, uniqueid, linkedid };
          await this.#records.offered(caller, offerId, signInId);
          if ((await this.#records.answered(caller, offerId, agent))?.visit !== false) return;
          await this.#records.joined(caller, { number });
          await this.#records.answered(caller, offerId, agent);
        },
      }));
  }
}
