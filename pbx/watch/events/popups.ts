import type { Logger } from 'pino';
import type { PopupMemory } from '../../../domain/popups/popup-memory.js';
import type { PopupDue, PopupKind, PopupOutcome, PopupRecords } from '../../../domain/popups/records.js';
import { namesIn } from '../../../domain/calls/queue/queue.js';
import type { AmiMessage } from '../../ami/message.js';
import { callbackChannel } from '../../queue/callback-channel.js';
import { phoneOf } from '../../queue/names.js';
import { dropOldest } from './endings.js';
import { callerIn, deviceIn, deviceOfChannel, offerIn, phoneBy } from './event-headers.js';

export interface PopupTimes {
  /** The application shows the call while the phone rings: as soon as may be, and of many at a time. */
  firstMs: number;
  /** While the call is not recorded, and while nothing is to be opened. */
  everyMs: number;
  /** The same, once it has not been for `usuallyMs`. */
  lateEveryMs: number;
  usuallyMs: number;
  /** After PostgreSQL has not taken them. */
  againMs: number;
  /** A call is waited for so long: a server that is hard pressed records it late, and its binding with it. */
  lateMs: number;
  /** So long, when the phone has left it: what was told before is written by then. */
  goneMs: number;
}

export const popupTimes: PopupTimes = {
  firstMs: 20,
  everyMs: 100,
  lateEveryMs: 500,
  usuallyMs: 1000,
  againMs: 1000,
  lateMs: 10_000,
  goneMs: 1000,
};
/** More than are ever open at once. */
const most = 20_000;

/** Causes by which a phone that rings says no; see offer-result.ts. */
const refusals = new Set(['1', '17', '18', '19', '20', '21', '27']);

/** One popup as far as it was told; moments on the monotonic clock. */
interface PopupSoFar {
  /** What is to be decided; null: it is open, or `none`. */
  due: Waiting | null;
  /** Decided: there is none, however often the phone says that it rings. */
  none?: true;
  /** Undefined: another server has opened it. */
  kind?: PopupKind;
  answeredAt?: number;
  closedAt?: number;
  outcome: PopupOutcome | null;
  /** Something is not written yet. */
  isNew: boolean;
}

interface Waiting extends Omit<PopupDue, 'secondsAgo' | 'final'> {
  at: number;
  /** Until then a record of the call is waited for, and with it a binding. */
  final: number;
  /** Then there is no popup, if nothing is known of it. */
  until: number;
}

/**
 * Opens popups when a phone rings or calls outside, and tells their answers and ends: by the bridge that the channel of the
 * phone enters, and its hangup. Written behind the call and many at a time; of a team without an application, and of a phone
 * without agent mode, no statement is sent.
 */
export class Popups {
  /** By the channel of the phone. */
  readonly #popups = new Map<string, PopupSoFar>();
  #timer: NodeJS.Timeout | undefined;
  #writing = Promise.resolve();
  #atMs = Infinity;

  constructor(
    private readonly records: Pick<PopupRecords, 'due' | 'told' | 'open'>,
    private readonly memory: Pick<PopupMemory, 'hasApplication' | 'inAgentMode'>,
    /** Is to call `write` in its turn. */
    private readonly due: () => void,
    private readonly log: Pick<Logger, 'warn'>,
    private readonly times: PopupTimes = popupTimes,
  ) {}

