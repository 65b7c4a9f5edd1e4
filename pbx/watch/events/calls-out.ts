import type {
  CallOutBegun,
  CallOutOutcome,
  CallOutRecords,
  CallTry,
  EndingSide,
} from '../../../domain/calls/outbound/calls-out-records.js';
import type { AmiMessage } from '../../ami/message.js';
import { callerBy, outcomeOfCallOut, sideIn, tryOf, wholeIn } from './call-out-event.js';
import { dropOldest } from './endings.js';

const everyMs = 100;
/** After PostgreSQL has not taken them. */
const againMs = 1000;
/** While the beginning of a call is not recorded, each time twice as long, up to this. */
const longestMs = 1000;
/** No beginning is recorded later than this, unless PostgreSQL was away. */
const beginningsLateMs = 10_000;
/** The server that decides about a call records its beginning; when it has not until then, this one does. */
const byServerMs = 5000;
/** More than are ever open at once: ends that another server sees leave their beginnings here. */
const most = 20_000;

/** A call to the outside as far as it was told; moments on the monotonic clock. */
interface CallSoFar {
  uniqueid: string;
  team: string;
  begun?: Omit<CallOutBegun, 'secondsAgo'> & { at: number; asked: boolean };
  begunWritten: boolean;
  ringingAt?: number;
  answeredAt?: number;
  leg?: string;
  /** Channels to trunks of numbers that have answered after that one. */
  further: Set<string>;
  legEndedAt?: number;
  endedAt?: number;
  /** The channel that began it is gone. */
  gone?: true;
  talked?: number;
  outcome?: CallOutOutcome;
  refused?: string;
  cause?: number;
  endedBy?: EndingSide;
  trunk?: string;
  /** Those that are not written yet. */
  tries: (Omit<CallTry, 'secondsAgo'> & { at: number })[];
  last?: CallTry['outcome'];
  /** The last SIP answer. */
  code: number | null;
  /** Until when its beginning may still be recorded, and when it is looked for again. */
  until: number;
  waitMs: number;
}

/**
 * What the dialplan tells of calls to the outside, a moment later and many at a time. All that is known of a call is
 * written each time: whoever has written it before, and however often, it is one record.
 */
export class CallsOutWatch {
  readonly #calls = new Map<string, CallSoFar>();
  /** Those of which something is not written yet. */
  #news = new Set<CallSoFar>();
  /** Those that are being written: until that has come to something they are not forgotten. */
  readonly #beingWritten = new Set<CallSoFar>();
  /** Calls by the channels to the trunks. */
  readonly #legs = new Map<string, string>();
  /** Ends of channels that may be to a trunk, of calls whose answer another server saw. */
  readonly #otherLegs = new Map<string, number>();
  #timer: NodeJS.Timeout | undefined;

  constructor(
    private readonly records: CallOutRecords,
    /** Is to call `write` in its turn. */
    private readonly due: () => void,
    private readonly settings = { byServerMs },
  ) {}

  /** Takes one UserEvent; others than these are passed over. */
  take({ headers }: AmiMessage): void {
    const header = (name: string): string => headers.get(name) ?? '';
    const uniqueid = header('uniqueid');
    switch (header('userevent')) {
      case 'Star64Out': {
        const call = this.#call(uniqueid, header('team'));
        const text = (name: string): string | null => header(name) || null;
        call.begun ??= {
          uniqueid,
          team: header('team'),
          dialled: header('dialled'),
          number: text('number'),
          class: text('class'),
          refused: text('refused'),
          ...callerBy(header('phone'), header('team')),
          decided: false,
          asked: header('asked') === 'yes',
          at: performance.now(),
        };
        return;
      }
      case 'Star64Try':
        this.#tried(uniqueid, header);
        return;
      case 'Star64OutEnd': {
        const call = this.#call(uniqueid, header('team'));
        const cause = wholeIn(header('cause'));
        const endedBy = sideIn(header('endedby'));
        const talked = wholeIn(header('talked'));
        call.endedAt ??= performance.now();
        if (cause) call.cause = cause;
        if (endedBy) call.endedBy = endedBy;
        if (talked) call.talked = talked;
        const refused = header('refused') || call.begun?.refused || null;
        if (refused !== null) call.refused = refused;
        call.outcome =
          call.answeredAt !== undefined || header('status') === 'ANSWER' || (talked ?? 0) > 0
            ? 'answered'
            : outcomeOfCallOut({ refused, last: call.last, code: call.code, cause, endedBy });
      }
    }
  }

