import type { HoldKind, HoldRecords, HoldTold, OpenHold } from '../../../domain/calls/records/holds.js';
import type { AmiMessage } from '../../ami/message.js';
import { phoneOf } from '../../queue/names.js';
import { dropOldest } from './endings.js';
import { deviceOfChannel } from './event-headers.js';

const everyMs = 100;
/** After PostgreSQL has not taken them. */
const againMs = 1000;
/** More than are ever on hold at once. */
const most = 20_000;

/** One time that a channel has its call on hold; moments on the monotonic clock. */
interface Interval {
  kind: HoldKind;
  at: number;
  endedAt?: number;
  hungUp: boolean;
  isNew: boolean;
  /** Until that has come to something it is not forgotten. */
  isBeingWritten?: boolean;
  row: number | null;
}

interface Holding {
  call: string;
  device: string;
  /** The last of them may go on; those before it are not written yet. */
  intervals: Interval[];
  /** The row that was written last. */
  row: number | null;
  /** Nothing more comes of it. */
  gone: boolean;
}

/**
 * When calls are on hold, by which phone, and when it asks somebody meanwhile, in calls of every kind. Asterisk tells Hold
 * and Unhold of the channel that holds, the same for the button of a phone, for a key that holds and for one that begins a
 * consultation. What follows tells them apart: whoever consults leaves the bridge of the call for another one, and is back
 * in it when they have come back, gone over to the caller, or made a conference of both. A phone that hangs up meanwhile has
 * no Unhold. Hold and Unhold while it is in the other bridge say nothing of the caller, who hears music all the time.
 */
export class Holds {
  /** By the channel that holds. */
  readonly #holding = new Map<string, Holding>();
  #timer: NodeJS.Timeout | undefined;

  constructor(
    private readonly records: Pick<HoldRecords, 'told' | 'open'>,
    /** Is to call `write` in its turn. */
    private readonly due: () => void,
  ) {}

  /** Takes a Hold, Unhold, BridgeEnter, AttendedTransfer or Hangup. */
  take({ name, headers }: AmiMessage): void {
    const uniqueid = headers.get('uniqueid') ?? '';
    const holding = this.#holding.get(uniqueid);
    const open = holding?.intervals.find(({ endedAt }) => endedAt === undefined);
    switch (name) {
      case 'Hold':
        if (open || uniqueid === '') return;
        this.#begins(uniqueid, headers.get('linkedid') ?? uniqueid, headers.get('channel') ?? '');
        return;
      case 'Unhold':
        if (open?.kind === 'hold') this.#ends(open, false);
        return;
      case 'BridgeEnter':
        // Of a conference room it says nothing: whoever is sent there left the call.
        if (!open || headers.get('bridgetype') !== 'basic') return;
        if (open.kind === 'consult') this.#ends(open, false);
        else this.#consults(open);
        return;
      case 'AttendedTransfer':
        this.#asked(headers);
        return;
      case 'Hangup':
        if (!holding) return;
        if (open) this.#ends(open, true);
        holding.gone = true;
        this.#forgetIfOver(uniqueid, holding);
    }
  }

  /** Another server watched before: what it saw begin goes on here, and what it saw end does not. In turn with `write`. */
  async adopt(): Promise<void> {
    const rows = await this.records.open();
    const known = new Set(rows.map(({ channel }) => channel));
    for (const [channel, { intervals }] of this.#holding)
      if (
        !known.has(channel) &&
        intervals.some(({ isNew }) => !isNew) &&
        !intervals.some(({ isNew }) => isNew)
      )
        this.#holding.delete(channel);
    for (const row of rows) {
      const holding = this.#holding.get(row.channel);
      // Of a channel that is known another server may have seen more: the next hold, while this one heard nothing.
      if (!holding || (holding.row !== row.id && !holding.intervals.some(({ isNew }) => isNew)))
        this.#adopt(row);
    }
  }

  /** Writes what is new, of each channel in its order. When it fails, everything is tried again. */
  async write(): Promise<void> {
    this.stop();
    for (;;) {
      const news = [...this.#holding].flatMap(([channel, holding]) => {
        const interval = holding.intervals.find(({ isNew }) => isNew);
        return interval ? [{ channel, holding, interval }] : [];
      });
      if (news.length === 0) return;
      await this.#write(news);
    }
  }

