import { pino } from 'pino';
import type { Test } from 'tap';
import { Caller } from '../../../lab/caller.js';
import type { Centre } from '../../../lab/centre.js';
import { crowd as team, provision } from '../../../lab/provision.js';
import type { Database } from '../../../domain/database/pool.js';
import { until } from '../../../domain/machine/processes.js';
import { transition } from '../../../domain/presence/agent-state.js';
import { openSignIn } from '../../../domain/presence/open-sign-in.js';
import { ready } from '../../../domain/presence/pause.js';
import { Manager } from '../../../pbx/ami/manager.js';
import { QueueMembership } from '../../../pbx/queue/membership.js';
import { atWork, type SeenCall } from './at-work.js';
import { centreFor, stateOf, waitState } from '../centre.js';

export const wrapUpSeconds = 2;
export const agents = Array.from({ length: 20 }, (_, index) => String(1001 + index));
export const phoneOfAgent = (agent: string): string => `PJSIP/astercc-5${agent.slice(1)}`;
export const dids = { support: '600100', sales: '600101' };

/** The first 12 take support's calls, the last 12 those of sales: four of them both. */
const groupsOf = (agent: string): string[] => [
  ...(Number(agent) <= 1012 ? ['support'] : []),
  ...(Number(agent) >= 1009 ? ['sales'] : []),
];

/**
 * Twenty agents at work in two queues, and what can be seen of them from outside: of a manager's events only what does not
 * depend on when they come.
 */
export class LoadSite {
  /** Calls that an agent was joined to, so far. */
  connected = 0;
  /** Numbers of callers whom an agent was joined to. */
  readonly joined = new Set<string>();
  /** Who ended the conversation of a caller, by the caller's number: `caller` or `agent`. */
  readonly endedBy = new Map<string, string>();
  /** The offers that a wrap-up followed, as the dialplan tells it, each with its phone. */
  readonly wrapUps = new Map<string, string>();
  /** How often the wrap-up of a phone began in a queue, by phone and queue. */
  readonly #begun = new Map<string, number>();
  /** How often the connection was lost: anything but 0 makes the rest worthless. */
  lost = 0;
  /** Breaks, by Asterisk's clock. */
  readonly pauses: { phone: string; from: number; to: number }[] = [];
  readonly #paused = new Set<string>();
  readonly #over = new AbortController();
  #working: Promise<SeenCall[][]> = Promise.resolve([]);

  private constructor(
    readonly centre: Centre,
    manager: Manager,
    private readonly membership: QueueMembership,
  ) {
    manager.on('down', () => this.lost++);
    manager.on('event', ({ name, headers }) => {
      const text = (header: string): string => headers.get(header) ?? '';
      if (name === 'AgentConnect') {
        this.connected++;
        this.joined.add(text('calleridnum'));
      } else if (name === 'AgentComplete') this.endedBy.set(text('calleridnum'), text('reason'));
      else if (name === 'UserEvent' && text('wrapup') === 'yes')
        this.wrapUps.set(text('offer'), text('member'));
      else if (name === 'QueueMemberPause') this.#pause(text);
    });
  }

