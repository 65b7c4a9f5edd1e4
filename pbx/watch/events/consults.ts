import type { CallRecords } from '../../../domain/calls/records/records.js';
import type { OfferResult } from '../../../domain/calls/queue/offer-counts.js';
import type { AmiMessage } from '../../ami/message.js';
import type { ForPhone } from './for-phone.js';
import { dropOldest, type Endings } from './endings.js';
import { refusals } from './offer-result.js';
import type { Work } from './ordered-work.js';

/** More than are ever open at once: ends that another server sees leave their beginnings here. */
const most = 20_000;

/** A channel that calls phones for who asks. */
interface Asking {
  /** What became of its question: nobody was reached, or nobody asks any more. */
  fate: 'in vain' | 'gone' | null;
  gone: boolean;
  /** Phones whose channels are not gone. */
  open: Set<string>;
  /** Phones whose channels are, without a word of what came of them, and whether they rang. */
  unanswered: Map<string, boolean>;
}

interface Asked {
  /** What star64-within told as the phone was called. */
  told: AmiMessage;
  by: string;
  answered: boolean;
}

/**
 * Agents who are asked by a colleague within a call, and what comes of it. The event with which a phone's channel ends is the
 * same whether its time was over or nobody waits any more: what its calling channel does then tells them apart. It goes on
 * (to say that nobody answers, or to ring the next ones of a ring group), or it is gone. Asterisk tells of a channel that it
 * is gone when nothing of it is in use any more, which may be after what its calling channel has done.
 */
export class Consults {
  /** By the phone's channel. */
  readonly #asked = new Map<string, Asked>();
  /** By the name of the channel that calls. */
  readonly #asking = new Map<string, Asking>();

  constructor(
    private readonly records: Pick<CallRecords, 'asked' | 'askedAnswered'>,
    private readonly forPhone: ForPhone,
    private readonly endings: Pick<Endings, 'offer'>,
  ) {}

  /** A Star64Asked, or the step of a call that says that nobody was reached; others are passed over. */
  take(event: AmiMessage): Work | undefined {
    const { headers } = event;
    if (headers.get('userevent') === 'Star64Step') {
      const failed = this.#asking.get(headers.get('channel') ?? '');
      if (failed && headers.get('step') === 'consult-failed')
        this.#settle(failed, (failed.fate ??= 'in vain'));
      return undefined;
    }
    const offerId = headers.get('offer') ?? '';
    if (headers.get('userevent') !== 'Star64Asked' || offerId === '') return undefined;
    const by = headers.get('by') ?? '';
    const known = this.#asking.get(by);
    // Names of channels come again after a restart of Asterisk: one that is over is another one's.
    const asking = (known && !known.gone && known.fate === null ? known : undefined) ?? {
      fate: null,
      gone: false,
      open: new Set(),
      unanswered: new Map(),
    };
    // The next ones of a ring group.
    this.#settle(asking, 'in vain');
    asking.open.add(offerId);
    this.#asking.set(by, asking);
    this.#asked.set(offerId, { told: event, by, answered: false });
    for (const kept of [this.#asking, this.#asked]) dropOldest(kept, most);
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
    const name = headers.get('channel') ?? '';
    const caller = this.#asking.get(name);
    if (caller) {
      caller.gone = true;
      this.#settle(caller, (caller.fate ??= 'gone'));
      this.#forgetIfOver(name, caller);
    }
    const offerId = headers.get('uniqueid') ?? '';
    const asked = this.#asked.get(offerId);
    if (!asked) return false;
    this.#asked.delete(offerId);
    const asking = this.#asking.get(asked.by);
    const [state, cause] = [headers.get('channelstatedesc'), headers.get('cause') ?? ''];
    const rang = state === 'Ringing';
    let result: OfferResult | null = null;
    if (asked.answered) result = null;
    // Picked up too late, or taken by another one.
    else if (state === 'Up' || cause === '26') result = 'cancelled';
    else if (refusals.has(cause)) result = rang ? 'rejected' : 'refused';
    else if (asking?.fate) result = resultBy(asking.fate, rang);
    else asking?.unanswered.set(offerId, rang);
    asking?.open.delete(offerId);
    if (asking) this.#forgetIfOver(asked.by, asking);
    this.endings.offer(offerId, result);
    return true;
  }

  #settle({ unanswered }: Asking, fate: 'in vain' | 'gone'): void {
    for (const [offerId, rang] of unanswered) this.endings.offer(offerId, resultBy(fate, rang));
    unanswered.clear();
  }

  #forgetIfOver(by: string, { gone, open }: Asking): void {
    if (gone && open.size === 0) this.#asking.delete(by);
  }
}

const resultBy = (fate: 'in vain' | 'gone', rang: boolean): OfferResult =>
  fate === 'gone' ? 'cancelled' : rang ? 'missed' : 'refused';
