import type { Logger } from 'pino';
import { Callbacks } from '../../../domain/calls/queue/callbacks.js';
import { findQueue } from '../../../domain/calls/queue/queue.js';
import {
  unservedOutcomes,
  type CallRecords,
  type KnownQueue,
} from '../../../domain/calls/records/records.js';
import type { Database } from '../../../domain/database/pool.js';
import { endOffer, transition } from '../../../domain/presence/agent-state.js';
import type { SignIn } from '../../../domain/presence/open-sign-in.js';
import { statesBefore } from '../../../domain/presence/transitions.js';
import { beginWrapUp } from '../../../domain/presence/wrap-up.js';
import type { AmiMessage } from '../../ami/message.js';
import { callbackChannel } from '../../queue/callback-channel.js';
import type { Endings } from './endings.js';
import { callerIn, offerIn } from './event-headers.js';
import type { OfferSoFar } from './offer-result.js';

/** Turns what a queue tells of a caller, and of the agent whom it offers them to, into rows of the call and states of the agent. */
export class QueueCalls {
  readonly #callbacks: Callbacks;

  constructor(
    private readonly db: Database,
    private readonly node: string,
    private readonly log: Logger,
    private readonly records: CallRecords,
    private readonly endings: Endings,
    private readonly deadlineSet: () => void,
  ) {
    this.#callbacks = new Callbacks(db, node);
  }

  /** Somebody has joined a queue: they wait from now on. */
  async joined(event: AmiMessage): Promise<void> {
    const caller = callerIn(event);
    await this.endings.writeLeft(caller.uniqueid);
    const position = Number(event.headers.get('position'));
    await this.records.joined(caller, {
      number: event.headers.get('calleridnum') ?? null,
      position: Number.isInteger(position) && position > 0 ? position : null,
    });
  }

  /** A phone is to be rung for a caller: `offer` knows for whom from then on. */
  async offered(signIn: SignIn, event: AmiMessage, offer: OfferSoFar): Promise<void> {
    offer.signIn = signIn;
    offer.queue = (await this.records.offered(callerIn(event), offerIn(event), signIn.id)) ?? null;
  }

  /** The phone has said that it rings: one that refuses at once never does. */
  async rings({ called, signIn, queue }: OfferSoFar): Promise<void> {
    if (called && signIn) await this.#record('offer', signIn, called, queue ?? undefined);
  }

  /** Nobody stands there yet for somebody who is to be called back; who has been called, and was sent on to a queue, waits. */
  async joinedAgain(event: AmiMessage): Promise<void> {
    if (await this.#callbacks.isCalled(callerIn(event).uniqueid)) await this.joined(event);
  }

  /** A queue has let a caller go without an answer, and the dialplan says why. */
  async unserved(event: AmiMessage): Promise<void> {
    // Who hung up while they were asked whether they are to be called back: app_queue knows only that they left.
    if (event.headers.get('outcome') === 'abandoned') return this.records.abandoned(callerIn(event));
    const outcome = unservedOutcomes.find((one) => one === event.headers.get('outcome'));
    if (outcome === undefined) return;
    // Whom a full queue does not take never joins it: a visit all the same, of no time.
    if (outcome === 'full')
      await this.records.joined(callerIn(event), { number: event.headers.get('calleridnum') ?? null });
    await this.records.unserved(callerIn(event), outcome);
  }

  /** The agent has answered, and talks. */
  async connected(signIn: SignIn, event: AmiMessage): Promise<void> {
    const queue = await this.answered(event, signIn.agent);
    await this.#record('connect', signIn, event, queue);
  }

  /** The call has an answer; undefined: the queue is none of ours. */
  async answered(event: AmiMessage, agent: string): Promise<KnownQueue | undefined> {
    const caller = callerIn(event);
    const callback = callbackChannel(caller.uniqueid);
    if (callback) {
      const told = { ...callback, channel: caller.uniqueid, offerId: offerIn(event), agent };
      const begun = await this.#callbacks.connected(told);
      if (begun?.first !== false) return begun && { ...begun, call: caller.uniqueid };
    }
    const answered = await this.records.answered(caller, offerIn(event), agent);
    if (!answered || answered.visit) return answered;
    // That it joined was not seen.
    const waitedSeconds = Number(event.headers.get('holdtime')) || 0;
    await this.records.joined(caller, { number: event.headers.get('calleridnum') ?? null, waitedSeconds });
    return this.records.answered(caller, offerIn(event), agent);
  }

  /** Whatever Asterisk says is so; an offer to somebody who is not idle is worth a warning all the same. */
  async #record(
    what: 'offer' | 'connect',
    signIn: SignIn,
    event: AmiMessage,
    queue: KnownQueue | undefined,
  ): Promise<void> {
    const offerId = event.headers.get('destuniqueid');
    const begun = await transition(this.db, signIn.id, what, {
      ...(offerId !== undefined && { offerId }),
      callUniqueid: queue?.call ?? callerIn(event).uniqueid,
      ...(queue && { groupId: queue.groupId }),
    });
    if (!begun || statesBefore(what).includes(begun.before)) return;
    this.log.warn(
      { team: signIn.team, agent: signIn.agent, before: begun.before, state: begun.state },
      'a state began that does not follow from the one before',
    );
  }

  /** The agent's phone has left the call: they are free, or wrap it up. */
  async offerEnded(signIn: SignIn, event: AmiMessage): Promise<void> {
    const offer = event.headers.get('offer') ?? '';
    if (event.headers.get('wrapup') !== 'yes') {
      await endOffer(this.db, signIn.id, offer);
      return;
    }
    const queue = await findQueue(this.db, this.node, event.headers.get('queue') ?? '');
    await beginWrapUp(this.db, signIn.id, offer, queue);
    this.deadlineSet();
  }
}
