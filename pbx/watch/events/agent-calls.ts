import { callKinds, endOffer, openStateOf } from '../../../domain/presence/agent-state.js';
import type { Database } from '../../../domain/database/pool.js';
import type { SignIn } from '../../../domain/presence/open-sign-in.js';
import {
  beginCall,
  beginWrapUpOfCall,
  goOnWithCall,
  type AgentCall,
} from '../../../domain/presence/wrap-up.js';
import type { AmiMessage } from '../../ami/message.js';
import { dropOldest } from './endings.js';
import { deviceOfChannel } from './event-headers.js';
import type { ForPhone } from './for-phone.js';
import type { Work } from './ordered-work.js';

/** More than are ever open at once: ends that another server sees leave their beginnings here. */
const most = 20_000;

/** The call that an event of star64-own-call.conf is about; undefined for a kind that is unknown here. */
function callIn({ headers }: AmiMessage): AgentCall | undefined {
  const kind = callKinds.find((one) => one === headers.get('kind'));
  const offerId = headers.get('offer') ?? '';
  return kind && { kind, offerId, call: headers.get('call') ?? offerId };
}

/** Turns what the dialplan tells of calls that no queue gives an agent into their states. */
export class AgentCalls {
  /** Calls to phones that have not been answered, by the phone's channel: what was told when they began. */
  readonly #called = new Map<string, AmiMessage>();
  /** Calls in which a phone talks, also those beside another one, by the queue member that it is; the latest last. */
  readonly #talking = new Map<string, AgentCall[]>();
  /** Calls to emergency numbers, by the phone's channel. */
  readonly #emergencies = new Map<string, AmiMessage>();

  constructor(
    private readonly db: Database,
    private readonly forPhone: ForPhone,
    private readonly hooks: {
      deadlineSet: () => void;
      /** Something of a call is not known here: the reconciliation finds it. */
      missed: () => void;
    },
  ) {}

  /** A Star64AgentCall or Star64AgentCallEnd; the first is told when somebody dials, is called, and answers. */
  take(event: AmiMessage): Work | undefined {
    const { headers } = event;
    const call = callIn(event);
    if (!call) return undefined;
    const member = headers.get('member') ?? '';
    if (headers.get('userevent') === 'Star64AgentCallEnd') {
      this.#called.delete(call.offerId);
      const beside = headers.get('others') === 'yes';
      const other = this.#latestBeside(member, call, beside);
      return this.forPhone(event, 'member', async (signIn) => {
        if (headers.get('wrapup') === 'yes') return this.#wrapUp(signIn, call);
        if (other && (await goOnWithCall(this.db, signIn.id, call.offerId, other))) return;
        await endOffer(this.db, signIn.id, call.offerId);
        if (beside && !other) this.hooks.missed();
      });
    }
    if (headers.get('step') === 'called') {
      this.#called.set(call.offerId, event);
      dropOldest(this.#called, most);
      return undefined;
    }
    this.#talks(member, call);
    return this.forPhone(event, 'member', async (signIn) => {
      await beginCall(this.db, signIn.id, 'call', call);
    });
  }

  /** A phone has said that it rings. Undefined: in no call that was told of. */
  rings(offerId: string): Work | undefined {
    const event = this.#called.get(offerId);
    const call = event && callIn(event);
    if (!call) return undefined;
    return this.forPhone(event, 'member', async (signIn) => {
      await beginCall(this.db, signIn.id, 'call-rings', call);
    });
  }

  /**
   * A Star64Emergency, or the Star64OutEnd of such a call; others are passed over. Nothing is done in Asterisk for it, so a
   * wrap-up, which is there as well, stays as it is, and none follows.
   */
  emergency(event: AmiMessage): Work | undefined {
    const offerId = event.headers.get('uniqueid') ?? '';
    const call: AgentCall = { offerId, call: event.headers.get('call') ?? offerId, kind: 'out' };
    if (event.headers.get('userevent') === 'Star64Emergency') {
      const member = `PJSIP/${event.headers.get('phone') ?? ''}`;
      // Who was sent on to the number calls from another channel.
      if (deviceOfChannel(event.headers.get('channel') ?? '') !== member) return undefined;
      const begun = { ...event, headers: new Map(event.headers).set('member', member) };
      this.#emergencies.set(offerId, begun);
      dropOldest(this.#emergencies, most);
      return this.forPhone(begun, 'member', async (signIn) => {
        if ((await openStateOf(this.db, signIn.id))?.state === 'wrap-up') return;
        await beginCall(this.db, signIn.id, 'call', call);
      });
    }
    const begun = this.#emergencies.get(offerId);
    if (event.headers.get('userevent') !== 'Star64OutEnd' || !begun) return undefined;
    this.#emergencies.delete(offerId);
    const other = this.#talking.get(begun.headers.get('member') ?? '')?.at(-1);
    return this.forPhone(begun, 'member', async (signIn) => {
      if (!other || !(await goOnWithCall(this.db, signIn.id, offerId, other)))
        await endOffer(this.db, signIn.id, offerId);
    });
  }

  #talks(member: string, call: AgentCall): void {
    const before = this.#talking.get(member) ?? [];
    this.#talking.set(member, [...before.filter(({ offerId }) => offerId !== call.offerId), call]);
    dropOldest(this.#talking, most);
  }

  /** The call is over; `beside`: whether the phone has others, of which this is the latest that is known here. */
  #latestBeside(member: string, { offerId }: AgentCall, beside: boolean): AgentCall | undefined {
    const others = (this.#talking.get(member) ?? []).filter((one) => one.offerId !== offerId);
    if (beside && others.length > 0) this.#talking.set(member, others);
    else this.#talking.delete(member);
    return beside ? others.at(-1) : undefined;
  }

  async #wrapUp(signIn: SignIn, call: AgentCall): Promise<void> {
    await beginWrapUpOfCall(this.db, signIn.id, call);
    this.hooks.deadlineSet();
  }
}
