import type { Logger } from 'pino';
import { CallOutRecords } from '../../../domain/calls/outbound/calls-out-records.js';
import { HoldRecords } from '../../../domain/calls/records/holds.js';
import { clickAnswered, clickedBy, clickOver } from '../../../domain/calls/commands/click-records.js';
import type { OfferCounts } from '../../../domain/calls/queue/offer-counts.js';
import { CallRecords, type Caller } from '../../../domain/calls/records/records.js';
import type { CallStep } from '../../../domain/calls/records/steps.js';
import { recordSupervisionStep } from '../../../domain/calls/commands/supervision.js';
import { type Database } from '../../../domain/database/pool.js';
import type { PopupMemory } from '../../../domain/popups/popup-memory.js';
import { PopupRecords } from '../../../domain/popups/records.js';
import type { AmiMessage } from '../../ami/message.js';
import { callbackChannel } from '../../queue/callback-channel.js';
import { phoneOf } from '../../queue/names.js';
import { CallsOutWatch } from './calls-out.js';
import { AgentCalls } from './agent-calls.js';
import { dropOldest, Endings } from './endings.js';
import { clickResultOf } from './click-result.js';
import { Consults } from './consults.js';
import { callerIn, deviceIn, deviceOfChannel, offerIn } from './event-headers.js';
import { forPhoneOf, type ForPhone } from './for-phone.js';
import { Holds } from './holds.js';
import { resultOf, type OfferSoFar } from './offer-result.js';
import { OrderedWork, type Work } from './ordered-work.js';
import { Popups } from './popups.js';
import { QueueCalls } from './queue-calls.js';
import { supervisionStepIn } from './supervision-step.js';
import { Unqueued } from './unqueued.js';

/** More than are ever open at once: ends that another server sees leave their beginnings here. */
const most = 20_000;

/** Told of what the observer takes, or asked by it. */
export interface ObserverHooks {
  deadlineSet: () => void;
  /** An event could not be recorded. */
  missed: () => void;
  /** Offers that were refused or not answered, by their channels' uniqueids. */
  unanswered?: (offerIds: readonly string[]) => void;
  /** Something happened to a call that its visits and offers do not say. */
  step?: (step: CallStep) => void;
  /** Which calls may have a popup; without it none has. */
  popups?: PopupMemory;
  /** Counts what becomes of offers. */
  offers?: OfferCounts;
}

/**
 * Turns the events of one Asterisk node into states of agents and rows of calls. Events are hints: what is missed, or
 * comes while PostgreSQL is away, is found by the reconciliation.
 */
export class Observer {
  readonly #work: OrderedWork;
  readonly #forPhone: ForPhone;
  /** Callers that joined a queue: their channel need not be the first of its call. */
  readonly #queued = new Set<string>();
  /** Callers who have left a queue without an answer, and have not hung up yet. */
  readonly #gaveUp = new Map<string, Caller>();
  /** Offers that ring or talk. */
  readonly #offers = new Map<string, OfferSoFar>();
  readonly #records: CallRecords;
  readonly #queues: QueueCalls;
  readonly #endings: Endings;
  readonly #unqueued: Unqueued;
  readonly #callsOut: CallsOutWatch;
  readonly #holds: Holds;
  readonly #calls: AgentCalls;
  readonly #consults: Consults;
  readonly #popups: Popups | undefined;
  /** Since when every event is taken, on the monotonic clock; null: not known. */
  #since: number | null = null;