  async #write(news: readonly { channel: string; holding: Holding; interval: Interval }[]): Promise<void> {
    const now = performance.now();
    for (const { interval } of news) {
      interval.isNew = false;
      interval.isBeingWritten = true;
    }
    try {
      const rows = await this.records.told(
        news.map(({ channel, holding, interval }) => ({
          channel,
          call: holding.call,
          ...phoneBy(holding.device),
          kind: interval.kind,
          startedAgo: (now - interval.at) / 1000,
          endedAgo: interval.endedAt === undefined ? null : Math.max(0, (now - interval.endedAt) / 1000),
          hungUp: interval.hungUp,
          row: interval.row,
          after: holding.row,
        })),
      );
      for (const { channel, holding, interval } of news) {
        interval.isBeingWritten = false;
        interval.row = rows.get(channel) ?? null;
        holding.row = interval.row ?? holding.row;
        this.#forgetIfOver(channel, holding);
      }
    } catch (error) {
      for (const { interval } of news) {
        interval.isBeingWritten = false;
        interval.isNew = true;
      }
      this.#soon(againMs);
      throw error;
    }
  }

  /** Nothing more is written by itself. */
  stop(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
  }

  #begins(channel: string, call: string, name: string): void {
    const holding = this.#holding.get(channel) ?? {
      call,
      device: deviceOfChannel(name),
      intervals: [],
      row: null,
      gone: false,
    };
    // Of two calls that were joined both have the linkedid of the older one.
    holding.call = call;
    // Of one that was adopted only the channel is known.
    holding.device = deviceOfChannel(name);
    holding.intervals.push({ kind: 'hold', at: performance.now(), hungUp: false, isNew: true, row: null });
    this.#holding.set(channel, holding);
    dropOldest(this.#holding, most);
    this.#soon(everyMs);
  }

  #ends(interval: Interval, hungUp: boolean): void {
    interval.endedAt = performance.now();
    interval.hungUp = hungUp;
    interval.isNew = true;
    this.#soon(everyMs);
  }

  #consults(interval: Interval): void {
    interval.kind = 'consult';
    interval.isNew = true;
    this.#soon(everyMs);
  }

  /** A phone with two lines has asked on the other one, while this one was on hold. */
  #asked(headers: AmiMessage['headers']): void {
    const [first, second] = [headers.get('origtransfereruniqueid'), headers.get('secondtransfereruniqueid')];
    if (first === second || headers.get('result') !== 'Success') return;
    for (const channel of [first, second]) {
      const open = this.#holding.get(channel ?? '')?.intervals.find(({ endedAt }) => endedAt === undefined);
      if (open?.kind === 'hold') this.#consults(open);
    }
  }

  #adopt({ id, channel, call, kind, startedAgo }: OpenHold): void {
    const at = performance.now() - startedAgo * 1000;
    const interval: Interval = { kind, at, hungUp: false, isNew: false, row: id };
    this.#holding.set(channel, { call, device: '', intervals: [interval], row: id, gone: false });
  }

  /** Nothing is kept of what is written, but the row while the channel lives: its next hold comes after that one. */
  #forgetIfOver(channel: string, holding: Holding): void {
    holding.intervals = holding.intervals.filter(
      ({ endedAt, isNew, isBeingWritten }) => endedAt === undefined || isNew || isBeingWritten,
    );
    if (holding.intervals.length === 0 && holding.gone) this.#holding.delete(channel);
  }

  #soon(ms: number): void {
    this.#timer ??= setTimeout(() => {
      this.#timer = undefined;
      this.due();
    }, ms);
  }
}

/** The phone by what names it in the database. */
function phoneBy(device: string): Pick<HoldTold, 'team' | 'extension' | 'endpoint'> {
  const phone = phoneOf(device);
  if (phone) return { team: phone.team, extension: phone.extension };
  const [, endpoint] = /^PJSIP\/([A-Za-z0-9_.-]{1,60})$/.exec(device) ?? [];
  return endpoint === undefined ? {} : { endpoint };
}
