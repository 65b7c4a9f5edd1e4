import type { Logger } from 'pino';
import { endOffer, transition } from '../../domain/presence/agent-state.js';
import {
  callAnswered,
  callQueued,
  callsEnded,
  findQueue,
  markAbandoned,
  type Queue,
} from '../../domain/calls/calls.js';
import { failureOf } from '../../domain/database/sql-errors.js';
import { type Database } from '../../domain/database/pool.js';
import { openSignIn, type SignIn } from '../../domain/presence/open-sign-in.js';
import { statesBefore } from '../../domain/presence/transitions.js';
import { beginWrapUp } from '../../domain/presence/wrap-up.js';
import type { AmiMessage } from '../ami/message.js';
import { phoneOf } from '../queue/names.js';

/** The events that the observer needs; nothing else is asked of Asterisk. */
export const observedEvents = [
  'AgentCalled',
  'AgentConnect',
  'QueueCallerJoin',
  'QueueCallerAbandon',
  'Hangup',
  'UserEvent',
] as const;

const endsEveryMs = 100;
/** No arrival is recorded later than this, unless PostgreSQL was away. */
const arrivalsLateMs = 1000;

/**
 * Turns Asterisk's events into states of agents and rows of calls. Events are hints: what is missed, or comes while
 * PostgreSQL is away, is found by the reconciliation.
 */
export class Observer {
  /** Events of one phone or one call are worked off in their order; those of others side by side. */
  readonly #chains = new Map<string, Promise<void>>();
  /** Callers that joined a queue: their channel need not be the first of its call. */
  readonly #queued = new Set<string>();
  /** Calls whose end is not in the database, and since when. */
  #ended = new Map<string, number>();
  #endTimer: NodeJS.Timeout | undefined;

  constructor(
    private readonly db: Database,
    private readonly log: Logger,
    private readonly hooks: { deadlineSet: () => void; missed: () => void },
  ) {}

  /** Takes one event. Never throws. */
  take(event: AmiMessage): void {
    const work = this.#workFor(event);
    if (work) this.#chain(work.key, work.run);
  }

