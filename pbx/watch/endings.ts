import { isUnanswered } from '../../domain/calls/missed.js';
import { CallRecords, type Caller, type OfferResult } from '../../domain/calls/records.js';

const everyMs = 100;
/** After PostgreSQL has not taken them. */
const againMs = 1000;
/** No beginning is recorded later than this, unless PostgreSQL was away. */
const beginningsLateMs = 1000;
/** With PostgreSQL away for long the reconciliation finds them. */
const keep = 10_000;

interface Ended {
  /** On the monotonic clock. */
  since: number;
  result: OfferResult | null;
}

/**
 * What is over, calls, offers and waits in a queue, is written a moment later and all together: a statement for each
 * kind, however many there are. A short call may be over before another server has recorded its arrival: its end is
 * tried again for a while.
 */
export class Endings {
  #calls = new Map<string, Ended>();
  #offers = new Map<string, Ended>();
  #left = new Map<string, Caller>();
  #timer: NodeJS.Timeout | undefined;

  constructor(
    private readonly records: CallRecords,
    /** Is to call `write` in its turn. */
    private readonly due: () => void,
    /** Told of offers that are written down as refused or not answered. */
    private readonly unanswered: (offerIds: readonly string[]) => void,
  ) {}

  /** The channel of a caller is gone. */
  call(uniqueid: string): void {
    this.#calls.set(uniqueid, { since: performance.now(), result: null });
    this.#soon(everyMs);
  }

  /** The channel to an agent's phone is gone. */
  offer(uniqueid: string, result: OfferResult | null): void {
    this.#offers.set(uniqueid, { since: performance.now(), result });
    this.#soon(everyMs);
  }

  /** A channel has left its queue: answered, as is known by the time when it is written, or not. */
  left(caller: Caller): void {
    this.#left.set(caller.uniqueid, caller);
    this.#soon(everyMs);
  }

  /** Writes at once that this channel has left a queue, if it has: it joins one again. */
  async writeLeft(uniqueid: string): Promise<void> {
    const caller = this.#left.get(uniqueid);
    if (!caller) return;
    this.#left.delete(uniqueid);
    await this.records.left([caller]);
  }

  /** Writes what waits. When it fails, everything is tried again. */
  async write(): Promise<void> {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    const left = this.#left;
    this.#left = new Map();
    try {
      if (left.size > 0) await this.records.left([...left.values()]);
      left.clear();
      await this.#end(this.#offers, async (offers) => {
        const told = offers.map(([offerId, { result }]) => ({ offerId, result }));
        const ended = await this.records.offersEnded(told);
        const unanswered = new Set(told.flatMap((one) => (isUnanswered(one.result) ? [one.offerId] : [])));
        this.unanswered(ended.filter((offerId) => unanswered.has(offerId)));
        return ended;
      });
      await this.#end(this.#calls, (calls) =>
        this.records.callsEnded(
          calls.map(([uniqueid]) => uniqueid),
          'seen',
        ),
      );
    } catch (error) {
      // Arrivals wait for PostgreSQL as well: the time for them runs from when it is back.
      for (const ended of [...this.#offers.values(), ...this.#calls.values()])
        ended.since = performance.now() + againMs;
      this.#left = new Map([...left, ...this.#left]);
      for (const waiting of [this.#left, this.#offers, this.#calls]) dropOldest(waiting);
      this.#soon(againMs);
      throw error;
    }
    if (this.#offers.size + this.#calls.size > 0) this.#soon(everyMs);
  }

  /** Nothing more is written by itself. */
  stop(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
  }

  async #end(
    waiting: Map<string, Ended>,
    end: (ended: [string, Ended][]) => Promise<string[]>,
  ): Promise<void> {
    if (waiting.size === 0) return;
    const told = [...waiting];
    for (const uniqueid of await end(told)) waiting.delete(uniqueid);
    const tooLate = performance.now() - beginningsLateMs;
    for (const [uniqueid, { since }] of told) if (since < tooLate) waiting.delete(uniqueid);
  }

  #soon(ms: number): void {
    this.#timer ??= setTimeout(() => {
      this.#timer = undefined;
      this.due();
    }, ms);
  }
}

function dropOldest(waiting: Map<string, unknown>): void {
  for (const key of waiting.keys()) {
    if (waiting.size <= keep) return;
    waiting.delete(key);
  }
}
