import type { Logger } from 'pino';
import { transition, type AgentState } from '../../domain/presence/agent-state.js';
import {
  answeredCalls,
  callAnswered,
  callQueued,
  callsEnded,
  findQueue,
  openCalls,
} from '../../domain/calls/calls.js';
import type { Database } from '../../domain/database/pool.js';
import { signInFixedAgents } from '../../domain/presence/fixed-agents.js';
import { removeLeftGroups } from '../../domain/provisioning/removal-pending.js';
import type { Phone } from '../../domain/presence/phone.js';
import { endOffer } from '../../domain/presence/pause.js';
import { takesQueueCalls } from '../../domain/presence/work-mode.js';
import type { Manager } from '../ami/manager.js';
import type { QueueMembership } from '../queue/membership.js';
import { readOffers, type Offer } from '../queue/offers.js';
import {
  deviceOf,
  memberOf,
  pauseReason,
  phoneOf,
  queueOf,
  wrapUpMark,
  wrapUpOffer,
} from '../queue/names.js';
import { beginWrapUp } from './observer.js';
import { readEpoch, readQueues, type Member } from '../queue/status.js';

/** One open sign-in with its state and the queues that its agent belongs in. */
interface SignedInPhone extends Phone {
  signInId: number;
  agent: string;
  stateId: number;
  state: AgentState;
  offerId: string | null;
  pauseDigit: string | null;
  groupName: string | null;
  /** Those whose queue calls he takes. */
  groups: { name: string; penalty: number }[];
}

/** Something that differs between Asterisk and the database, and how to mend it. */
interface Difference {
  /** What differs, between what; the same words in two looks mean that nothing moved in between. */
  key: string;
  mend: () => Promise<void>;
}

/** Between two looks. Longer than an event takes to become a row, and far below what a person notices. */
const betweenSnapshotsMs = 250;

/**
 * Compares Asterisk with the database and mends what differs: members that are missing or too many, states whose
 * event was lost, calls whose end nobody saw. It may run at any moment. What it sees in one look may be on its way
 * to agreeing, so only a difference seen twice, with the same state row and the same member, is mended.
 */
export class Reconciliation {
  constructor(
    private readonly db: Database,
    private readonly manager: Manager,
    private readonly membership: QueueMembership,
    private readonly log: Logger,
  ) {}