  /** A queue rings a phone, or has joined it to a caller at once; `called`: the event with which the offer began. */
  offered(called: AmiMessage): void {
    const { queue, uniqueid, linkedid } = callerIn(called);
    if (!this.memory.hasApplication(namesIn(queue).team)) return;
    // Of who is called back there is no call yet.
    const isCall = !callbackChannel(uniqueid);
    this.#opens(offerIn(called), 'queue', deviceIn(called.headers.get('interface') ?? ''), {
      call: linkedid,
      caller: called.headers.get('calleridnum') ?? null,
      arrives: isCall && this.#arrives(called.headers.get('channel') ?? ''),
    });
  }

  /** A phone rings that no queue has called: a DialState. */
  rings({ headers }: AmiMessage): void {
    const device = deviceOfChannel(headers.get('destchannel') ?? '');
    if (!this.memory.inAgentMode(device)) return;
    const call = headers.get('linkedid') ?? '';
    // Phones of the team among themselves are in no call that has arrived, unless it is one that is sent on.
    if (!this.#arrives(headers.get('channel') ?? '') && call === headers.get('uniqueid')) return;
    // Rung for a click: what it is rung for follows.
    if (call === '') return;
    this.#opens(headers.get('destuniqueid') ?? '', 'direct', device, { call, caller: null, arrives: true });
  }

  /** Takes a UserEvent, BridgeEnter or AttendedTransfer; others, and what is no popup's, are passed over. */
  take({ name, headers }: AmiMessage): void {
    const header = (one: string): string => headers.get(one) ?? '';
    switch (name) {
      case 'UserEvent': {
        if (header('userevent') !== 'Star64AgentCall' || header('kind') !== 'out') return;
        const device = deviceIn(header('member'));
        if (header('step') !== 'calling' || !this.memory.inAgentMode(device)) return;
        const [channel, call] = [header('offer'), header('call')];
        this.#opens(channel, 'outbound', device, { call, caller: null, arrives: false });
        return;
      }
      case 'BridgeEnter':
        this.answered(header('uniqueid'));
        return;
      case 'AttendedTransfer': {
        // By the phone's own lines: who was asked as a colleague has the caller now.
        const device = deviceOfChannel(header('transfertargetchannel'));
        if (header('result') !== 'Success' || !this.memory.inAgentMode(device)) return;
        const channel = header('transfertargetuniqueid');
        this.#opens(channel, 'direct', device, {
          call: header('transfereelinkedid'),
          caller: null,
          arrives: true,
        });
        this.answered(channel);
      }
    }
  }

  /** The agent talks. */
  answered(channel: string): void {
    const popup = this.#popups.get(channel);
    if (!popup || popup.none || popup.answeredAt !== undefined) return;
    popup.answeredAt = performance.now();
    this.#isNew(popup);
  }

  /** The channel of a phone is gone; `result`: what came of an offer. */
  hungUp({ headers }: AmiMessage, result?: PopupOutcome | null): void {
    const channel = headers.get('uniqueid') ?? '';
    const popup = this.#popups.get(channel);
    if (popup?.none) this.#popups.delete(channel);
    if (!popup || popup.none || popup.closedAt !== undefined) return;
    popup.closedAt = performance.now();
    popup.outcome = result ?? outcomeOf(popup.kind, headers);
    const { due } = popup;
    if (due) due.final = due.until = Math.min(due.until, popup.closedAt + this.times.goneMs);
    this.#isNew(popup);
  }

  /** What other servers have opened is followed from now on, and what is over there no more. In turn with `write`. */
  async adopt(): Promise<void> {
    const open = new Set(await this.records.open());
    for (const [channel, { due, isNew }] of this.#popups)
      if (!due && !isNew && !open.has(channel)) this.#popups.delete(channel);
    for (const channel of open)
      if (!this.#popups.has(channel)) this.#popups.set(channel, { due: null, outcome: null, isNew: false });
    dropOldest(this.#popups, most);
  }

  /**
   * Writes what is new: first those that open, then what was told of those that are open. When it fails, it is tried again.
   * One at a time: whoever calls it last waits for those before.
   */
  write(): Promise<void> {
    this.#writing = this.#writing.catch(() => undefined).then(() => this.#write());
    return this.#writing;
  }

  async #write(): Promise<void> {
    this.stop();
    try {
      await this.#open();
      await this.#tell();
    } catch (error) {
      const { againMs, goneMs, lateMs } = this.times;
      for (const { due, closedAt } of this.#popups.values()) {
        const later = performance.now() + againMs + (closedAt === undefined ? lateMs : goneMs);
        if (due) Object.assign(due, { final: Math.max(due.final, later), until: Math.max(due.until, later) });
      }
      this.#soon(againMs);
      throw error;
    }
    const { everyMs, lateEveryMs, usuallyMs } = this.times;
    const youngest = Math.max(...[...this.#popups.values()].map(({ due }) => due?.at ?? -Infinity));
    if (youngest > -Infinity) this.#soon(performance.now() - youngest < usuallyMs ? everyMs : lateEveryMs);
  }

  /** Nothing more is written by itself. */
  stop(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    this.#atMs = Infinity;
  }

  async #open(): Promise<void> {
    const now = performance.now();
    const told = [...this.#popups].flatMap(([channel, { due }]) => (due ? [{ channel, due }] : []));
    if (told.length === 0) return;
    const decided = await this.records.due(
      told.map(({ due: { at, final, until: _until, ...due } }) => ({
        ...due,
        final: now >= final,
        secondsAgo: (now - at) / 1000,
      })),
    );
    for (const { channel, due } of told) {
      const popup = this.#popups.get(channel);
      const open = decided.get(channel) ?? (now >= due.until ? false : undefined);
      if (!popup || open === undefined) continue;
      const { call, kind, team } = due;
      if (!decided.has(channel))
        this.log.warn({ channel, call, kind, team }, 'a call was not recorded in time: it has no popup');
      else if (open && due.arrives && now >= due.final)
        this.log.warn(
          { channel, call, kind, team },
          'a call was not recorded in time: its popup knows no binding',
        );
      popup.due = null;
      if (open) continue;
      if (popup.closedAt === undefined) popup.none = true;
      else this.#popups.delete(channel);
    }
  }

  async #tell(): Promise<void> {
    const now = performance.now();
    const ago = (at: number | undefined): number | null => (at === undefined ? null : (now - at) / 1000);
    const news = [...this.#popups].filter(([, { due, none, isNew }]) => isNew && !due && !none);
    if (news.length === 0) return;
    for (const [, popup] of news) popup.isNew = false;
    try {
      await this.records.told(
        news.map(([channel, { answeredAt, closedAt, outcome }]) => ({
          channel,
          answeredAgo: ago(answeredAt),
          closedAgo: ago(closedAt),
          outcome,
        })),
      );
    } catch (error) {
      for (const [, popup] of news) popup.isNew = true;
      throw error;
    }
    for (const [channel, { closedAt, isNew }] of news)
      if (closedAt !== undefined && !isNew) this.#popups.delete(channel);
  }

  /** Whether a call comes from outside that has this channel: it does not begin at a phone of a team. */
  #arrives(channel: string): boolean {
    const device = deviceOfChannel(channel);
    return !phoneOf(device) && !this.memory.inAgentMode(device);
  }

  #opens(
    channel: string,
    kind: PopupKind,
    device: string,
    facts: Pick<PopupDue, 'call' | 'caller' | 'arrives'>,
  ): void {
    if (channel === '' || this.#popups.has(channel)) return;
    const at = performance.now();
    const { firstMs, lateMs, usuallyMs } = this.times;
    // Of who is called back, and of phones among themselves, no number is told later.
    const waits = facts.arrives || kind === 'outbound';
    const due: Waiting = {
      channel,
      kind,
      ...facts,
      ...phoneBy(device),
      at,
      final: at + (waits ? lateMs : usuallyMs),
      until: at + lateMs,
    };
    this.#popups.set(channel, { due, kind, outcome: null, isNew: false });
    dropOldest(this.#popups, most);
    this.#soon(firstMs);
  }

  #isNew(popup: PopupSoFar): void {
    popup.isNew = true;
    this.#soon(this.times.everyMs);
  }

  /** An earlier moment than the one that is set comes first. */
  #soon(ms: number): void {
    const atMs = performance.now() + ms;
    if (atMs >= this.#atMs) return;
    this.stop();
    this.#atMs = atMs;
    this.#timer = setTimeout(() => {
      this.stop();
      this.due();
    }, ms);
  }
}

/** What became of a call without an answer that no queue gave. */
function outcomeOf(kind: PopupKind | undefined, headers: AmiMessage['headers']): PopupOutcome {
  const [state, cause] = [headers.get('channelstatedesc'), headers.get('cause') ?? ''];
  if (kind === 'outbound' || state === 'Ring') return 'unanswered';
  // Answered elsewhere, or picked up too late. Of a popup that another server has opened an answer stands in its row.
  if (cause === '26' || state === 'Up') return 'cancelled';
  return refusals.has(cause) ? 'rejected' : 'missed';
}
