import { findQueue } from '../../../domain/calls/queue/queue.js';
import type { Database } from '../../../domain/database/pool.js';
import { endOffer, transition } from '../../../domain/presence/agent-state.js';
import { beginWrapUp, beginWrapUpOfCall } from '../../../domain/presence/wrap-up.js';
import { deviceOf, memberOf, pauseReason, queueOf, wrapUpReason } from '../../queue/names.js';
import type { QueueMembership } from '../../queue/membership.js';
import type { Offer } from '../../queue/offers.js';
import type { Member } from '../../queue/status.js';
import { readMarkedOffer } from '../../queue/wrap-up-mark.js';
import type { ManagerActions } from '../../ami/manager.js';
import { inPortions } from '../loops/in-portions.js';
import type { Snapshot } from './snapshot.js';
import { BegunCalls, isInCall } from './begun-calls.js';
import type { SignedInPhone } from './signed-in-phones.js';
import type { Mendable, Step } from './step.js';

/** The state of every agent agrees with the offers and pauses that Asterisk has: events may have been lost. */
export class CompareStates implements Step<Mendable> {
  readonly name = 'states of agents';
  readonly #calls: BegunCalls;

  constructor(
    private readonly db: Database,
    private readonly node: string,
    private readonly manager: ManagerActions,
    private readonly membership: QueueMembership,
  ) {
    this.#calls = new BegunCalls(db, manager);
  }

