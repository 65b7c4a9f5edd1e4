import type { Logger } from 'pino';
import type { Database } from '../../domain/database/pool.js';
import type { Phone } from '../../domain/presence/phone.js';
import { done } from '../ami/done.js';
import { AmiError } from '../ami/errors.js';
import type { ManagerActions } from '../ami/manager.js';
import { markDirectCalls } from './direct-calls-mark.js';
import { setLamp } from './lamps.js';
import type { Lease } from './lease.js';
import { deviceOf, memberOf, pauseReason, wrapUpReason } from './names.js';
import { askPhone } from './phones.js';
import { readQueues, type Member } from './status.js';
import { knowsWrapUp, type Wanted } from './wanted.js';
import { markWrapUp, readMarkedOffer, unmarkWrapUp } from './wrap-up-mark.js';

/**
 * What Asterisk is told of one phone as a member of its queues, and of its lamp. That nobody else tells it otherwise
 * meanwhile is up to the caller: a sync holds the lease of the phone.
 */
export class QueueMembers {
  constructor(
    private readonly db: Database,
    private readonly manager: ManagerActions,
    private readonly log: Logger,
  ) {}

  /** Puts the phone into the queues that are wanted, paused or not as the state is, and sets its lamp. */
  async enter(phone: Phone, device: string, wanted: Wanted, lease: Lease, thorough: boolean): Promise<void> {
    const member = await this.#join(phone, wanted, thorough);
    await lease.hold();
    await this.#pauseAs(phone, device, wanted, member);
    if (thorough) await markDirectCalls(this.manager, phone, wanted);
    await setLamp(this.manager, phone, wanted.state);
  }

  /** The member in the agent's first queue, after it was added wherever it is missing; undefined for an agent without a queue. */
  async #join(phone: Phone, wanted: Wanted, thorough: boolean): Promise<Member | undefined> {
    const [first] = wanted.queues;
    if (!first) return undefined;
    const device = memberOf(phone);
    const find = async (queue: string): Promise<Member | undefined> =>
      (await readQueues(this.manager, { queue, device })).members[0];
    const member = await find(first.queue);
    if (!thorough && member?.name === wanted.agent) return member;
    // A lamp that says that nobody is there would have the first offers taken back.
    await setLamp(this.manager, phone, wanted.state);
    const added = await Promise.all(
      wanted.queues.map(({ queue, penalty }) => this.#add(queue, phone, wanted, penalty, thorough)),
    );
    const there = wanted.queues.find((_, index) => added[index]);
    // Soon after its start Asterisk may not have asked this phone yet whether it is there, and offers it nothing until it has.
    if (there && !thorough) await askPhone(this.manager, deviceOf(phone));
    return there && find(there.queue);
  }

