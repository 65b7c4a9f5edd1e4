import type { Logger } from 'pino';
import { prepared, type Database } from '../../domain/database/pool.js';
import { tellServers } from '../../domain/database/notifications.js';
import type { AgentState } from '../../domain/presence/agent-state.js';
import type { Membership } from '../../domain/presence/membership.js';
import type { Phone } from '../../domain/presence/phone.js';
import { takesQueueCalls } from '../../domain/presence/work-mode.js';
import { AmiError } from '../ami/errors.js';
import type { Manager } from '../ami/manager.js';
import {
  deviceOf,
  lampOf,
  memberOf,
  pauseReason,
  queueOf,
  wrapUpMark,
  wrapUpReason,
  wrapUpOffer,
} from './names.js';
import { readQueues, type Member } from './status.js';

/** What the database says of one phone: who is signed in there, in which state, in which queues. */
interface Wanted {
  agent: string;
  agentId: number;
  state: AgentState;
  offerId: string | null;
  pauseDigit: string | null;
  queues: { queue: string; penalty: number }[];
}

/**
 * Queue members as a projection of open sign-ins. A projection only ever makes Asterisk say what the database says
 * at that moment, one at a time for a phone over all servers, so it may be asked for at any time and by anyone.
 */
export class QueueMembership implements Membership {
  constructor(
    private readonly db: Database,
    private readonly manager: Manager,
    private readonly log: Logger,
  ) {}

