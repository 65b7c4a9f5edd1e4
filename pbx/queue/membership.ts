import { randomUUID } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Logger } from 'pino';
import type { Database } from '../../domain/database/pool.js';
import { LastingFault } from '../../domain/machine/lasting-fault.js';
import { tellServers } from '../../domain/database/notifications.js';
import { releasePhoneLeases } from '../../domain/database/phone-leases.js';
import type { Membership } from '../../domain/presence/membership.js';
import type { Phone } from '../../domain/presence/phone.js';
import { done } from '../ami/done.js';
import { AmiError } from '../ami/errors.js';
import type { ManagerActions } from '../ami/manager.js';
import { Lease, withLease } from './lease.js';
import { QueueMembers } from './members.js';
import { memberOf } from './names.js';
import { isUnreachable } from './phones.js';
import { queuesOfAgent, readWanted } from './wanted.js';

interface SyncOptions {
  thorough?: boolean;
  alone?: boolean;
  /** Queues in which the phone was seen to be a member, whoever is signed in there. */
  seenIn?: readonly string[];
}

/**
 * Queue members as a projection of open sign-ins. A sync only ever makes Asterisk say what the database says at that
 * moment, one at a time for a phone over all servers, so it may be asked for at any time and by anyone. It holds no
 * connection to the database while it waits for Asterisk: what keeps two servers apart is a lease per phone.
 */
export class QueueMembership implements Membership {
  readonly #holder = randomUUID();
  /** The last sync of each phone that is under way here. */
  readonly #underWay = new Map<string, Promise<void>>();
  readonly #members: QueueMembers;
  /** Of which the end is not seen: while one phone is told, another may not be. */
  readonly #untold: LastingFault;
  readonly #ringingOn: LastingFault;
  readonly #unasked: LastingFault;

  constructor(
    private readonly db: Database,
    private readonly manager: ManagerActions,
    private readonly log: Logger,
    /** Longest wait of a caller of sync(); the work goes on after it. A feature code has 5 s for its whole answer. */
    private readonly patienceMs = 3000,
  ) {
    this.#members = new QueueMembers(db, manager, log);
    const lasting = (fault: string, over: string): LastingFault =>
      new LastingFault(log, { fault, over, fadesAfter: 60_000 });
    this.#untold = lasting('queues not told yet: the reconciliation will', 'queues are told again');
    this.#ringingOn = lasting('an offer rings on', 'offers are taken back again');
    this.#unasked = lasting('a phone could not be asked', 'phones can be asked again');
  }

  async sync(phone: Phone, options: SyncOptions = {}): Promise<boolean> {
    const device = memberOf(phone);
    const work = this.#inTurn(device, () =>
      withLease(this.db, device, this.#holder, (lease) => this.#tell(phone, lease, options)),
    );
    const told = await this.#reported(device, work);
    if (!told && options.alone !== true) await this.#askOthers([phone]);
    return told;
  }

