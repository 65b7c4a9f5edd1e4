import { isUnanswered } from '../../../domain/calls/queue/missed.js';
import type { OfferResult } from '../../../domain/calls/queue/offer-counts.js';
import type { CallEnd, CallRecords, Caller, WhoPickedUp } from '../../../domain/calls/records/records.js';
import { phoneOf } from '../../queue/names.js';

const everyMs = 100;
/** After PostgreSQL has not taken them. */
const againMs = 1000;
/**
 * So often an end is tried: another server records a beginning within this second, unless PostgreSQL was away. Tries and no
 * moment: a process or a PostgreSQL that stood still has tried nothing meanwhile.
 */
const mostTries = 10;
/** With PostgreSQL away for long the reconciliation finds them. */
const keep = 10_000;

/** What was told of a call or offer, when, on the monotonic clock, and how often it was tried to write it down. */
interface Told<T> {
  what: T;
  readonly at: number;
  tries: number;
}

/** What else waits to be written down. */
export interface Others {
  /** Is to call `write` in its turn. */
  due: () => void;
  /** Whether something of this call is: its end comes behind that. */
  isUnderWay: (uniqueid: string) => boolean;
  /** All of it that was told before this moment, on the monotonic clock, is written. */
  doneUntil: () => number;
}

/** The end of a call, and since when everything that happened was seen; null: of this call that says nothing. */
type SeenEnd = Omit<CallEnd, 'watchedSeconds'> & { watchedSince: number | null };

/**
 * What is over, calls, offers and waits in a queue, and that a call to an extension is answered, is written a moment later and all together: a statement for each
 * kind, however many there are. A short call may be over before another server has recorded its arrival: its end is
 * tried again for a while.
 */
export class Endings {
  #calls = new Map<string, Told<SeenEnd>>();
  #offers = new Map<string, Told<OfferResult | null>>();
  /** When calls to an extension or a ring group were answered, on the monotonic clock, and where. */
  #pickedUp = new Map<string, Told<{ at: number; by: WhoPickedUp }>>();
  /** Ring groups that calls have reached. */
  #ringGroups = new Map<string, Told<{ team: string; ringGroup: string }>>();
  #left = new Map<string, Caller>();
  /** Calls in which somebody may have spoken. */
  readonly #spoken = new Set<string>();
  #timer: NodeJS.Timeout | undefined;

  constructor(
    private readonly records: CallRecords,
    private readonly others: Others,
    /** Told of offers that are written down as refused or not answered. */
    private readonly unanswered: (offerIds: readonly string[]) => void,
  ) {}

  /** The channel of a caller is gone. */
  call(call: SeenEnd): void {
    this.#tell(this.#calls, call.uniqueid, call);
  }