  async sync(phone: Phone, options: { thorough?: boolean; alone?: boolean } = {}): Promise<boolean> {
    const device = memberOf(phone);
    const told = await this.#reported(device, () =>
      this.db.transaction(async (trx) => {
        await prepared(trx, 'select pg_advisory_xact_lock(hashtextextended(?, 64))', [device]);
        const wanted = (await readWanted(trx, [phone])).get(device);
        const former = await readQueueNames(trx, phone);
        const leaves = wanted?.agentId === phone.agentId && !options.thorough ? [] : former;
        for (const queue of leaves) {
          if (!wanted?.queues.some((one) => one.queue === queue)) await this.remove(queue, device);
        }
        if (!wanted) {
          await this.#mark(phone, '');
          await this.#setLamp(phone, 'UNAVAILABLE');
          return;
        }
        await this.#enter(phone, device, wanted, options.thorough ?? false);
      }),
    );
    if (!told && options.alone !== true) await this.#askOthers([phone]);
    return told;
  }

  async syncAll(phones: readonly Phone[]): Promise<void> {
    if (phones.length === 0) return;
    const told = new Set<Phone>();
    const failed: Phone[] = [];
    const reached = await this.#reported(`${phones.length} phones`, () =>
      this.db.transaction(async (trx) => {
        // Who waits for one phone would hold up the others, so no lock is waited for.
        const locked = await lockFree(trx, phones.map(memberOf));
        const ours = phones.filter((phone) => locked.has(memberOf(phone)));
        const wanted = await readWanted(trx, ours);
        await Promise.all(
          ours.map(async (phone) => {
            const device = memberOf(phone);
            const here = wanted.get(device);
            // Somebody else is there, or nobody.
            if (here?.agentId !== phone.agentId) return;
            told.add(phone);
            if (!(await this.#reported(device, () => this.#enter(phone, device, here, false))))
              failed.push(phone);
          }),
        );
      }),
    );
    if (reached) for (const phone of phones) if (!told.has(phone)) await this.sync(phone);
    await this.#askOthers(reached ? failed : phones);
  }

  /** What this server could not tell Asterisk another one may. Never throws. */
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

  /** Never throws; false when it failed. */
  async #reported(device: string, work: () => Promise<void>): Promise<boolean> {
    try {
      await work();
      return true;
    } catch (error) {
      this.log.warn(
        { device, reason: (error as Error).message },
        'queues not told yet: the reconciliation will',
      );
      return false;
    }
  }

  async #enter(phone: Phone, device: string, wanted: Wanted, thorough: boolean): Promise<void> {
    await this.#pauseAs(phone, device, wanted, await this.#join(phone, wanted, thorough));
    await this.#setLamp(phone, lamps[wanted.state]);
  }

  /** The member in the first queue of his, after he was added wherever he is missing; undefined if he has no queue. */
  async #join(phone: Phone, wanted: Wanted, thorough: boolean): Promise<Member | undefined> {
    const [first] = wanted.queues;
    if (!first) return undefined;
    const device = memberOf(phone);
    const find = async (queue: string): Promise<Member | undefined> =>
      (await readQueues(this.manager, { queue, device })).members[0];
    const member = await find(first.queue);
    // In wrap-up, and to be seen so by the keeper: a restart of Asterisk takes the mark away.
    if (wanted.state === 'wrap-up' && (!member || wrapUpOffer(member.reason) !== undefined)) {
      await this.#mark(phone, wanted.offerId ?? '');
    }
    if (!thorough && member?.name === wanted.agent) return member;
    let there: string | undefined;
    for (const { queue, penalty } of wanted.queues) {
      if (await this.#add(queue, phone, wanted, penalty, thorough)) there ??= queue;
    }
    return there === undefined ? undefined : find(there);
  }

  async #pauseAs(phone: Phone, device: string, wanted: Wanted, member: Member | undefined): Promise<void> {
    if (!member) return;
    if (wanted.state === 'idle' && member.paused) {
      const newer = wrapUpOffer(member.reason);
      // A wrap-up that the database has not heard of yet: its event is on the way, and it is not ours to end.
      if (newer !== undefined && newer !== wanted.offerId) return;
      await this.#mark(phone, '');
      await this.manager.action('QueuePause', { Interface: device, Paused: 'false' });
    } else if (wanted.state === 'paused' && member.reason !== reasonOf(wanted)) {
      // The mark goes first: a break is nothing that Asterisk may end by itself.
      await this.#mark(phone, '');
      await this.manager.action('QueuePause', {
        Interface: device,
        Paused: 'true',
        Reason: reasonOf(wanted),
      });
    }
  }

  /** The lamp by which other phones see the agent; `agent<extension>` in extensions.conf. */
  async #setLamp(phone: Phone, state: string): Promise<void> {
    await this.manager.action('Setvar', { Variable: `DEVICE_STATE(${lampOf(phone)})`, Value: state });
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
    const add = (): Promise<unknown> =>
      this.manager.action('QueueAdd', {
        Queue: queue,
        Interface: device,
        MemberName: wanted.agent,
        StateInterface: deviceOf(phone),
        Penalty: String(penalty),
        Paused: String(paused),
        ...(paused && { Reason: reasonOf(wanted) }),
      });
    try {
      if (await done(add(), /already there/i)) return true;
    } catch (error) {
      if (!(error instanceof AmiError) || !/no such queue/i.test(error.message)) throw error;
      this.log.warn({ queue, device }, 'Asterisk has no such queue yet: star64 generate, and reload');
      return false;
    }
    const { members } = await readQueues(this.manager, { queue, device });
    if (members[0]?.name !== wanted.agent) {
      await this.remove(queue, device);
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

  async #mark(phone: Phone, offerId: string): Promise<void> {
    await this.manager.action('Setvar', { Variable: wrapUpMark(phone), Value: offerId });
  }

  async cancelOffer(offer: string): Promise<void> {
    try {
      await done(this.#hangUpRinging(offer), /no such channel/i);
    } catch (error) {
      this.log.warn({ offer, reason: (error as Error).message }, 'an offer rings on');
    }
  }

  async #hangUpRinging(channel: string): Promise<void> {
    // Answered meanwhile: nobody is cut off in a conversation.
    const { headers } = await this.manager.action('Getvar', { Channel: channel, Variable: 'CHANNEL(state)' });
    if (headers.get('value') !== 'Up') await this.manager.action('Hangup', { Channel: channel });
  }

  /** Takes a device out of a queue; no error when it is not there. */
  async remove(queue: string, device: string): Promise<void> {
    // Whom a waiting call is offered to is listed when its first phone rings. Later on that list Asterisk passes over
    // who is paused, but rings who has left.
    await done(
      this.manager.action('QueuePause', { Queue: queue, Interface: device, Paused: 'true' }),
      /not found/i,
    );
    await done(
      this.manager.action('QueueRemove', { Queue: queue, Interface: device }),
      /not there|no such queue|not dynamic/i,
    );
  }
}