  /** Starts everything; all agents are signed in and idle. It ends with the test. */
  static async start(t: Test): Promise<LoadSite> {
    const centre = await centreFor(t, { provision: fill });
    const phones = await Promise.all(agents.map((agent) => centre.phone(`5${agent.slice(1)}`)));
    const manager = new Manager(
      {
        ...centre.asterisk.ami,
        events: ['AgentConnect', 'AgentComplete', 'QueueMemberPause', 'UserEvent'],
        eventClasses: ['agent', 'user'],
        actionDeadlineMs: 60_000,
      },
      pino({ enabled: false }),
    );
    const membership = new QueueMembership(centre.db, manager, pino({ enabled: false }));
    const site = new LoadSite(centre, manager, membership);
    manager.start();
    t.teardown(() => manager.stop());
    await manager.whenUp(30_000);
    await Promise.all(
      phones.map(async (phone, index) => {
        const agent = agents[index] ?? '';
        // Of twenty at once one may be told nothing within their 5 s, on a busy machine, and dials again.
        await until(
          `agent ${agent} to be signed in`,
          async () => {
            await phone.dial(`*64${agent}`);
            await phone.closed();
            return (await stateOf(centre, agent)) === 'idle' ? true : undefined;
          },
          60_000,
        );
      }),
    );
    site.#working = Promise.all(
      phones.map((phone, index) =>
        atWork(
          phone,
          {
            // Some pick up at once, some after a while; the fourth lets every third call ring until it goes elsewhere.
            answerMs: index === 3 ? [60, 60, Infinity] : [0, 40 * (index % 6), 400 - 40 * (index % 7)],
            talkMs: [1200, 1000, 850, 1300, 1100],
          },
          site.#over.signal,
        ),
      ),
    );
    return site;
  }

  /** Ends the work; returns what each phone saw. */
  async stop(): Promise<{ agent: string; calls: SeenCall[] }[]> {
    this.#over.abort();
    return (await this.#working).map((calls, index) => ({ agent: agents[index] ?? '', calls }));
  }

  /** Waits until no call goes on and everybody is idle. */
  async atRest(): Promise<void> {
    await until(
      'the end of every call',
      async () => ((await this.centre.db('calls').whereNull('ended_at')).length === 0 ? true : undefined),
      60_000,
    );
    for (const agent of agents) await waitState(this.centre, agent, 'idle', 60_000);
  }

  /** Lets an agent pause, from `idle` while no call is there, or else out of a wrap-up. */
  async pause(agent: string, from: 'idle' | 'wrap-up'): Promise<void> {
    const { db } = this.centre;
    await until(
      `agent ${agent} to be free to pause`,
      async () => {
        const signIn = await openSignIn(db, 'astercc', { agent });
        const open = await db('agent_states')
          .where({ sign_in_id: signIn?.id, ended_at: null })
          .first<{ id: number; state: string; offerId: string | null } | undefined>(
            'id',
            'state',
            'offer_id as offerId',
          );
        if (!signIn || open?.state !== from) return undefined;
        // The pause goes on from the wrap-up's, which names its offer.
        const details = { reason: 'break', ...(open.offerId !== null && { offerId: open.offerId }) };
        if (!(await transition(db, signIn.id, 'pause', details, { id: open.id }))) return undefined;
        await this.membership.sync(signIn);
        this.pauses.push({ phone: phoneOfAgent(agent), from: Date.now() / 1000, to: Infinity });
        return true;
      },
      30_000,
    );
  }

  /**
   * Callers who hang up as soon as an agent is joined to them, until one of them has been faster than the agent; `prefix` is
   * what their numbers begin with. Returns how many it took.
   */
  async hasty(prefix: string): Promise<number> {
    const { asterisk, phones } = this.centre;
    for (let tries = 1; ; tries++) {
      const from = `${prefix}${tries}`;
      const caller = await Caller.call({ from, to: dids.support, server: asterisk.sip });
      phones.push(caller.phone);
      await until(`an agent for ${from}`, () => (this.joined.has(from) ? true : undefined), 60_000);
      await caller.hangup();
      const by = await until(`the end of the call of ${from}`, () => this.endedBy.get(from), 60_000);
      if (by === 'caller') return tries;
    }
  }

  async back(agent: string): Promise<void> {
    for (const pause of this.pauses)
      if (pause.phone === phoneOfAgent(agent)) pause.to = Math.min(pause.to, Date.now() / 1000);
    const result = await ready(this.centre.db, 'astercc', { agent });
    if (result.outcome === 'ready') await this.membership.sync(result.signIn);
  }

  /** Lets app_queue offer calls to phones that ring or talk, as if it had not heard of it yet; or no longer. */
  async careless(yes: boolean): Promise<void> {
    const { asterisk } = this.centre;
    for (const agent of agents)
      await asterisk.console(`queue set ringinuse ${yes ? 'yes' : 'no'} on ${phoneOfAgent(agent)}`);
    const shown = await asterisk.console('queue show');
    const members = agents.length + 4;
    const careful = shown.split('ringinuse disabled').length - 1;
    if (careful !== (yes ? 0 : members))
      throw new Error(`${careful} of ${members} are looked after: ${shown}`);
  }

  /** More wrap-ups of a phone than the dialplan has begun there: one came again. */
  get wrapUpsAgain(): string[] {
    return [...this.#begun].flatMap(([place, times]) => {
      const [phone = ''] = place.split(' ');
      const once = [...this.wrapUps.values()].filter((member) => member === phone).length;
      return times > once ? [`${times} wrap-ups of ${place}, after ${once} offers`] : [];
    });
  }

  #pause(text: (header: string) => string): void {
    const place = `${text('interface')} ${text('queue')}`;
    if (text('paused') !== '1') {
      this.#paused.delete(place);
    } else if (!this.#paused.has(place)) {
      this.#paused.add(place);
      if (text('pausedreason').startsWith('wrapup'))
        this.#begun.set(place, (this.#begun.get(place) ?? 0) + 1);
    }
  }
}

async function fill(db: Database): Promise<void> {
  // On a busy machine a phone may miss many calls one after the other; nobody is paused for it.
  const common = { wrapUp: 'answer', wrapUpSeconds, ringSeconds: 3, missedLimit: 0 };
  const fixture = team(agents.length, {
    groups: [
      { name: 'support', strategy: 'rrmemory', ...common },
      { name: 'sales', strategy: 'ringall', ...common },
    ],
  });
  const members = fixture.agents.map((agent) => ({ ...agent, groups: groupsOf(agent.number) }));
  await provision(db, {
    ...fixture,
    agents: members,
    dids: Object.entries(dids).map(([group, number]) => ({ number, to: `group:${group}` })),
  });
}
