import { pino } from 'pino';
import type { Test } from 'tap';
import type { Centre } from '../../lab/centre.js';
import type { AmiMessage } from '../../pbx/ami/message.js';
import { Manager } from '../../pbx/ami/manager.js';
import { wrapUpReason } from '../../pbx/queue/names.js';

/** What is known of one phone, from events in the order in which Asterisk published them. */
interface PhoneState {
  /** Channels of the phone that live: it rings, talks, or is being wrapped up. */
  channels: Set<string>;
  /** Queue to the reason of the pause there. */
  pauses: Map<string, string>;
  /** Until when, by Asterisk's clock, the wrap-up after the last conversation must keep calls away. */
  restsUntil: number;
  /** The pause for the wrap-up that began last; its event names no offer, and the one of the offer's end follows it. */
  wrapUp?: SeenWrapUp;
}

/** A wrap-up as Asterisk's pause shows it, in seconds of Asterisk's clock. */
export interface SeenWrapUp {
  phone: string;
  from: number;
  /** Undefined while it lasts. */
  to?: number;
  /** He went from it into a break. */
  intoBreak?: true;
}

/**
 * Watches on a manager connection of its own, knowing nothing of star64's servers, whom Asterisk's queues offer calls.
 */
export class OfferWatch {
  /** Offers that must not have been, each with why. */
  readonly wrong: string[] = [];
  /** Offers begun. */
  offers = 0;
  /** The offer (uniqueid of the agent's channel) to the call that it connected. */
  readonly connected = new Map<string, string>();
  /** The offer to the wrap-up that followed it. */
  readonly wrapUps = new Map<string, SeenWrapUp>();
  /** How often the connection was lost: anything but 0 makes the rest worthless. */
  lost = 0;
  readonly #phones = new Map<string, PhoneState>();

  private constructor(
    readonly manager: Manager,
    private readonly restSeconds: number,
  ) {
    manager.on('event', (event) => this.#take(event));
    manager.on('down', () => this.lost++);
  }

  /**
   * Watches until the test ends. No offer may come for `restSeconds` after a conversation, paused or not. The centre's
   * manager.conf must say `timestampevents = yes`.
   */
  static async start(t: Test, centre: Centre, restSeconds: number): Promise<OfferWatch> {
    const events = ['AgentCalled', 'AgentConnect', 'Hangup', 'Newchannel', 'QueueMemberPause', 'UserEvent'];
    const manager = new Manager(
      { ...centre.asterisk.ami, events, eventClasses: ['agent', 'call', 'user'] },
      pino({ enabled: false }),
    );
    const watch = new OfferWatch(manager, restSeconds);
    manager.start();
    t.teardown(() => manager.stop());
    await manager.whenUp(10_000);
    return watch;
  }

  #take({ name, headers }: AmiMessage): void {
    const text = (header: string): string => headers.get(header) ?? '';
    switch (name) {
      case 'Newchannel': {
        const phone = this.#phone(/^PJSIP\/[a-z0-9]+-[0-9]+(?=-)/.exec(text('channel'))?.[0]);
        if (!phone) return;
        this.#refuse('begun', text('channel'), phone, Number(text('timestamp')));
        phone.channels.add(text('uniqueid'));
        return;
      }
      case 'Hangup':
        for (const phone of this.#phones.values()) {
          const talked = phone.channels.delete(text('uniqueid')) && this.connected.has(text('uniqueid'));
          if (talked) phone.restsUntil = Number(text('timestamp')) + this.restSeconds;
        }
        return;
      case 'AgentCalled': {
        const phone = this.#phone(text('interface'));
        if (!phone) return;
        this.offers++;
        const others = new Set([...phone.channels].filter((uniqueid) => uniqueid !== text('destuniqueid')));
        this.#refuse('offered', text('interface'), { ...phone, channels: others }, Number(text('timestamp')));
        return;
      }
      case 'AgentConnect':
        this.connected.set(text('destuniqueid'), text('uniqueid'));
        return;
      case 'QueueMemberPause':
        this.#paused(text('interface'), text('queue'), text('paused') === '1', text);
        return;
      case 'UserEvent': {
        if (text('userevent') !== 'Star64OfferEnd' || text('wrapup') !== 'yes') return;
        const wrapUp = this.#phone(text('member'))?.wrapUp;
        if (wrapUp) this.wrapUps.set(text('offer'), wrapUp);
      }
    }
  }

  #paused(device: string, queue: string, paused: boolean, text: (header: string) => string): void {
    const phone = this.#phone(device);
    if (!phone) return;
    const at = Number(text('timestamp'));
    const rested = phone.pauses.get(queue) === wrapUpReason;
    if (!paused) {
      phone.pauses.delete(queue);
      if (rested && phone.wrapUp) phone.wrapUp.to ??= at;
      return;
    }
    const reason = text('pausedreason');
    phone.pauses.set(queue, reason);
    if (reason !== wrapUpReason) {
      if (!rested || !phone.wrapUp) return;
      phone.wrapUp.to ??= at;
      phone.wrapUp.intoBreak = true;
    } else if (!rested && phone.wrapUp?.to !== undefined) delete phone.wrapUp;
    if (reason === wrapUpReason) phone.wrapUp ??= { phone: device, from: at };
  }

  #refuse(what: string, who: string, { channels, pauses, restsUntil }: PhoneState, now: number): void {
    if (now < restsUntil) this.wrong.push(`${who} was ${what} a call in wrap-up`);
    if (channels.size > 0)
      this.wrong.push(`${who} was ${what} a call while in the call ${[...channels].join()}`);
    for (const [queue, reason] of pauses)
      this.wrong.push(`${who} was ${what} a call while paused in ${queue}: ${reason}`);
  }

  #phone(device: string | undefined): PhoneState | undefined {
    if (device === undefined) return undefined;
    const known = this.#phones.get(device);
    if (known) return known;
    const phone: PhoneState = { channels: new Set(), pauses: new Map(), restsUntil: 0 };
    this.#phones.set(device, phone);
    return phone;
  }
}