/** What a lamp shows for each state; the calls themselves are shown by the lamp of the phone. */
const lamps: Record<AgentState, string> = {
  idle: 'NOT_INUSE',
  ringing: 'NOT_INUSE',
  talking: 'NOT_INUSE',
  'wrap-up': 'BUSY',
  paused: 'ONHOLD',
};

const reasonOf = ({ state, offerId, pauseDigit }: Wanted): string =>
  state === 'wrap-up' ? wrapUpReason(offerId ?? '') : pauseReason(pauseDigit);

/** True when done, false when Asterisk refused with an `expected` word: what was asked for is so already. */
async function done(action: Promise<unknown>, expected: RegExp): Promise<boolean> {
  try {
    await action;
    return true;
  } catch (error) {
    if (error instanceof Error && expected.test(error.message)) return false;
    throw error;
  }
}

/** Takes the locks of these devices for the transaction, as far as nobody has them; returns those. */
async function lockFree(trx: Database, devices: string[]): Promise<Set<string>> {
  const rows = await prepared<{ device: string }>(
    trx,
    'select device from unnest(?::text[]) as device where pg_try_advisory_xact_lock(hashtextextended(device, 64))',
    [devices],
  );
  return new Set(rows.map(({ device }) => device));
}

/** By the phone's name as a queue member; without those at which nobody is signed in. */
async function readWanted(db: Database, phones: readonly Phone[]): Promise<Map<string, Wanted>> {
  const rows = await prepared<
    Omit<Wanted, 'queues'> & { at: number; groups: { name: string; penalty: number }[] }
  >(
    db,
    `select phones.at, a.number as agent, a.id as "agentId", s.state, s.offer_id as "offerId", s.pause_digit as "pauseDigit", (
       select coalesce(json_agg(json_build_object('name', g.name, 'penalty', m.penalty) order by m.position, g.name), '[]')
       from agent_group_members m join agent_groups g on g.id = m.group_id where m.agent_id = a.id and ${takesQueueCalls}) as groups
     from unnest(?::text[], ?::text[]) with ordinality as phones (team, extension, at)
     join teams t on t.identity = phones.team
     join extensions x on x.team_id = t.id and x.number = phones.extension
     join sign_ins i on i.extension_id = x.id and i.signed_out_at is null
     join agents a on a.id = i.agent_id
     join agent_states s on s.sign_in_id = i.id and s.ended_at is null`,
    [phones.map(({ team }) => team), phones.map(({ extension }) => extension)],
  );
  const wanted = new Map<string, Wanted>();
  for (const { at, groups, ...row } of rows) {
    const phone = phones[at - 1];
    if (!phone) continue;
    const queues = groups.map(({ name, penalty }) => ({ queue: queueOf(phone.team, name), penalty }));
    wanted.set(memberOf(phone), { ...row, queues });
  }
  return wanted;
}

async function readQueueNames(db: Database, phone: Phone): Promise<string[]> {
  const rows = await prepared<{ name: string }>(
    db,
    'select g.name from agent_group_members m join agent_groups g on g.id = m.group_id where m.agent_id = ?',
    [phone.agentId],
  );
  return rows.map(({ name }) => queueOf(phone.team, name));
}