  async compare({ members, offers, others, live, now, signedIn }: Snapshot): Promise<Mendable[]> {
    const byDevice = new Map<string, Member[]>();
    for (const member of members)
      byDevice.set(member.device, [...(byDevice.get(member.device) ?? []), member]);
    const phones = await signedIn();
    const differences: Mendable[] = [];
    for (const phone of phones) {
      const at = byDevice.get(memberOf(phone)) ?? [];
      const difference =
        (await this.#calls.begun(phone, others.get(deviceOf(phone)))) ??
        (await (isInCall(phone)
          ? this.#callOf(phone, at, live, now)
          : this.#stateOf(phone, at, offers.get(deviceOf(phone)), live, now)));
      if (!difference) continue;
      const key = `agent ${phone.team}/${phone.agent} ${phone.state} #${phone.stateId}: ${difference.key}`;
      differences.push({ ...difference, key });
    }
    return differences;
  }

  async mend(differences: readonly Mendable[]): Promise<void> {
    await inPortions(differences, ({ mend }) => mend());
  }

  /** A call that no queue gave them goes on as long as the channel of their phone; a pause stays meanwhile as it was. */
  async #callOf(
    phone: SignedInPhone,
    at: Member[],
    live: Snapshot['live'],
    now: number,
  ): Promise<Mendable | undefined> {
    if (live.has(phone.offerId ?? '')) return undefined;
    const marked = await readMarkedOffer(this.manager, phone);
    const resting = at.find(({ paused, reason }) => paused && reason === wrapUpReason);
    if (resting && marked?.offerId === phone.offerId) return this.#wrapUpOf(phone, resting, now);
    return { key: 'the call is over', mend: () => endOffer(this.db, phone.signInId, phone.offerId) };
  }

  async #stateOf(
    phone: SignedInPhone,
    at: Member[],
    begun: Offer | undefined,
    live: Snapshot['live'],
    now: number,
  ): Promise<Mendable | undefined> {
    // Once the caller is gone, or sent on, app_queue knows no call of theirs any more, while they talk on with whoever they
    // have asked: a talk ends with the channel of the phone.
    if (phone.state === 'talking' && live.has(phone.offerId ?? '')) return undefined;
    const offer = begun?.rings === true ? begun : undefined;
    const resting = at.find(({ paused, reason }) => paused && reason === wrapUpReason);
    const member = resting ?? at[0];
    const talking = offer?.connected === true || at.some(({ inCall }) => inCall);
    const seen = talking ? 'talking' : offer ? 'ringing' : 'idle';
    const inOffer = phone.state === 'ringing' || phone.state === 'talking';
    const over =
      inOffer && seen === 'idle'
        ? { key: 'idle', mend: () => endOffer(this.db, phone.signInId, phone.offerId) }
        : undefined;
    // In no queue, by the agent's work mode; they may still be in the call that they had when they chose it.
    if (!member) return phone.groups.length === 0 ? over : undefined;
    if (resting) {
      // Added to a queue in the moment in which the hangup handler paused the others.
      if (phone.state === 'wrap-up' && at.some(({ paused }) => !paused)) {
        const mend = (): Promise<void> => this.membership.pauseEverywhere(member.device, member.reason);
        return { key: 'in wrap-up, but not in every queue', mend };
      }
      return this.#wrapUpOf(phone, member, now);
    }
    const sync = (key: string): Mendable => ({ key, mend: () => this.membership.sync(phone) });
    if (member.paused) {
      if (inOffer) return over;
      return (phone.state === 'paused' || phone.interrupts) && member.reason === pauseReason(phone.pauseDigit)
        ? undefined
        : sync(`paused for ${member.reason}`);
    }
    if (phone.state === 'paused' || phone.interrupts) return sync('not paused');
    if (phone.state === seen && (!offer || offer.offerId === phone.offerId)) return undefined;
    return { key: `${seen} ${offer?.offerId ?? ''}`, mend: () => this.#record(phone, seen, offer) };
  }

  /** Asterisk has the agent in a wrap-up. */
  async #wrapUpOf(phone: SignedInPhone, member: Member, now: number): Promise<Mendable | undefined> {
    const sync = (key: string): Mendable => ({ key, mend: () => this.membership.sync(phone) });
    if (phone.state === 'wrap-up') return undefined;
    if (phone.state === 'paused') return sync('in wrap-up');
    const marked = await readMarkedOffer(this.manager, phone);
    const resting = marked?.offerId;
    if (resting === undefined) return sync('in a wrap-up that follows no offer');
    if (phone.state === 'idle' && phone.offerId === resting) return sync('the end of a wrap-up was not told');
    return {
      key: `in wrap-up ${resting}`,
      mend: async () => {
        const own = phone.groups[0]?.name;
        const group = phone.offerId === resting ? (phone.groupName ?? own) : own;
        const queue = await findQueue(this.db, this.node, queueOf(phone.team, group ?? ''));
        // Both are whole seconds, rounded down: nobody's wrap-up is cut short for that.
        const elapsed = member.lastPause > 0 ? Math.max(0, now - member.lastPause - 1) : 0;
        // The end of a call that no queue gave says nothing of another one that they talk in; but that one is over, too, since
        // its channel is gone, and its end was not told: no server was there from its end to that of this one.
        if (marked?.kind !== undefined && phone.state === 'talking' && phone.offerId !== resting)
          await endOffer(this.db, phone.signInId, phone.offerId);
        const begun =
          marked?.kind === undefined
            ? await beginWrapUp(this.db, phone.signInId, resting, queue, elapsed)
            : await beginWrapUpOfCall(
                this.db,
                phone.signInId,
                { offerId: resting, kind: marked.kind },
                elapsed,
              );
        // It was over, with a pause after it, and Asterisk has not heard of that.
        if (!begun) await this.membership.sync(phone);
      },
    };
  }

  async #record(
    phone: SignedInPhone,
    seen: 'idle' | 'ringing' | 'talking',
    offer: Offer | undefined,
  ): Promise<void> {
    const queue = offer && (await findQueue(this.db, this.node, offer.queue));
    const offerId = offer?.offerId ?? phone.offerId;
    const details = {
      ...(offerId !== null && { offerId }),
      ...(offer && { callUniqueid: offer.call }),
      ...(queue && { groupId: queue.groupId }),
    };
    await transition(this.db, phone.signInId, `seen-${seen}`, details, { id: phone.stateId });
  }
}