  /** A number outside rings: app_dial tells it of the channel that calls, and of the one to the trunk. */
  rings({ headers }: AmiMessage): void {
    const uniqueid = headers.get('uniqueid') ?? '';
    if (!this.#calls.has(uniqueid)) return;
    this.#legs.set(headers.get('destuniqueid') ?? '', uniqueid);
    dropOldest(this.#legs, most);
    if (/^(RINGING|PROGRESS)$/.test(headers.get('dialstatus') ?? ''))
      this.#call(uniqueid, '').ringingAt ??= performance.now();
  }

  /** Whether a call to the outside of this channel was told of, of which not everything is recorded. */
  knows(uniqueid: string): boolean {
    return this.#calls.has(uniqueid);
  }

  /** Whether a channel is one to a trunk, of a call that is under way. */
  isLeg(uniqueid: string): boolean {
    return this.#legs.has(uniqueid);
  }

  /** A channel is gone that may be one to a trunk. */
  ended(uniqueid: string): void {
    const known = this.#calls.get(this.#legs.get(uniqueid) ?? '');
    this.#legs.delete(uniqueid);
    if (known && known.leg !== uniqueid && !known.further.has(uniqueid)) return;
    if (known?.leg === uniqueid) this.#call(known.uniqueid, '').legEndedAt ??= performance.now();
    // Of a call of which this server has not seen everything, another number may be the first that answered.
    this.#otherLegs.set(uniqueid, performance.now());
    dropOldest(this.#otherLegs, most);
    this.#soon(everyMs);
  }

  /** The channel that began a call is gone: of a call without a beginning nothing else tells its end. */
  over(uniqueid: string): void {
    const call = this.#calls.get(uniqueid);
    if (!call) return;
    call.gone = true;
    this.#forgetIfOver(call);
  }

  #tried(uniqueid: string, header: (name: string) => string): void {
    const names = ['position', 'trunk', 'sent', 'milliseconds', 'code', 'cause', 'outcome', 'at'] as const;
    const told = Object.fromEntries(names.map((name) => [name, header(name)]));
    const one = tryOf(told as Parameters<typeof tryOf>[0], 0);
    if (!one) return;
    // An answer is told at that moment, by the channel to the trunk; everything else by the one that calls.
    const from = this.#calls.has(uniqueid) ? uniqueid : (this.#legs.get(uniqueid) ?? header('call'));
    const call = this.#call(from, header('team'));
    const { secondsAgo, ...rest } = one;
    const now = performance.now();
    const leg = one.outcome === 'answered' && from !== uniqueid ? uniqueid : null;
    if (!call.tries.some(({ key }) => key === one.key))
      call.tries.push({ ...rest, leg, at: now - secondsAgo * 1000 });
    call.last = one.outcome;
    call.code = one.code;
    if (one.outcome === 'answered' || one.outcome === 'ended') call.trunk = one.trunk;
    if (leg === null) return;
    call.leg ??= leg;
    if (call.leg !== leg) call.further.add(leg);
    call.answeredAt ??= now;
    call.outcome = 'answered';
    this.#legs.set(leg, from);
  }

  #call(uniqueid: string, team: string): CallSoFar {
    const call = this.#calls.get(uniqueid) ?? {
      uniqueid,
      team,
      begunWritten: false,
      further: new Set<string>(),
      tries: [],
      code: null,
      until: 0,
      waitMs: everyMs,
    };
    this.#news.add(call);
    call.until = performance.now() + beginningsLateMs;
    call.waitMs = everyMs;
    this.#calls.set(uniqueid, call);
    dropOldest(this.#calls, most);
    this.#soon(everyMs);
    return call;
  }

  /** Writes what is new. When it fails, everything is tried again. */
  async write(): Promise<void> {
    this.stop();
    const news = [...this.#news].filter((call) => this.#calls.get(call.uniqueid) === call);
    this.#news = new Set();
    const legs = [...this.#otherLegs];
    const now = performance.now();
    const ago = (at: number | undefined): number | null => (at === undefined ? null : (now - at) / 1000);
    const sent = new Map(news.map((call) => [call, call.tries]));
    for (const call of news) {
      call.tries = [];
      this.#beingWritten.add(call);
    }
    try {
      const begun = news.filter(
        (call) =>
          call.begun &&
          !call.begunWritten &&
          (!call.begun.asked || now - call.begun.at >= this.settings.byServerMs),
      );
      if (begun.length > 0)
        await this.records.begun(
          begun.flatMap(({ begun }) => (begun ? [{ ...begun, secondsAgo: ago(begun.at) ?? 0 }] : [])),
        );
      for (const call of begun) call.begunWritten = true;
      const told = news.map((call) => ({
        uniqueid: call.uniqueid,
        team: call.team,
        ringingAgo: ago(call.ringingAt),
        answeredAgo: ago(call.answeredAt),
        leg: call.leg ?? null,
        legEndedAgo: ago(call.legEndedAt),
        endedAgo: ago(call.endedAt),
        final: false,
        talked: call.talked ?? null,
        outcome: call.outcome ?? null,
        refused: call.refused ?? null,
        cause: call.cause ?? null,
        endedBy: call.endedBy ?? null,
        trunk: call.trunk ?? null,
        tries: (sent.get(call) ?? []).map(({ at, ...one }) => ({ ...one, secondsAgo: ago(at) ?? 0 })),
      }));
      const known = new Set(told.length > 0 ? await this.records.told(told) : []);
      for (const call of news) {
        this.#beingWritten.delete(call);
        if (known.has(call.uniqueid)) {
          call.begunWritten ||= call.begun?.asked === true;
          sent.delete(call);
          this.#forgetIfOver(call);
        } else if (now < call.until) {
          call.waitMs = Math.min(2 * call.waitMs, longestMs);
          this.#again(call, sent);
        } else this.#calls.delete(call.uniqueid);
      }
      if (legs.length > 0)
        await this.records.legsEnded(legs.map(([leg, at]) => ({ leg, secondsAgo: (now - at) / 1000 })));
      for (const [leg] of legs) this.#otherLegs.delete(leg);
    } catch (error) {
      for (const call of news) {
        this.#beingWritten.delete(call);
        this.#again(call, sent);
        call.until = performance.now() + againMs + beginningsLateMs;
      }
      this.#soon(againMs);
      throw error;
    }
    if (this.#news.size > 0) this.#soon(Math.min(...[...this.#news].map(({ waitMs }) => waitMs)));
  }

  #again(call: CallSoFar, sent: Map<CallSoFar, CallSoFar['tries']>): void {
    call.tries = [...(sent.get(call) ?? []), ...call.tries];
    sent.delete(call);
    this.#news.add(call);
  }

  /** Nothing more is written by itself. */
  stop(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
  }

  /** Nothing more comes of a call once its channel, and that to the trunk, are gone. */
  #forgetIfOver(call: CallSoFar): void {
    // Of a number that is rung for a caller, with no call to the outside of its own, no end is told.
    const left =
      call.endedAt !== undefined ||
      call.begun?.refused != null ||
      (!call.begun && (call.legEndedAt !== undefined || call.gone === true));
    const talks = call.leg !== undefined && call.legEndedAt === undefined;
    const over = left && !talks && !this.#news.has(call) && !this.#beingWritten.has(call);
    if (!over) return;
    this.#calls.delete(call.uniqueid);
    if (call.leg !== undefined) this.#legs.delete(call.leg);
  }

  #soon(ms: number): void {
    this.#timer ??= setTimeout(() => {
      this.#timer = undefined;
      this.due();
    }, ms);
  }
}
