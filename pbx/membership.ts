import type { Logger } from 'pino';
import type { Database } from '../domain/database.js';
import type { AgentState } from '../domain/agent-state.js';
import type { Membership, Phone } from '../domain/membership.js';
import type { Manager } from './manager.js';
import { deviceOf, queueOf, wrapUpMark, wrapUpReason, wrapUpToken } from './names.js';
import { readQueues, type Member } from './queues.js';

/** What the database says of one phone: who is signed in there, in which state, in which queues. */
interface Wanted {
  agent: string;
  agentId: number;
  state: AgentState;
  token: string | null;
  reason: string | null;
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

  async project(phone: Phone, options: { thorough?: boolean } = {}): Promise<boolean> {
    const device = deviceOf(phone.team, phone.extension);
    try {
      await this.db.transaction(async (trx) => {
        await trx.raw('select pg_advisory_xact_lock(hashtextextended(?, 64))', [device]);
        const wanted = await readWanted(trx, phone);
        const former = await readQueueNames(trx, phone);
        if (!wanted) {
          for (const { queue } of former) await this.remove(queue, device);
          await this.#mark(phone, '');
          return;
        }
        if (wanted.agentId !== phone.agentId) {
          // Somebody else has signed in here since: what is left of the one before goes first.
          for (const { queue } of former) await this.remove(queue, device);
        }
        await this.#enter(phone, device, wanted, options.thorough ?? false);
      });
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
    const [first] = wanted.queues;
    if (!first) return;
    const find = async (): Promise<Member | undefined> =>
      (await readQueues(this.manager, { queue: first.queue, device })).members[0];
    let member = await find();
    // In wrap-up, and to be seen so by the keeper: a restart of Asterisk takes the mark away.
    if (wanted.state === 'wrap-up' && (!member || wrapUpToken(member.reason) !== undefined))
      await this.#mark(phone, wanted.token ?? '');
    if (thorough || !member || member.name !== wanted.agent) {
      for (const { queue, penalty } of wanted.queues)
        await this.#add(queue, device, wanted, penalty, thorough);
      member = await find();
    }
    if (!member) return;
    if (wanted.state === 'idle' && member.paused) {
      const newer = wrapUpToken(member.reason);
      // A wrap-up that the database has not heard of yet: its event is on the way, and it is not ours to end.
      if (newer !== undefined && newer !== wanted.token) return;
      await this.#mark(phone, '');
      await this.manager.action('QueuePause', { Interface: device, Paused: 'false' });
    } else if (wanted.state === 'paused' && !member.paused) {
      await this.manager.action('QueuePause', {
        Interface: device,
        Paused: 'true',
        Reason: `pause:${wanted.reason ?? ''}`,
      });
    }
  }

  async #add(
    queue: string,
    device: string,
    wanted: Wanted,
    penalty: number,
    thorough: boolean,
  ): Promise<void> {
    const paused = wanted.state === 'wrap-up' || wanted.state === 'paused';
    const reason =
      wanted.state === 'wrap-up' ? wrapUpReason(wanted.token ?? '') : `pause:${wanted.reason ?? ''}`;
    const add = (): Promise<unknown> =>
      this.manager.action('QueueAdd', {
        Queue: queue,
        Interface: device,
        MemberName: wanted.agent,
        StateInterface: device,
        Penalty: String(penalty),
        Paused: String(paused),
        ...(paused && { Reason: reason }),
      });
    const added = await done(add(), /already there/i);
    if (added) return;
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
  }

  async #mark({ team, extension }: Phone, token: string): Promise<void> {
    await this.manager.action('Setvar', { Variable: wrapUpMark(team, extension), Value: token });
  }

  /** Takes a device out of a queue; no error when it is not there. */
  async remove(queue: string, device: string): Promise<void> {
    await done(
      this.manager.action('QueueRemove', { Queue: queue, Interface: device }),
      /not there|no such queue|not dynamic/i,
    );
  }
}

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

async function readWanted(db: Database, phone: Phone): Promise<Wanted | undefined> {
  const { rows } = await db.raw<{
    rows: (Omit<Wanted, 'queues'> & { groups: { name: string; penalty: number }[] })[];
  }>(
    `select a.number as agent, a.id as "agentId", s.state, s.token, s.reason, (
       select coalesce(json_agg(json_build_object('name', g.name, 'penalty', m.penalty) order by m.position, g.name), '[]')
       from agent_group_members m join agent_groups g on g.id = m.group_id where m.agent_id = a.id) as groups
     from sign_ins i
     join teams t on t.id = i.team_id
     join extensions x on x.id = i.extension_id
     join agents a on a.id = i.agent_id
     join agent_states s on s.sign_in_id = i.id and s.ended_at is null
     where t.identity = ? and x.number = ? and i.signed_out_at is null`,
    [phone.team, phone.extension],
  );
  const row = rows[0];
  if (!row) return undefined;
  const queues = row.groups.map(({ name, penalty }) => ({ queue: queueOf(phone.team, name), penalty }));
  return { ...row, queues };
}

async function readQueueNames(db: Database, phone: Phone): Promise<{ queue: string }[]> {
  const names = await db('agent_group_members as m')
    .join('agent_groups as g', 'g.id', 'm.group_id')
    .where('m.agent_id', phone.agentId)
    .pluck<string[]>('g.name');
  return names.map((name) => ({ queue: queueOf(phone.team, name) }));
}
