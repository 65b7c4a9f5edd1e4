import type { CallRecords, OfferResult } from '../../domain/calls/records.js';
import type { AmiMessage } from '../ami/message.js';
import type { ForPhone } from './agent-calls.js';
import { dropOldest, type Endings } from './endings.js';
import { refusals } from './offer-result.js';
import type { Work } from './ordered-work.js';

/** More than are ever open at once: ends that another server sees leave their beginnings here. */
const most = 20_000;

interface Asked {
  /** What star64-within told as the phone was called. */
  told: AmiMessage;
  answered: boolean;
}

/** A phone that is not called any more. */
interface Unanswered {
  offerId: string;
  rang: boolean;
}

/**
 * Agents who are asked by a colleague within a call, and what comes of it. The event with which a phone's channel ends is the
 * same whether its time was over or nobody waits any more: what its calling channel does next tells them apart. It goes on
 * (to say that nobody answers, or to ring the next ones of a ring group), or it is gone.
 */
export class Consults {
  /** By the phone's channel. */
  readonly #asked = new Map<string, Asked>();
  /** By the name of the channel that called them. */
  readonly #unanswered = new Map<string, Unanswered[]>();

  constructor(
    private readonly records: Pick<CallRecords, 'asked' | 'askedAnswered'>,
    private readonly forPhone: ForPhone,
    private readonly endings: Pick<Endings, 'offer'>,
  ) {}

  /** A Star64Asked, or the step of a call that says that nobody was reached; others are passed over. */
  take(event: AmiMessage): Work | undefined {
    const { headers } = event;
    if (headers.get('userevent') === 'Star64Step') {
      if (headers.get('step') === 'consult-failed') this.#settle(headers.get('channel') ?? '', 'in vain');
      return undefined;
    }
    const offerId = headers.get('offer') ?? '';
    if (headers.get('userevent') !== 'Star64Asked' || offerId === '') return undefined;
    this.#settle(headers.get('by') ?? '', 'in vain');
    this.#asked.set(offerId, { told: event, answered: false });
    dropOldest(this.#asked, most);
    const call = headers.get('call') ?? offerId;
    return this.forPhone(event, 'member', (signIn) => this.records.asked(call, offerId, signIn.id));
  }

  /** A channel has entered a bridge. */
  joined({ headers }: AmiMessage): Work | undefined {
    const offerId = headers.get('uniqueid') ?? '';
    const asked = this.#asked.get(offerId);
    if (!asked || asked.answered) return undefined;
    asked.answered = true;
    return this.forPhone(asked.told, 'member', () => this.records.askedAnswered(offerId));
  }

  /** A channel is gone. Whether it was the phone of somebody who was asked, of which no more is to be said. */
  hungUp({ headers }: AmiMessage): boolean {
    this.#settle(headers.get('channel') ?? '', 'gone');
    const offerId = headers.get('uniqueid') ?? '';
    const asked = this.#asked.get(offerId);
    if (!asked) return false;
    this.#asked.delete(offerId);
    const [state, cause] = [headers.get('channelstatedesc'), headers.get('cause') ?? ''];
    const rang = state === 'Ringing';
    if (asked.answered) this.endings.offer(offerId, null);
    // Picked up too late, or taken by another one.
    else if (state === 'Up' || cause === '26') this.endings.offer(offerId, 'cancelled');
    else if (refusals.has(cause)) this.endings.offer(offerId, rang ? 'rejected' : 'refused');
    else {
      this.endings.offer(offerId, null);
      const by = asked.told.headers.get('by') ?? '';
      this.#unanswered.set(by, [...(this.#unanswered.get(by) ?? []), { offerId, rang }]);
      dropOldest(this.#unanswered, most);
    }
    return true;
  }

  #settle(by: string, how: 'in vain' | 'gone'): void {
    const offers = this.#unanswered.get(by);
    if (!offers) return;
    this.#unanswered.delete(by);
    for (const { offerId, rang } of offers) {
      const result: OfferResult = how === 'gone' ? 'cancelled' : rang ? 'missed' : 'refused';
      this.endings.offer(offerId, result);
    }
  }
}
