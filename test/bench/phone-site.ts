import pino from 'pino';
import { beginWrapUp } from '../../domain/presence/wrap-up.js';
import { Manager } from '../../pbx/ami/manager.js';
import { QueueMembership } from '../../pbx/queue/membership.js';
import { memberOf, queueOf, wrapUpReason } from '../../pbx/queue/names.js';
import { readQueues } from '../../pbx/queue/status.js';
import { findQueue } from '../../domain/calls/queue/queue.js';
import { signIn, signOut } from '../../domain/presence/sign-in.js';
import type { SignIn } from '../../domain/presence/open-sign-in.js';
import { generateSecret } from '../../domain/password.js';
import { Centre } from '../../lab/centre.js';
import { crowd, provision } from '../../lab/provision.js';
import { cpuSecondsOf, cpuSecondsOfAll } from './cpu.js';

export const team = 'astercc';

/** One of the crowd: the agent's number, the number of their phone and the name of their group. */
export interface Agent {
  number: string;
  extension: string;
  group: string;
}

/** CPU seconds, or milliseconds for one of many. */
export interface Cpu {
  asterisk: number;
  servers: number;
  postgres: number;
}

/** How many of what; agents are spread evenly over the groups. */
export interface Size {
  agents: number;
  groups: number;
  servers: number;
}

/** Long enough for everybody to get into a wrap-up before the first one ends. */
export const wrapUpSeconds = 60;

/** Dialled from any phone: answers and plays what a sign-in plays, and asks nobody. */
export const fixedNumber = '8999';

const fixedDialplan = `[${team}-phones]
exten => ${fixedNumber},1,Answer()
 same => n,Playback(agent-loginok)
 same => n,Hangup()`;

const onlooker = 'bench';

/** The benchmark looks on as a user of its own, so that the servers' may be told of nothing but what they need. */
const managerConf = (secret: string): string => `[general](+)
timestampevents = yes

[${onlooker}]
secret = ${secret}
deny = 0.0.0.0/0.0.0.0
permit = 127.0.0.0/255.0.0.0
read = agent,system
write = agent,call,reporting
`;

/** A team with many agents in many groups: real queues, database and servers, and a manager connection to look on. */
export class PhoneSite {
  private constructor(
    readonly centre: Centre,
    readonly agents: readonly Agent[],
    readonly manager: Manager,
    private readonly membership: QueueMembership,
  ) {}

  static async start(size: Size, progress: (text: string) => void): Promise<PhoneSite> {
    const groups = Array.from({ length: size.groups }, (_, index) => `group${index + 1}`);
    const fixture = crowd(size.agents, {
      groups: groups.map((name) => ({ name, wrapUp: 'answer', wrapUpSeconds })),
    });
    const agents = fixture.agents.map(({ number }, index) => ({
      number,
      extension: fixture.extensions[index]?.number ?? '',
      group: groups[index % groups.length] ?? '',
    }));
    const secret = generateSecret();
    const centre = await Centre.start({
      progress,
      servers: size.servers,
      provision: (db) =>
        provision(db, {
          ...fixture,
          agents: fixture.agents.map((agent, index) => ({ ...agent, groups: [agents[index]?.group ?? ''] })),
        }),
      asterisk: {
        verboseLog: false,
        extra: { 'manager.conf': managerConf(secret), 'extensions.conf': fixedDialplan },
      },
    });
    const log = pino({ enabled: false });
    const manager = new Manager(
      {
        ...centre.asterisk.ami,
        username: onlooker,
        secret,
        events: ['QueueMemberPause'],
        eventClasses: ['agent'],
      },
      log,
    );
    try {
      manager.start();
      await manager.whenUp(10_000);
      return new PhoneSite(centre, agents, manager, new QueueMembership(centre.db, manager, log));
    } catch (error) {
      await manager.stop();
      await centre.stop();
      throw error;
    }
  }

  async stop(): Promise<void> {
    await this.manager.stop();
    await this.centre.stop();
  }

  /** CPU seconds that the processes have used so far. */
  cpu(): Cpu {
    const { asterisk, servers, postgres } = this.centre;
    return {
      asterisk: cpuSecondsOf(asterisk.pid),
      servers: cpuSecondsOfAll(servers.flatMap(({ pid }) => pid ?? [])),
      postgres: cpuSecondsOfAll(postgres.pids),
    };
  }

  /** Signs these in as `*64` does it, without the telephone. */
  async signIn(agents: readonly Agent[]): Promise<SignIn[]> {
    const { db } = this.centre;
    return each(agents, 10, async ({ number: agent, extension }) => {
      const result = await signIn(db, team, { agent, extension, by: 'benchmark', trusted: true });
      if (result.outcome !== 'signed-in') throw new Error(`agent ${agent}: ${result.outcome}`);
      if (!(await this.membership.sync(result.signIn, { thorough: true })))
        throw new Error(`agent ${agent} is in no queue`);
      return result.signIn;
    });
  }

  async signOut(agents: readonly Agent[]): Promise<void> {
    await each(agents, 10, async ({ number: agent }) => {
      const result = await signOut(this.centre.db, team, { agent }, 'benchmark');
      if (result.outcome === 'signed-out') await this.membership.sync(result.signIn, { thorough: true });
    });
  }

  /** @throws unless the queues have these members and no other, each in the queue of their group. */
  async checkMembers(agents: readonly Agent[]): Promise<void> {
    const { members } = await readQueues(this.manager);
    const there = new Set(members.map(({ queue, name }) => `${queue} ${name}`));
    const missing = agents.filter(({ group, number }) => !there.has(`${queueOf(team, group)} ${number}`));
    if (missing.length > 0 || members.length !== agents.length)
      throw new Error(`${members.length} queue members, ${missing.length} missing of ${agents.length}`);
  }

  /**
   * Puts an agent into a wrap-up that ends at this moment (milliseconds since 1970), as the end of a call does it: what
   * the dialplan does in Asterisk, and what the server does on hearing of it.
   */
  async beginWrapUp(signIn: SignIn, group: string, offerId: string, endsAt: number): Promise<void> {
    const queue = await findQueue(this.centre.db, 'default', queueOf(team, group));
    const paused = { Interface: memberOf(signIn), Paused: 'true', Reason: wrapUpReason };
    await this.manager.action('QueuePause', paused);
    const elapsed = wrapUpSeconds - (endsAt - Date.now()) / 1000;
    await beginWrapUp(this.centre.db, signIn.id, offerId, queue, elapsed);
  }
}

/** Works on all of them, so many at a time, and returns the results in their order. */
export async function each<T, R>(
  items: readonly T[],
  concurrency: number,
  work: (item: T, index: number) => Promise<R>,
): Promise<R[]> {
  const results: R[] = [];
  let next = 0;
  const worker = async (): Promise<void> => {
    while (next < items.length) {
      const index = next++;
      results[index] = await work(items[index] as T, index);
    }
  };
  await Promise.all(Array.from({ length: concurrency }, worker));
  return results;
}
