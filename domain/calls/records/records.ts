import { prepared, type Queryable } from '../../database/pool.js';
import type { OfferCounts, OfferResult, SettledOffer } from '../queue/offer-counts.js';
import { namesIn, type Queue } from '../queue/queue.js';
import * as sql from './records-sql.js';

/** A channel that stands in a queue. */
export interface Caller {
  /** The queue by its name in Asterisk, `astercc-support`. */
  queue: string;
  uniqueid: string;
  /** Of the channel that everything began with: the caller's, also when another one took its place in the queue. */
  linkedid: string;
}

/** How a queue lets a caller go without an answer; see `queue_visits.outcome`. */
export const unservedOutcomes = ['nobody', 'timeout', 'full', 'key', 'again'] as const;
export type UnservedOutcome = (typeof unservedOutcomes)[number];

/** What became of a call that nobody answered, as the dialplan tells it where no queue does; see `calls.outcome`. */
export type CallOutcome = 'busy' | 'no-answer' | 'refused' | 'unreachable' | 'nobody' | 'abandoned';

/** Who answered a call that no queue gave to them: an extension by number or by the operator's endpoint, or a number outside. */
export interface WhoPickedUp {
  extension?: string;
  endpoint?: string;
  /** Without a +. */
  outside?: string;
}

/** The end of a caller's channel. */
export interface CallEnd {
  uniqueid: string;
  /** What was told before. */
  outcome?: CallOutcome | null;
  /** Nobody and nothing had answered it: who hung up while an extension rang is the caller. */
  unanswered?: boolean;
  /** Its way ended there, as an announcement's: it was not the caller who hung up. */
  letGo?: boolean;
  /**
   * For so long everything that happened was seen, and of this call nothing says that anybody spoke in it, or that it was
   * let go: the caller has hung up in a menu, an announcement or a greeting. Null: not known.
   */
  watchedSeconds?: number | null;
}

/** The queue behind an event, and the call as `calls.uniqueid` knows it; null when its beginning was not seen. */
export type KnownQueue = Queue & { call: string | null };

/** What the database holds for under way on a node: also a call or an offer that is over, if a conversation of it is not. */
export interface OpenRecords {
  /** Uniqueids of the callers' channels. */
  calls: string[];
  /** Uniqueids of the channels to the agents' phones. */
  offers: string[];
  /** Uniqueids of channels that wait, and their queues. */
  waiting: { uniqueid: string; queue: string }[];
}

/**
 * The calls of one Asterisk node, each in one statement. Every function may be told the same twice, and in another order
 * than it happened: the first word stays, and a later one adds what was not known. Queues of other nodes, and of the
 * operator, are passed over.
 */
export class CallRecords {
  constructor(
    private readonly db: Queryable,
    readonly node: string,
    /** Counts what becomes of offers, where this tells of it. */
    private readonly counts?: OfferCounts,
  ) {}