  /** Resolves when everything taken so far is in the database, or has failed to get there. */
  async settled(): Promise<void> {
    while (this.#chains.size > 0) await Promise.all(this.#chains.values());
    await this.#writeEnds();
    clearTimeout(this.#endTimer);
    this.#endTimer = undefined;
  }

  #workFor(event: AmiMessage): { key: string; run: () => Promise<void> } | undefined {
    const uniqueid = event.headers.get('uniqueid') ?? '';
    switch (event.name) {
      case 'AgentCalled':
        return this.#forPhone(event.headers.get('interface'), (signIn) => this.#offered(signIn, event));
      case 'AgentConnect':
        return this.#forPhone(
          event.headers.get('interface'),
          (signIn) => this.#connected(signIn, event),
          // Signed out while it rang, and answered in that moment.
          () => this.#answered(event, event.headers.get('membername') ?? ''),
        );
      case 'UserEvent':
        if (event.headers.get('userevent') !== 'Star64OfferEnd') return undefined;
        return this.#forPhone(event.headers.get('member'), (signIn) => this.#offerEnded(signIn, event));
      case 'QueueCallerJoin':
        this.#queued.add(uniqueid);
        return this.#forCall(uniqueid, event.headers.get('queue'), (queue) =>
          callQueued(this.db, queue, uniqueid, event.headers.get('calleridnum') ?? null),
        );
      case 'QueueCallerAbandon':
        return this.#forCall(uniqueid, event.headers.get('queue'), (queue) =>
          markAbandoned(this.db, queue.teamId, uniqueid),
        );
      case 'Hangup':
        // The caller's is the channel that began the call, unless a hand-written dialplan has put others before it.
        if (this.#queued.delete(uniqueid) || uniqueid === event.headers.get('linkedid'))
          this.#hungUp(uniqueid);
        return undefined;
      default:
        return undefined;
    }
  }

  #forPhone(
    device: string | undefined,
    run: (signIn: SignIn) => Promise<void>,
    orElse?: () => Promise<void>,
  ) {
    const phone = phoneOf(device ?? '');
    if (!phone) return undefined;
    return {
      key: `${phone.team}-${phone.extension}`,
      run: async (): Promise<void> => {
        const signIn = await openSignIn(this.db, phone.team, { extension: phone.extension });
        await (signIn ? run(signIn) : orElse?.());
      },
    };
  }

  #forCall(uniqueid: string, name: string | undefined, run: (queue: Queue) => Promise<void>) {
    return {
      key: uniqueid,
      run: async (): Promise<void> => {
        const queue = await findQueue(this.db, name ?? '');
        if (queue) await run(queue);
      },
    };
  }

  async #offered(signIn: SignIn, event: AmiMessage): Promise<void> {
    const queue = await findQueue(this.db, event.headers.get('queue') ?? '');
    await this.#record('offer', signIn, event, queue);
  }

  async #connected(signIn: SignIn, event: AmiMessage): Promise<void> {
    const queue = await findQueue(this.db, event.headers.get('queue') ?? '');
    await this.#record('connect', signIn, event, queue);
    await this.#answered(event, signIn.agent, queue);
  }

  async #answered(event: AmiMessage, agent: string, known?: Queue): Promise<void> {
    const queue = known ?? (await findQueue(this.db, event.headers.get('queue') ?? ''));
    if (queue) await callAnswered(this.db, queue.teamId, event.headers.get('uniqueid') ?? '', agent);
  }

  /** Whatever Asterisk says is so; an offer to somebody who is not idle is worth a warning all the same. */
  async #record(
    what: 'offer' | 'connect',
    signIn: SignIn,
    event: AmiMessage,
    queue: Queue | undefined,
  ): Promise<void> {
    const offerId = event.headers.get('destuniqueid');
    const begun = await transition(this.db, signIn.id, what, {
      ...(offerId !== undefined && { offerId }),
      callUniqueid: event.headers.get('uniqueid') ?? '',
      ...(queue && { groupId: queue.groupId }),
    });
    if (!begun || statesBefore(what).includes(begun.before)) return;
    this.log.warn(
      { team: signIn.team, agent: signIn.agent, before: begun.before, state: begun.state },
      'a state began that does not follow from the one before',
    );
  }

  async #offerEnded(signIn: SignIn, event: AmiMessage): Promise<void> {
    const offer = event.headers.get('offer') ?? '';
    if (event.headers.get('wrapup') !== 'yes') {
      await endOffer(this.db, signIn.id, offer);
      return;
    }
    const queue = await findQueue(this.db, event.headers.get('queue') ?? '');
    await beginWrapUp(this.db, signIn.id, offer, queue);
    this.hooks.deadlineSet();
  }

  #hungUp(uniqueid: string): void {
    this.#ended.set(uniqueid, performance.now());
    this.#endSoon();
  }

  #endSoon(): void {
    this.#endTimer ??= setTimeout(() => {
      this.#endTimer = undefined;
      this.#chain('ends', () => this.#writeEnds());
    }, endsEveryMs);
  }

  /** A short call may be over before another server has recorded its arrival: its end is tried again for a while. */
  async #writeEnds(): Promise<void> {
    const ended = this.#ended;
    this.#ended = new Map();
    if (ended.size === 0) return;
    await this.#guarded(async () => {
      for (const uniqueid of await callsEnded(this.db, [...ended.keys()], 'unanswered'))
        ended.delete(uniqueid);
      const tooLate = performance.now() - arrivalsLateMs;
      for (const [uniqueid, since] of ended) if (since > tooLate) this.#ended.set(uniqueid, since);
      if (this.#ended.size > 0) this.#endSoon();
    });
  }

  #chain(key: string, run: () => Promise<void>): void {
    const previous = this.#chains.get(key) ?? Promise.resolve();
    const next = previous
      .then(() => this.#guarded(run))
      .finally(() => {
        if (this.#chains.get(key) === next) this.#chains.delete(key);
      });
    this.#chains.set(key, next);
  }

  async #guarded(run: () => Promise<void>): Promise<void> {
    try {
      await run();
    } catch (error) {
      this.hooks.missed();
      if (failureOf(error) === undefined) this.log.error({ err: error }, 'an event could not be recorded');
    }
  }
}