  async #pauseAs(phone: Phone, device: string, wanted: Wanted, member: Member | undefined): Promise<void> {
    if (!member) return;
    if (wanted.state === 'idle' && member.paused) {
      const marked = member.reason === wrapUpReason ? await readMarkedOffer(this.manager, phone) : undefined;
      const offer = marked?.offerId;
      // A wrap-up that the database has not heard of yet: its event is on the way, and it is not ours to end.
      const isNews = offer !== undefined && offer !== wanted.offerId;
      if (isNews && !(await knowsWrapUp(this.db, phone, offer))) return;
      await unmarkWrapUp(this.manager, phone);
      await this.manager.action('QueuePause', { Interface: device, Paused: 'false' });
    } else if (wanted.state === 'wrap-up' && member.paused) {
      await markWrapUp(this.manager, phone);
    } else if (wanted.state === 'paused') {
      // The mark goes first, also one that is left over: a break is nothing that Asterisk may end by itself.
      await unmarkWrapUp(this.manager, phone);
      if (member.reason === reasonOf(wanted)) return;
      await this.manager.action('QueuePause', {
        Interface: device,
        Paused: 'true',
        Reason: reasonOf(wanted),
      });
    }
  }

  /** False: Asterisk has no such queue, since nobody has generated or reloaded after its group was added. */
  async #add(
    queue: string,
    phone: Phone,
    wanted: Wanted,
    penalty: number,
    thorough: boolean,
  ): Promise<boolean> {
    const device = memberOf(phone);
    const paused = wanted.state === 'wrap-up' || wanted.state === 'paused';
    const add = async (): Promise<void> => {
      await this.manager.action('QueueAdd', {
        Queue: queue,
        Interface: device,
        MemberName: wanted.agent,
        StateInterface: deviceOf(phone),
        Penalty: String(penalty),
        Paused: String(paused),
        ...(paused && { Reason: reasonOf(wanted) }),
      });
      if (paused) await this.#giveReason(queue, device, reasonOf(wanted));
    };
    try {
      if (await done(add(), /already there/i)) return true;
    } catch (error) {
      if (!(error instanceof AmiError) || !/no such queue/i.test(error.message)) throw error;
      this.log.warn({ queue, device }, 'Asterisk has no such queue yet: star64 apply');
      return false;
    }
    const { members } = await readQueues(this.manager, { queue, device });
    if (members[0]?.name !== wanted.agent) {
      await this.takeOut(queue, device);
      await add();
    } else if (thorough && members[0].penalty !== penalty) {
      await this.manager.action('QueuePenalty', {
        Queue: queue,
        Interface: device,
        Penalty: String(penalty),
      });
    }
    return true;
  }

  /** Asterisk 16 adds a member as paused without the reason, by which a wrap-up is told from a break. */
  async #giveReason(queue: string, device: string, reason: string): Promise<void> {
    const { members } = await readQueues(this.manager, { queue, device });
    if (members.some((member) => member.paused && member.reason === ''))
      await this.manager.action('QueuePause', {
        Queue: queue,
        Interface: device,
        Paused: 'true',
        Reason: reason,
      });
  }

  /** Takes a phone at which nobody is signed in out of these queues, and its lamp says so. */
  async leave(phone: Phone, queues: readonly string[]): Promise<void> {
    // The lamp comes first: by it star64-offer takes back what a queue offers from now on, and no call ends in a wrap-up. One that
    // ends in this moment may have looked before, so the mark of a wrap-up goes last.
    await setLamp(this.manager, phone, 'signed-out');
    await Promise.all(queues.map((queue) => this.signOut(queue, memberOf(phone))));
    await unmarkWrapUp(this.manager, phone);
  }

  /** Takes a device of somebody who is signed in out of a queue; no error when it is not there. */
  async takeOut(queue: string, device: string): Promise<void> {
    // app_queue lists the members to ring once per round: it skips who is paused later, but still rings who is removed
    // later. So pause first, then remove.
    await done(
      this.manager.action('QueuePause', { Queue: queue, Interface: device, Paused: 'true' }),
      /not found/i,
    );
    await this.#remove(queue, device);
  }

  /**
   * Takes the phone of somebody who has signed out out of a queue; no error when it is not there. Without a pause: for
   * those who read queue_log a pause would begin then that never ends, and one that is there ends before they leave.
   */
  async signOut(queue: string, device: string): Promise<void> {
    const { members } = await readQueues(this.manager, { queue, device });
    if (members.some(({ paused }) => paused))
      await done(
        this.manager.action('QueuePause', { Queue: queue, Interface: device, Paused: 'false' }),
        /not found/i,
      );
    await this.#remove(queue, device);
  }

  async #remove(queue: string, device: string): Promise<void> {
    await done(
      this.manager.action('QueueRemove', { Queue: queue, Interface: device }),
      /not there|no such queue|not dynamic/i,
    );
  }
}

const reasonOf = ({ state, pauseDigit }: Wanted): string =>
  state === 'wrap-up' ? wrapUpReason : pauseReason(pauseDigit);