  /** Returns how many differences were mended. @throws when Asterisk or PostgreSQL cannot be asked. */
  async run(): Promise<number> {
    await signInFixedAgents(this.db);
    const first = await this.#snapshot();
    if (first.length === 0) return 0;
    await new Promise((resolve) => setTimeout(resolve, betweenSnapshotsMs));
    const seen = new Set(first.map(({ key }) => key));
    const lasting = (await this.#snapshot()).filter(({ key }) => seen.has(key));
    for (const { key, mend } of lasting) {
      this.log.info({ difference: key }, 'Asterisk and the database differ: mended');
      await mend();
    }
    return lasting.length;
  }

  async #snapshot(): Promise<Difference[]> {
    // Asterisk first: a sign-in between the two reads then looks like a missing member, which adding again mends,
    // and not like a member too many.
    const queues = await readQueues(this.manager);
    const { live, offers } = await readOffers(this.manager);
    const now = await readEpoch(this.manager);
    const phones = await readSignedInPhones(this.db);
    // The operator's own queues, and whom he has put there, are none of our business.
    const ours = await readQueueNames(this.db);
    const members = queues.members.filter(({ queue }) => ours.has(queue));
    const waiting = queues.waiting.filter(({ queue }) => ours.has(queue));
    const byDevice = new Map<string, Member[]>();
    for (const member of members)
      byDevice.set(member.device, [...(byDevice.get(member.device) ?? []), member]);
    const differences: Difference[] = [];
    for (const phone of phones) {
      const at = byDevice.get(memberOf(phone)) ?? [];
      byDevice.delete(memberOf(phone));
      const offer = offers.get(deviceOf(phone));
      differences.push(...this.#membershipOf(phone, at, offer), ...this.#stateOf(phone, at, offer, now));
    }
    for (const [device, at] of byDevice) differences.push(...this.#extra(device, at));

    differences.push(...(await this.#unmarked(phones, members)));
    differences.push(...(await this.#answered(phones, offers)));
    const gone = (await openCalls(this.db)).filter((uniqueid) => !live.has(uniqueid));
    if (gone.length > 0) {
      differences.push(
        ...gone.map((uniqueid) => ({
          key: `call ${uniqueid} is over`,
          mend: async (): Promise<void> => {
            await callsEnded(this.db, [uniqueid], 'lost');
          },
        })),
      );
    }
    for (const { queue: name, uniqueid, caller } of waiting) {
      const queue = await findQueue(this.db, name);
      if (queue) await callQueued(this.db, queue, uniqueid, caller);
    }
    const used = new Set([...members, ...waiting].map(({ queue }) => queue));
    await removeLeftGroups(this.db, (team, group) => !used.has(queueOf(team, group)));
    return differences;
  }

  #membershipOf(phone: SignedInPhone, at: Member[], offer: Offer | undefined): Difference[] {
    const wanted = new Map(phone.groups.map(({ name, penalty }) => [queueOf(phone.team, name), penalty]));
    const wrong: string[] = [];
    for (const [queue, penalty] of wanted) {
      const member = at.find((one) => one.queue === queue);
      if (member?.name !== phone.agent || member.penalty !== penalty) wrong.push(queue);
    }
    const extra = at.filter(({ queue }) => !wanted.has(queue));
    if (wrong.length === 0 && extra.length === 0) return [];
    const key = `agent ${phone.team}/${phone.agent} in ${[...wrong, ...extra.map(({ queue }) => queue)].join(' ')}`;
    const mend = async (): Promise<void> => {
      for (const { queue, device } of extra) await this.membership.remove(queue, device);
      // Gone from every queue, so Asterisk was restarted, and no call of this phone has survived that.
      if (at.length === 0 && !offer) await endOffer(this.db, phone.signInId, phone.offerId ?? '');
      await this.membership.sync(phone, { thorough: true });
    };
    return [{ key, mend }];
  }

  #stateOf(phone: SignedInPhone, at: Member[], offer: Offer | undefined, now: number): Difference[] {
    const [member] = at;
    const differs = (what: string, mend: () => Promise<unknown>): Difference[] => [
      {
        key: `agent ${phone.team}/${phone.agent} ${phone.state} #${phone.stateId}: ${what}`,
        mend: async (): Promise<void> => {
          await mend();
        },
      },
    ];
    const busy = offer ? 'ringing' : 'idle';
    const state = offer?.connected === true || at.some(({ inCall }) => inCall) ? 'talking' : busy;
    const inOffer = phone.state === 'ringing' || phone.state === 'talking';
    const over = (): Difference[] =>
      inOffer && state === 'idle'
        ? differs('idle', () => endOffer(this.db, phone.signInId, phone.offerId ?? ''))
        : [];
    // In no queue, by his work mode; he may still be in the call that he had when he chose it.
    if (!member) return phone.groups.length === 0 ? over() : [];
    const offerId = member.paused ? wrapUpOffer(member.reason) : undefined;

    if (offerId !== undefined) {
      if (phone.state === 'wrap-up') return [];
      if (phone.state === 'paused') return differs('in wrap-up', () => this.membership.sync(phone));
      if (phone.state === 'idle' && phone.offerId === offerId) {
        return differs('the end of a wrap-up was not told', () => this.membership.sync(phone));
      }
      return differs(`in wrap-up ${offerId}`, async () => {
        const group =
          phone.offerId === offerId ? (phone.groupName ?? phone.groups[0]?.name) : phone.groups[0]?.name;
        const queue = await findQueue(this.db, queueOf(phone.team, group ?? ''));
        await beginWrapUp(
          this.db,
          phone.signInId,
          offerId,
          queue,
          member.lastPause > 0 ? now - member.lastPause : 0,
        );
      });
    }
    if (member.paused) {
      if (inOffer) return over();
      return phone.state === 'paused' && member.reason === pauseReason(phone.pauseDigit)
        ? []
        : differs(`paused for ${member.reason}`, () => this.membership.sync(phone));
    }
    if (phone.state === 'paused') return differs('not paused', () => this.membership.sync(phone));
    if (phone.state === state && (!offer || offer.offerId === phone.offerId)) return [];
    return differs(`${state} ${offer?.offerId ?? ''}`, async () => {
      const queue = offer && (await findQueue(this.db, offer.queue));
      const offerId = offer?.offerId ?? phone.offerId;
      const details = {
        ...(offerId !== null && { offerId }),
        ...(offer && { callUniqueid: offer.call }),
        ...(queue && { groupId: queue.groupId }),
      };
      await transition(this.db, phone.signInId, [phone.state], state, details, { id: phone.stateId });
    });
  }

  /** Wrap-ups that the keeper does not know of, since Asterisk was restarted. */
  async #unmarked(phones: readonly SignedInPhone[], members: readonly Member[]): Promise<Difference[]> {
    const resting = new Set(
      members.filter(({ paused, reason }) => paused && wrapUpOffer(reason)).map(({ device }) => device),
    );
    const differences: Difference[] = [];
    for (const phone of phones) {
      const { team, agent, state, stateId } = phone;
      if (state !== 'wrap-up' || !resting.has(memberOf(phone))) continue;
      const { headers } = await this.manager.action('Getvar', { Variable: wrapUpMark(phone) });
      if (headers.get('value')) continue;
      const key = `agent ${team}/${agent} #${stateId}: in wrap-up without a mark`;
      const mend = async (): Promise<void> => {
        await this.membership.sync(phone);
      };
      differences.push({ key, mend });
    }
    return differences;
  }

  /** Conversations whose beginning nobody saw. */
  async #answered(
    phones: readonly SignedInPhone[],
    offers: ReadonlyMap<string, Offer>,
  ): Promise<Difference[]> {
    const talks = phones.flatMap((phone) => {
      const offer = offers.get(deviceOf(phone));
      return offer?.connected === true ? [{ ...offer, agent: phone.agent }] : [];
    });
    const known = new Set(
      await answeredCalls(
        this.db,
        talks.map(({ call }) => call),
      ),
    );
    return talks
      .filter(({ call }) => !known.has(call))
      .map(({ call, caller, queue: name, agent }) => ({
        key: `call ${call} is answered by ${agent}`,
        mend: async (): Promise<void> => {
          const queue = await findQueue(this.db, name);
          if (!queue) return;
          await callQueued(this.db, queue, call, caller);
          await callAnswered(this.db, queue.teamId, call, agent);
        },
      }));
  }

  /** Members that nobody has signed in. Only devices of teams are ours to take away. */
  #extra(device: string, at: Member[]): Difference[] {
    if (!phoneOf(device)) return [];
    return at.map(({ queue }) => ({
      key: `member ${device} of ${queue} is not signed in`,
      mend: () => this.membership.remove(queue, device),
    }));
  }
}

async function readQueueNames(db: Database): Promise<Set<string>> {
  const { rows } = await db.raw<{ rows: { team: string; name: string }[] }>(
    'select t.identity as team, g.name from agent_groups g join teams t on t.id = g.team_id',
  );
  return new Set(rows.map(({ team, name }) => queueOf(team, name)));
}

async function readSignedInPhones(db: Database): Promise<SignedInPhone[]> {
  const { rows } = await db.raw<{ rows: SignedInPhone[] }>(`
    select i.id as "signInId", t.identity as team, x.number as extension, x.kind as "extensionKind", a.id as "agentId", a.number as agent,
      s.id as "stateId", s.state, s.offer_id as "offerId", s.pause_digit as "pauseDigit", sg.name as "groupName", (
        select coalesce(json_agg(json_build_object('name', g.name, 'penalty', m.penalty) order by m.position, g.name), '[]')
        from agent_group_members m join agent_groups g on g.id = m.group_id where m.agent_id = a.id and ${takesQueueCalls}) as groups
    from sign_ins i
    join teams t on t.id = i.team_id
    join extensions x on x.id = i.extension_id
    join agents a on a.id = i.agent_id
    join agent_states s on s.sign_in_id = i.id and s.ended_at is null
    left join agent_groups sg on sg.id = s.group_id
    where i.signed_out_at is null`);
  return rows;
}