  /**
   * A call has joined a queue, `waitedSeconds` ago: a visit of its own, also when it was there before. Also the first word
   * of a call whose arrival nobody could record. One that waits there already, by this channel, goes on doing so.
   */
  async joined(
    caller: Caller,
    { number = null, position = null, waitedSeconds = 0 }: Partial<Joining> = {},
  ): Promise<void> {
    await prepared(this.db, sql.joined, { ...this.#bindings(caller), number, position, waitedSeconds });
  }

  /** Channels have left their queues. The visits that were answered meanwhile go on. */
  async left(callers: readonly Caller[]): Promise<void> {
    const told = callers.map(({ queue, ...channel }) => ({ ...namesIn(queue), ...channel }));
    await prepared(this.db, sql.left, { node: this.node, callers: JSON.stringify(told) });
  }

  /** The caller has hung up while waiting. Says more than the end of the call does, which may be recorded first. */
  async abandoned(caller: Caller): Promise<void> {
    await prepared(this.db, sql.abandoned, this.#bindings(caller));
  }

  /**
   * The queue has let the caller go: nobody was there, the longest wait was over, it was full; `key`: the caller pressed one to
   * leave; `again`: its members were only on their way, and the caller goes back into it. app_queue calls some of that
   * abandoned, too, and says so before.
   */
  async unserved(caller: Caller, outcome: UnservedOutcome): Promise<void> {
    await prepared(this.db, sql.unserved, { ...this.#bindings(caller), outcome });
  }

  /** The queue rings the agent of a sign-in. Undefined, and nothing recorded: it is no queue of this node. */
  async offered(caller: Caller, offerId: string, signInId: number): Promise<KnownQueue | undefined> {
    const [queue] = await prepared<KnownQueue>(this.db, sql.offered, {
      ...this.#bindings(caller),
      offerId,
      signInId,
    });
    return queue;
  }

  /**
   * An agent, by number, has answered and is joined to the caller. Of a visit that somebody has answered already nothing
   * changes. `visit`: whether there is one; without, `joined` is to be told first.
   */
  async answered(
    caller: Caller,
    offerId: string,
    agent: string,
  ): Promise<(KnownQueue & { visit: boolean }) | undefined> {
    const [queue] = await prepared<KnownQueue & { visit: boolean; settled: boolean }>(this.db, sql.answered, {
      ...this.#bindings(caller),
      offerId,
      agent,
    });
    if (!queue) return undefined;
    const { settled, ...known } = queue;
    if (settled) this.counts?.add([{ ...namesIn(caller.queue), result: 'answered' }]);
    return known;
  }

  /** A colleague, in a call by its linkedid, asks the agent of a sign-in, whose phone is called by this channel. */
  async asked(call: string, offerId: string, signInId: number): Promise<void> {
    await prepared(this.db, sql.asked, { node: this.node, call, offerId, signInId });
  }

  /** Who was asked has answered, and talks with the colleague. */
  async askedAnswered(offerId: string): Promise<void> {
    await prepared(this.db, sql.askedAnswered, { node: this.node, offerId });
  }

  /**
   * The channels of these offers are gone: with one that was answered, the agent's part of the call is over. A result of
   * null says nothing. Returns the offers that this has ended: of the others, the beginning may not be recorded yet.
   */
  async offersEnded(offers: readonly { offerId: string; result: OfferResult | null }[]): Promise<string[]> {
    const rows = await prepared<
      { uniqueid: string } & Omit<SettledOffer, 'result'> & { result: SettledOffer['result'] | null }
    >(this.db, sql.offersEnded, { node: this.node, ended: JSON.stringify(offers) });
    this.counts?.add(
      rows.flatMap(({ team, group, result }) => (result === null ? [] : [{ team, group, result }])),
    );
    return rows.map(({ uniqueid }) => uniqueid);
  }

  /**
   * Calls are over, and their visits with them. Returns the calls that this has ended: of the others, the arrival may not
   * have been recorded yet.
   */
  async callsEnded(calls: readonly CallEnd[]): Promise<string[]> {
    const rows = await prepared<{ uniqueid: string }>(this.db, sql.callsEnded, {
      node: this.node,
      ended: JSON.stringify(calls),
    });
    return rows.map(({ uniqueid }) => uniqueid);
  }

  /**
   * Somebody at an extension, or of a ring group, has answered calls, so many seconds ago. Returns those of them that are
   * recorded: of the others, the arrival may not be yet.
   */
  async pickedUp(
    calls: readonly ({ uniqueid: string; secondsAgo: number } & WhoPickedUp)[],
  ): Promise<string[]> {
    const rows = await prepared<{ uniqueid: string }>(this.db, sql.pickedUp, {
      node: this.node,
      told: JSON.stringify(calls),
    });
    return rows.map(({ uniqueid }) => uniqueid);
  }

  /** Calls have reached ring groups: the last one stays. Returns those that are recorded. */
  async ringGroupsReached(
    calls: readonly { uniqueid: string; team: string; ringGroup: string }[],
  ): Promise<string[]> {
    const rows = await prepared<{ uniqueid: string }>(this.db, sql.ringGroupsReached, {
      node: this.node,
      told: JSON.stringify(calls),
    });
    return rows.map(({ uniqueid }) => uniqueid);
  }

  /**
   * By an attended transfer a call has taken the place that another one, by which its agent asked, has in a queue: its
   * visits are that call's from now on, with their own times. `channel` is what waits there now.
   */
  async merged(from: string, into: string, channel: string): Promise<void> {
    await prepared(this.db, sql.merged, { node: this.node, from, into, channel });
  }

  /** Those of these offers of which it is known that they were answered. */
  async answeredOffers(offerIds: readonly string[]): Promise<string[]> {
    const rows = await prepared<{ uniqueid: string }>(
      this.db,
      `select uniqueid from offers where node = ? and uniqueid = any(?::text[]) and answered_at is not null`,
      [this.node, [...offerIds]],
    );
    return rows.map(({ uniqueid }) => uniqueid);
  }

  /** What the database holds for under way on this node. */
  async open(): Promise<OpenRecords> {
    const [open] = await prepared<OpenRecords>(this.db, sql.open, { node: this.node });
    return open ?? { calls: [], offers: [], waiting: [] };
  }

  #bindings({ queue, uniqueid, linkedid }: Caller): Record<string, string> {
    return { node: this.node, ...namesIn(queue), uniqueid, linkedid };
  }
}

interface Joining {
  /** The caller's number, as the trunk gave it. */
  number: string | null;
  /** The place in the queue; 1: the first. */
  position: number | null;
  waitedSeconds: number;
}