  async syncAll(phones: readonly Phone[]): Promise<void> {
    if (phones.length === 0) return;
    // Phones that another sync is busy with come after the others, which would wait for them.
    const free = phones.filter((phone) => !this.#underWay.has(memberOf(phone)));
    const told = new Set<Phone>();
    const failed: Phone[] = [];
    const work = this.#together(free, (phone, outcome) => {
      told.add(phone);
      if (!outcome) failed.push(phone);
    });
    for (const phone of free) this.#occupy(memberOf(phone), work);
    const reached = await this.#reported(`${free.length} phones`, work);
    const rest = phones.filter((phone) => (reached ? !told.has(phone) : !free.includes(phone)));
    await Promise.all(rest.map((phone) => this.sync(phone)));
    await this.#askOthers(reached ? failed : free);
  }

  /** Tells Asterisk of those of these phones that nobody else is busy with, and says of each what came of it. */
  async #together(phones: readonly Phone[], done: (phone: Phone, told: boolean) => void): Promise<void> {
    if (phones.length === 0) return;
    const leases = await Lease.ofMany(this.db, phones.map(memberOf), this.#holder);
    try {
      const ours = phones.filter((phone) => leases.has(memberOf(phone)));
      const wanted = await readWanted(this.db, ours);
      await Promise.all(
        ours.map(async (phone) => {
          const device = memberOf(phone);
          const here = wanted.get(device);
          const lease = leases.get(device);
          // Somebody else is there, or nobody.
          if (here?.agentId !== phone.agentId || !lease) return;
          const entered = this.#members.enter(phone, device, here, lease, false);
          done(phone, await this.#reported(device, entered));
          // The lease lasts for as long as Asterisk is being told, however late that is.
          await entered.catch(() => undefined);
        }),
      );
    } finally {
      await releasePhoneLeases(this.db, [...leases.keys()], this.#holder);
    }
  }

  /** Makes Asterisk say of this phone what the database says, under the lease of it. */
  async #tell(phone: Phone, lease: Lease, { thorough = false, seenIn = [] }: SyncOptions): Promise<void> {
    const device = memberOf(phone);
    const wanted = (await readWanted(this.db, [phone])).get(device);
    const former = wanted?.agentId !== phone.agentId || thorough ? await queuesOfAgent(this.db, phone) : [];
    const left = [...new Set([...former, ...seenIn])].filter(
      (queue) => !wanted?.queues.some((one) => one.queue === queue),
    );
    await lease.hold();
    if (wanted) {
      await Promise.all(left.map((queue) => this.#members.takeOut(queue, device)));
      await lease.hold();
      return this.#members.enter(phone, device, wanted, lease, thorough);
    }
    await this.#members.leave(phone, left);
  }

  /** One after the other for a phone in this server. */
  #inTurn<T>(device: string, work: () => Promise<T>): Promise<T> {
    const result = (this.#underWay.get(device) ?? Promise.resolve()).then(work);
    this.#occupy(device, result);
    return result;
  }

  /** The next sync of this phone waits until `work` is over. */
  #occupy(device: string, work: Promise<unknown>): void {
    const over = Promise.allSettled([work]).then(() => {
      if (this.#underWay.get(device) === over) this.#underWay.delete(device);
    });
    this.#underWay.set(device, over);
  }

  /** Asks the other servers to tell Asterisk, which this one could not. Never throws. */
  async #askOthers(phones: readonly Phone[]): Promise<void> {
    if (phones.length === 0) return;
    try {
      const agents = phones.map(({ agentId }) => agentId);
      const last = await this.db('sign_ins').whereIn('agent_id', agents).groupBy('agent_id').max('id as id');
      await tellServers(
        this.db,
        (last as { id: number }[]).map(({ id }) => id),
      );
    } catch (error) {
      this.log.debug({ reason: (error as Error).message }, 'the other servers could not be asked');
    }
  }

  /** Never throws; false when it failed, or is not done in time: it goes on then, and says so if it fails. */
  async #reported(device: string, work: Promise<unknown>): Promise<boolean> {
    const failed = (reason: string): false => {
      this.#untold.met(reason, { device });
      return false;
    };
    const told = work.then(
      () => true,
      (error: unknown) => failed((error as Error).message),
    );
    const given = new AbortController();
    const late = sleep(this.patienceMs, 'late' as const, { signal: given.signal }).catch(
      () => 'late' as const,
    );
    const outcome = await Promise.race([told, late]);
    given.abort();
    return outcome === 'late' ? failed(`Asterisk has not answered after ${this.patienceMs} ms`) : outcome;
  }

  async cancelOffer(offer: string): Promise<void> {
    try {
      await done(this.#hangUpRinging(offer), /no such channel/i);
    } catch (error) {
      this.#ringingOn.met((error as Error).message, { offer });
    }
  }

  async isUnreachable(phone: Phone): Promise<boolean> {
    try {
      return await isUnreachable(this.manager, phone);
    } catch (error) {
      this.#unasked.met((error as Error).message, { device: memberOf(phone) });
      return false;
    }
  }

  async isGuarded(channel: string, endpoint: string): Promise<boolean | undefined> {
    const read = this.manager.action('Getvar', { Channel: channel, Variable: 'GROUP(star64)' });
    try {
      return (await read).headers.get('value') === `PJSIP/${endpoint}`;
    } catch (error) {
      if (error instanceof AmiError && /no such channel/i.test(error.message)) return undefined;
      throw error;
    }
  }

  async #hangUpRinging(channel: string): Promise<void> {
    // Answered meanwhile: nobody is cut off in a conversation.
    const { headers } = await this.manager.action('Getvar', { Channel: channel, Variable: 'CHANNEL(state)' });
    if (headers.get('value') !== 'Up') await this.manager.action('Hangup', { Channel: channel });
  }

  /** Pauses a device in every queue for the wrap-up that it has in some: a queue may have been added in that moment. */
  async pauseEverywhere(device: string, reason: string): Promise<void> {
    await this.manager.action('QueuePause', { Interface: device, Paused: 'true', Reason: reason });
  }
}