  /** A channel that had answered is gone from this call: somebody may have spoken, whoever has told of it. */
  spoken(call: string): void {
    this.#spoken.add(call);
    dropOldest(this.#spoken, keep);
  }

  /** The channel to an agent's phone is gone. */
  offer(uniqueid: string, result: OfferResult | null): void {
    this.#tell(this.#offers, uniqueid, result);
  }

  /** A call to an extension, or to a ring group, is answered at this moment, by a device. */
  pickedUp(uniqueid: string, device: string): void {
    this.#tell(this.#pickedUp, uniqueid, { at: performance.now(), by: whoPickedUp(device) });
  }

  /** A call has reached a ring group. */
  ringGroup(uniqueid: string, reached: { team: string; ringGroup: string }): void {
    this.#tell(this.#ringGroups, uniqueid, reached);
  }

  #tell<T>(waiting: Map<string, Told<T>>, uniqueid: string, what: T): void {
    waiting.set(uniqueid, { what, at: performance.now(), tries: 0 });
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
      await this.#write(this.#offers, async (offers) => {
        const told = offers.map(([offerId, { what }]) => ({ offerId, result: what }));
        const ended = await this.records.offersEnded(told);
        const unanswered = new Set(told.flatMap((one) => (isUnanswered(one.result) ? [one.offerId] : [])));
        this.unanswered(ended.filter((offerId) => unanswered.has(offerId)));
        return ended;
      });
      const now = performance.now();
      await this.#write(this.#pickedUp, (calls) =>
        this.records.pickedUp(
          calls.map(([uniqueid, { what }]) => ({ uniqueid, secondsAgo: (now - what.at) / 1000, ...what.by })),
        ),
      );
      await this.#write(this.#ringGroups, (calls) =>
        this.records.ringGroupsReached(calls.map(([uniqueid, { what }]) => ({ uniqueid, ...what }))),
      );
      const ended = [...this.#calls.keys()];
      await this.#write(this.#calls, (calls) =>
        this.records.callsEnded(
          calls.map(
            ([
              uniqueid,
              {
                what: { watchedSince: since, ...what },
              },
            ]) => ({
              ...what,
              watchedSeconds: since === null || this.#spoken.has(uniqueid) ? null : (now - since) / 1000,
            }),
          ),
        ),
      );
      for (const call of ended) if (!this.#calls.has(call)) this.#spoken.delete(call);
    } catch (error) {
      // Arrivals wait for PostgreSQL as well: the time for them runs from when it is back.
      for (const told of this.#kept.flatMap((waiting) => [...waiting.values()])) told.tries = 0;
      this.#left = new Map([...left, ...this.#left]);
      for (const waiting of [this.#left, ...this.#kept]) dropOldest(waiting, keep);
      this.#soon(againMs);
      throw error;
    }
    if (this.#kept.some(({ size }) => size > 0)) this.#soon(everyMs);
  }

  /** Writes what waits, and forgets what is done, and that of which there is no beginning. */
  async #write<T>(
    waiting: Map<string, Told<T>>,
    record: (told: [string, Told<T>][]) => Promise<string[]>,
  ): Promise<void> {
    const told = [...waiting].filter(([uniqueid]) => !this.others.isUnderWay(uniqueid));
    if (told.length === 0) return;
    const done = this.others.doneUntil();
    const before = new Map(told);
    // What was told of one meanwhile is to be written as well.
    for (const uniqueid of await record(told))
      if (waiting.get(uniqueid) === before.get(uniqueid)) waiting.delete(uniqueid);
    for (const [uniqueid, one] of told) {
      // Its beginning may be one of those that wait here.
      if (one.at < done) one.tries++;
      if (one.tries >= mostTries && waiting.get(uniqueid) === one) waiting.delete(uniqueid);
    }
  }

  get #kept(): Map<string, Told<unknown>>[] {
    return [this.#offers, this.#pickedUp, this.#ringGroups, this.#calls];
  }

  /** Nothing more is written by itself. */
  stop(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
  }

  #soon(ms: number): void {
    this.#timer ??= setTimeout(() => {
      this.#timer = undefined;
      this.others.due();
    }, ms);
  }
}

/** Who is at a device, as the records know them: `PJSIP/astercc-5000`, `Local/4915112345678@astercc-confirm`. */
function whoPickedUp(device: string): WhoPickedUp {
  const phone = phoneOf(device);
  if (phone) return { extension: phone.extension };
  const [, outside] = /^Local\/([0-9]{2,20})@[a-z0-9]+-confirm$/.exec(device) ?? [];
  if (outside !== undefined) return { outside };
  const [, endpoint] = /^PJSIP\/([A-Za-z0-9_.-]{1,60})$/.exec(device) ?? [];
  return endpoint === undefined ? {} : { endpoint };
}

/** Lets go of the oldest beyond `most`. */
export function dropOldest(waiting: Map<string, unknown> | Set<string>, most: number): void {
  for (const key of waiting.keys()) {
    if (waiting.size <= most) return;
    waiting.delete(key);
  }
}