  constructor(
    private readonly db: Database,
    private readonly node: string,
    log: Logger,
    private readonly hooks: ObserverHooks,
  ) {
    this.#forPhone = forPhoneOf(db, node);
    this.#work = new OrderedWork(log, () => this.hooks.missed());
    this.#records = new CallRecords(db, node, hooks.offers);
    const ends = (): void => this.#addEnds();
    this.#endings = new Endings(
      this.#records,
      {
        due: ends,
        isUnderWay: (uniqueid) => this.#work.has(uniqueid),
        doneUntil: () => this.#work.doneUntil('ends'),
      },
      (offerIds) => this.hooks.unanswered?.(offerIds),
    );
    this.#queues = new QueueCalls(db, node, log, this.#records, this.#endings, () =>
      this.hooks.deadlineSet(),
    );
    this.#callsOut = new CallsOutWatch(new CallOutRecords(db, node), ends);
    this.#holds = new Holds(new HoldRecords(db, node), ends);
    this.#popups = hooks.popups && new Popups(new PopupRecords(db, node), hooks.popups, ends, log);
    this.#calls = new AgentCalls(db, this.#forPhone, this.hooks);
    this.#consults = new Consults(this.#records, this.#forPhone, this.#endings);
    this.#unqueued = new Unqueued(this.#endings, (step) => this.hooks.step?.(step));
  }

  /** From now on every event is taken: of what happened before, some may have been lost. */
  watches(): void {
    this.#since = performance.now();
  }

  /** Takes one event. Never throws. */
  take(event: AmiMessage): void {
    const work = this.#workFor(event);
    if (work) this.#work.add(work);
  }

  /** Resolves when the states and calls of the events taken so far are in the database, or have failed to get there. */
  async caughtUp(): Promise<void> {
    await this.#work.caughtUp();
    // Behind what of them is being written: until that is done nothing would be left to write.
    this.#addEnds();
    await this.#work.caughtUp();
  }

  /** Resolves when everything taken so far is in the database, or has failed to get there. */
  async settled(): Promise<void> {
    await this.#work.settled();
    this.#addEnds();
    // Also what a timer of one of them has begun meanwhile.
    await this.#work.settled();
    this.#endings.stop();
    this.#callsOut.stop();
    this.#holds.stop();
    this.#popups?.stop();
  }

  /** Another server has watched until now, or the reconciliation has mended something: what goes on is known from then on. */
  adopt(): void {
    this.#work.add({ key: 'ends', run: () => this.#holds.adopt() });
    const popups = this.#popups;
    if (popups) this.#work.add({ key: 'ends', run: () => popups.adopt() });
  }

  #addEnds(): void {
    this.#work.add({ key: 'ends', run: () => this.#writeEnds() });
  }

  /** Each for itself: what one of them is refused keeps none of the others from being written. */
  async #writeEnds(): Promise<void> {
    let failure: Error | undefined;
    for (const ends of [this.#callsOut, this.#endings, this.#holds, this.#popups])
      await ends?.write().catch((error: unknown) => (failure ??= error as Error));
    if (failure) throw failure;
  }

  #workFor(event: AmiMessage): Work | undefined {
    const uniqueid = event.headers.get('uniqueid') ?? '';
    switch (event.name) {
      case 'AgentCalled': {
        const offer: OfferSoFar = { called: event };
        this.#offers.set(offerIn(event), offer);
        dropOldest(this.#offers, most);
        return this.#forPhone(event, 'interface', (signIn) => this.#queues.offered(signIn, event, offer));
      }
      case 'DialState': {
        this.#callsOut.rings(event);
        // app_queue tells it behind the AgentCalled of the same offer.
        const offer = this.#offers.get(offerIn(event));
        const called = offer?.called?.headers.get('interface');
        if (event.headers.get('dialstatus') !== 'RINGING') return undefined;
        if (offer?.called) this.#popups?.offered(offer.called);
        else this.#popups?.rings(event);
        if (!offer || called === undefined) return this.#calls.rings(offerIn(event));
        return { key: deviceIn(called), run: () => this.#queues.rings(offer) };
      }
      case 'AgentConnect': {
        const offer = this.#offers.get(offerIn(event)) ?? {};
        offer.connected = true;
        this.#offers.set(offerIn(event), offer);
        // A phone that picks up by itself need not ring.
        this.#popups?.offered(event);
        this.#popups?.answered(offerIn(event));
        return this.#forPhone(
          event,
          'interface',
          (signIn) => this.#queues.connected(signIn, event),
          // Signed out while it rang, and answered in that moment.
          async () => {
            await this.#queues.answered(event, event.headers.get('membername') ?? '');
          },
        );
      }
      case 'AgentRingNoAnswer': {
        const offer = this.#offers.get(offerIn(event));
        if (offer) offer.gaveUp = true;
        return undefined;
      }
      case 'UserEvent':
        return this.#told(event);
      case 'QueueCallerJoin':
        if (callbackChannel(uniqueid)) return { key: uniqueid, run: () => this.#queues.joinedAgain(event) };
        this.#queued.add(uniqueid);
        dropOldest(this.#queued, most);
        return { key: uniqueid, run: () => this.#queues.joined(event) };
      case 'QueueCallerLeave':
        // Behind what was told before of the same channel: a join that is not written yet cannot be left.
        return {
          key: uniqueid,
          run: () => {
            this.#endings.left(callerIn(event));
            return Promise.resolve();
          },
        };
      case 'QueueCallerAbandon':
        // Also said of those whom the queue lets go: who has given up hangs up at once, the others come to star64-left.
        this.#gaveUp.set(uniqueid, callerIn(event));
        dropOldest(this.#gaveUp, most);
        return undefined;
      case 'AgentComplete':
      case 'BlindTransfer':
        this.#unqueued.tell(event);
        return undefined;
      case 'AttendedTransfer':
        this.#unqueued.tell(event);
        this.#holds.take(event);
        this.#popups?.take(event);
        return this.#transferred(event);
      case 'BridgeEnter':
        this.#popups?.take(event);
        this.#holds.take(event);
        return this.#consults.joined(event);
      case 'Hold':
      case 'Unhold':
        this.#holds.take(event);
        return undefined;
      case 'Hangup':
        this.#holds.take(event);
        return this.#hungUp(uniqueid, event);
      default:
        return undefined;
    }
  }

  /** What our own dialplan tells. */
  #told(event: AmiMessage): Work | undefined {
    const { headers } = event;
    switch (headers.get('userevent')) {
      case 'Star64OfferEnd': {
        const offer = this.#offers.get(headers.get('offer') ?? '');
        const reply = headers.get('reply');
        if (offer && reply !== undefined) offer.reply = reply;
        return this.#forPhone(event, 'member', (signIn) => this.#queues.offerEnded(signIn, event));
      }
      case 'Star64AgentCall':
      case 'Star64AgentCallEnd':
        this.#popups?.take(event);
        return this.#calls.take(event);
      case 'Star64Supervision': {
        const step = supervisionStepIn(event);
        return (
          step && {
            key: `supervision-${step.id}`,
            run: () => recordSupervisionStep(this.db, this.node, step),
          }
        );
      }
      case 'Star64Click': {
        const clicked = headers.get('uniqueid') ?? '';
        if (clickedBy(clicked) === undefined) return undefined;
        // In the order of the phone, of whose states it is one.
        return {
          key: deviceOfChannel(headers.get('channel') ?? ''),
          after: clicked,
          run: () => clickAnswered(this.db, this.node, clicked),
        };
      }
      case 'Star64Left':
        this.#gaveUp.delete(headers.get('uniqueid') ?? '');
        return { key: headers.get('uniqueid') ?? '', run: () => this.#queues.unserved(event) };
      default:
        this.#callsOut.take(event);
        this.#unqueued.take(event);
        return this.#consults.take(event) ?? this.#calls.emergency(event);
    }
  }

  /** An agent has asked a queue in a call of their own, and left it to the caller: what that call did there is the caller's. */
  #transferred(event: AmiMessage): Work | undefined {
    const asked = event.headers.get('secondtransfereruniqueid');
    const call = event.headers.get('transfereelinkedid');
    if (asked === undefined || call === undefined || !this.#queued.has(asked)) return undefined;
    const channel = event.headers.get('transfereeuniqueid') ?? asked;
    return { key: asked, after: call, run: () => this.#records.merged(asked, call, channel) };
  }

  #hungUp(uniqueid: string, event: AmiMessage): Work | undefined {
    const { outcome, letGo } = this.#unqueued.ended(uniqueid);
    const [call, state] = [event.headers.get('linkedid') ?? '', event.headers.get('channelstatedesc')];
    if (uniqueid !== call && state === 'Up') this.#endings.spoken(call);
    const offer = this.#offers.get(uniqueid);
    this.#popups?.hungUp(event, offer && resultOf(offer, event));
    const device = deviceOfChannel(event.headers.get('channel') ?? '');
    const asked = this.#consults.hungUp(event);
    if (offer) {
      this.#offers.delete(uniqueid);
      if (offer.queue !== null) this.#endings.offer(uniqueid, resultOf(offer, event));
    } else if (asked) {
      // Its end is told with what came of it.
    } else if (this.#callsOut.isLeg(uniqueid)) {
      this.#callsOut.ended(uniqueid);
    } else if (phoneOf(device)) {
      // An offer whose beginning another server saw: that it is over is all that is known. (Of an endpoint of the
      // operator's, whose name says nothing, the reconciliation finds it.)
      this.#endings.offer(uniqueid, null);
    } else if (device.startsWith('PJSIP/') && uniqueid !== call) {
      this.#callsOut.ended(uniqueid);
    }
    const sentOut = this.#callsOut.knows(uniqueid);
    this.#callsOut.over(uniqueid);
    // The caller's is the channel that began the call, unless a hand-written dialplan has put others before it.
    // What becomes of a call back is told by star64-callback-end.
    if (this.#queued.delete(uniqueid) || (uniqueid === call && !callbackChannel(uniqueid)))
      this.#endings.call({
        uniqueid,
        outcome,
        letGo,
        unanswered: !letGo && state === 'Ring',
        watchedSince: letGo ? null : this.#since,
      });
    const caller = this.#gaveUp.get(uniqueid);
    this.#gaveUp.delete(uniqueid);
    // What its own end has told of it comes before, in the order of the phone.
    if (clickedBy(uniqueid) !== undefined)
      return {
        key: device,
        after: uniqueid,
        run: async (): Promise<void> => {
          await clickOver(this.db, this.node, uniqueid, clickResultOf(event), { sentOut });
          if (caller) await this.#records.abandoned(caller);
        },
      };
    if (!caller) return undefined;
    return { key: uniqueid, run: () => this.#records.abandoned(caller) };
  }
}
