import type { EventEmitter } from 'node:events';
import type { Logger } from 'pino';
import { writeOutbound, answerSteps } from '../../../domain/calls/outbound/outbound-answer.js';
import {
  callbackResults,
  Callbacks,
  type Callback,
  type CallbackOutcome,
} from '../../../domain/calls/queue/callbacks.js';
import { decideCallback } from '../../../domain/calls/outbound/callback-number.js';
import type { Outbound } from '../../../domain/calls/outbound/outbound-memory.js';
import type { TeamFacts } from '../../../domain/calls/outbound/outbound-team.js';
import type { CallStep } from '../../../domain/calls/records/steps.js';
import { isUnreachable } from '../../../domain/database/sql-errors.js';
import { LastingFault } from '../../../domain/machine/lasting-fault.js';
import type { ManagerActions } from '../../ami/manager.js';
import type { ManagerEvents } from '../../ami/settings.js';
import {
  callbackChannel,
  callbackFamily,
  callbackKey,
  callbackUniqueid,
} from '../../queue/callback-channel.js';
import { placeAmong, readArrivals } from '../../queue/places.js';
import { readEpoch, readQueues } from '../../queue/status.js';
import { queueOf } from '../../queue/names.js';
import { callBack, hangUp, isCalled, isThere, resultLine } from './callback-calls.js';
import { isAway } from './empty-queues.js';
import { Loop } from './loop.js';

const everyMs = 1000;
/** A put that was asked for and is not seen yet: Asterisk makes its channel a moment later. */
const joiningMs = 5000;
/** Before a number is looked at again that a limit, or no trunk, keeps in. */
const keptInSeconds = 60;
/** For how long Asterisk may rely on a server that puts them into the queue. */
const promisedSeconds = 10;
/** How often it is asked what the user of the manager may do. */
const rightMs = 30_000;
/** How often all queues are looked through for who stands there for nobody; after an end, at once. */
const strangersMs = 10_000;
/** Before somebody is put into a queue again that has not let them in, as one that is full. */
const notLetInSeconds = 30;

export interface CallbackServices {
  callbacks: Callbacks;
  manager: ManagerActions & Pick<EventEmitter<ManagerEvents>, 'on'>;
  outbound: Outbound;
  facts: TeamFacts;
  /** Whether this server watches the node. */
  leading: () => boolean;
  step: (step: CallStep) => void;
}

/**
 * Puts those who are to be called back into their queues, each at the place that is theirs since they arrived, and again
 * whenever nobody stands there for them: after a restart of Asterisk, of the queue, or of a server. Only the server that
 * watches the node does it. Nothing of it is kept but in the database.
 */
export class CallbackQueue extends Loop {
  constructor(services: CallbackServices, log: Logger) {
    const work = new Work(services, log);
    const failing = new LastingFault(log, {
      fault: 'those who are to be called back could not be looked at',
      over: 'those who are to be called back are looked at again',
      level: 'error',
    });
    super(async () => {
      try {
        if (services.leading() && services.manager.connected) await work.look();
        failing.over();
      } catch (error) {
        // Others tell of a database or an Asterisk that is away.
        if (!isUnreachable(error) && services.manager.connected)
          failing.met((error as Error).message, { err: error });
      }
      return everyMs;
    });
  }
}

class Work {
  /** When a put was asked for, on our monotonic clock, by its uniqueid. */
  readonly #asked = new Map<string, number>();
  /** The queues in which it is offered to nobody. */
  #full = new Set<string>();
  #mayCall = false;
  #askRightAt = 0;
  #strangersAt = 0;
  /** Somebody may stand in a queue for nobody: it is looked through at once. */
  #seekStrangers = true;
  /** Who was to be called back in the look before: an administrator, or the agent's call, may have ended it meanwhile. */
  #known = new Set<number>();
  /** The queues as they were read in this look, by name: each once, however many are to be called back there. */
  #seen = new Map<string, ReturnType<typeof readQueues>>();
  readonly #noRight: LastingFault;

  constructor(
    private readonly given: CallbackServices,
    private readonly log: Logger,
  ) {
    this.#noRight = new LastingFault(log, {
      fault: 'nobody can be called back',
      over: 'callers can be called back again',
      level: 'error',
    });
    // An Asterisk that has started anew knows nothing of whom it was asked to put there.
    given.manager.on('up', () => this.#asked.clear());
  }

  /** Results first: whoever was reached is not called again. */
  async look(): Promise<void> {
    const { callbacks } = this.given;
    this.#seen = new Map();
    const open = await callbacks.open();
    const ids = new Set(open.map(({ id }) => id));
    if ([...this.#known].some((id) => !ids.has(id))) this.#seekStrangers = true;
    this.#known = ids;
    const wanted = open.length > 0 || (await callbacks.anywhere());
    if (!wanted && !this.#seekStrangers) return;
    await this.#settle();
    // Where nobody may ask to be called back, no right is missed.
    if (wanted) await this.#promise();
    const queues = new Map<string, Callback[]>();
    for (const one of open) {
      const queue = queueOf(one.team, one.group);
      queues.set(queue, [...(queues.get(queue) ?? []), one]);
    }
    await this.#takeOut(open);
    if (this.#mayCall) for (const ofQueue of queues.values()) await this.#put(ofQueue);
  }

  /**
   * Tells Asterisk that callers may be called back, for the seconds that a change of the watch takes. A user of the manager
   * without the class `originate` puts nobody into a queue: then it is offered to nobody.
   */
  async #promise(): Promise<void> {
    const { manager } = this.given;
    if (performance.now() >= this.#askRightAt) {
      const { headers } = await manager.action('ListCommands');
      this.#mayCall = headers.has('originate');
      this.#askRightAt = performance.now() + rightMs;
      if (this.#mayCall) this.#noRight.over();
      else
        this.#noRight.met(
          'the user of the manager lacks the class originate: write = agent,call,reporting,originate in manager.conf',
        );
    }
    if (!this.#mayCall) return;
    const until = (await readEpoch(manager)) + promisedSeconds;
    await manager.action('Setvar', { Variable: 'STAR64_CALLBACKS', Value: String(until) });
    // Where as many are to be called back as may be it is offered to nobody else.
    const full = new Set((await this.given.callbacks.full()).map(({ team, group }) => queueOf(team, group)));
    for (const queue of new Set([...this.#full, ...full]))
      await manager.action('Setvar', {
        Variable: `GLOBAL(STAR64_CALLBACKS_${queue})`,
        Value: full.has(queue) ? String(until) : '0',
      });
    this.#full = full;
  }

  /** What came of calls, as the dialplan has left it, of an answer at once; each line is removed once it is recorded. */
  async #settle(): Promise<void> {
    const { manager, callbacks } = this.given;
    const { headers } = await manager.action('Getvar', { Variable: `DB_KEYS(${callbackFamily})` });
    const keys = (headers.get('value') ?? '')
      .split(',')
      .filter((key) => /^[0-9]{1,15}-[0-9]{1,9}$/.test(key));
    if (keys.length === 0) return;
    const now = await readEpoch(manager);
    for (const key of keys) {
      const line = await resultLine(this.given.manager, key);
      const [word = '', epoch = '', channel = ''] = line.split('|');
      const result = callbackResults.find((one) => one === word);
      const put = callbackChannel(channel);
      if (result && put && callbackKey(put) === key) {
        const secondsAgo = Math.max(0, now - Number(epoch)) || 0;
        const settled = await callbacks.settle({ ...put, result, channel, put: put.put, secondsAgo });
        if (settled?.call != null) this.#tell(settled.call, 'callback-tried', { result, by: channel });
        if (settled?.call != null && settled.outcome !== null)
          this.#tell(settled.call, 'callback-over', { outcome: settled.outcome });
      } else this.log.error({ key, line }, 'what came of a callback cannot be read');
      await manager.action('Setvar', { Variable: `DB_DELETE(${callbackFamily}/${key})`, Value: '' });
    }
  }

  /** Those of whom nobody is called back any more, unless an agent is calling them. */
  async #takeOut(open: readonly Callback[]): Promise<void> {
    const { facts } = this.given;
    for (const one of open) {
      const closed =
        one.hours !== null && facts.hours(one.team, one.hours, Date.now())?.open === false ? 'closed' : null;
      const over = one.over ?? closed;
      if (over !== null && (await this.#state(one)) !== 'called') await this.#end(one, over);
    }
    await this.#removeStrangers(open);
  }

  /**
   * Whoever stands in a queue for somebody who is not called back any more leaves it, and whom a server put there that hung
   * between its claim and the put, so that another one has put them there meanwhile. Not somebody who has been called: an
   * agent has sent them there.
   */
  async #removeStrangers(open: readonly Callback[]): Promise<void> {
    const { manager } = this.given;
    if ((open.length === 0 || performance.now() < this.#strangersAt) && !this.#seekStrangers) return;
    this.#seekStrangers = false;
    this.#strangersAt = performance.now() + strangersMs;
    const { waiting } = await readQueues(manager);
    // Read after the queues: who was put there in between is known.
    const puts = new Map((await this.given.callbacks.open()).map((one) => [one.id, one.puts]));
    for (const { uniqueid, channel } of waiting) {
      const callback = callbackChannel(uniqueid);
      if (callback && callback.put !== puts.get(callback.id) && !(await isCalled(manager, uniqueid)))
        await hangUp(manager, channel);
    }
    if (open.length === 0) this.#asked.clear();
  }

  /** One queue: the first who is missing there, and the next ones once that one has joined. */
  async #put(ofQueue: readonly Callback[]): Promise<void> {
    const [first] = ofQueue;
    if (!first) return;
    const { manager, callbacks } = this.given;
    const { members } = await this.#queue(first);
    // A queue without anybody who is there lets nobody wait (EmptyQueues).
    if (members.every(isAway)) return;
    for (const one of ofQueue) {
      if (!one.due) continue;
      const state = await this.#state(one);
      if (state === 'joining') return;
      if (state === 'not-let-in') {
        await callbacks.later(one.id, notLetInSeconds);
        continue;
      }
      if (state !== 'missing') continue;
      const decision = await decideCallback(this.given.outbound, one.team, one.number);
      if (decision?.go !== true) {
        const forGood =
          decision !== undefined && decision.refused !== 'limit' && decision.refused !== 'no-trunk';
        if (forGood) await this.#end(one, 'refused');
        else await callbacks.later(one.id, keptInSeconds);
        continue;
      }
      const callerId = shownBack(this.given.facts, one) ?? decision.callerId;
      const way = writeOutbound({
        ...decision,
        callerId,
        steps: answerSteps(decision.steps),
        emergency: false,
      });
      const place = placeAmong(one, await readArrivals(manager, callbacks, one.team, one.group));
      // Their call may have ended a moment ago: its result first.
      if (
        one.puts > 0 &&
        (await resultLine(this.given.manager, callbackKey({ id: one.id, put: one.puts }))) !== ''
      )
        return;
      if (!(await callbacks.claim(one.id, one.puts))) continue;
      if (one.puts > 0) this.#seekStrangers = true;
      await this.#originate({ ...one, puts: one.puts + 1 }, place, way);
      return;
    }
  }

  async #originate(one: Callback, place: number, way: string): Promise<void> {
    const uniqueid = callbackUniqueid({ id: one.id, put: one.puts });
    this.#asked.set(uniqueid, performance.now());
    await callBack(this.given.manager, one, place, way);
    const { team, group, id } = one;
    this.log.info(
      { team, group, callback: id, place },
      'somebody who is to be called back waits in the queue',
    );
    if (one.call !== null) this.#tell(one.call, 'callback-put', { group, place: String(place) });
  }

  /** The queue of a callback, read once in a look. */
  #queue({ team, group }: Callback): ReturnType<typeof readQueues> {
    const queue = queueOf(team, group);
    const seen = this.#seen.get(queue) ?? readQueues(this.given.manager, { queue });
    this.#seen.set(queue, seen);
    return seen;
  }

  /**
   * Whether somebody stands in the queue, or is about to, or an agent calls; `missing`: none of these; `not-let-in`: this
   * server has just put somebody there, and they are in neither.
   */
  async #state(one: Callback): Promise<'waiting' | 'called' | 'joining' | 'missing' | 'not-let-in'> {
    const { id, puts } = one;
    if (puts === 0) return 'missing';
    const uniqueid = callbackUniqueid({ id, put: puts });
    const { waiting } = await this.#queue(one);
    const asked = this.#asked.get(uniqueid);
    if (waiting.some((other) => other.uniqueid === uniqueid)) {
      this.#asked.delete(uniqueid);
      return (await isCalled(this.given.manager, uniqueid)) ? 'called' : 'waiting';
    }
    if (asked !== undefined && performance.now() - asked < joiningMs) return 'joining';
    if (await isThere(this.given.manager, uniqueid)) return 'called';
    this.#asked.delete(uniqueid);
    return asked === undefined ? 'missing' : 'not-let-in';
  }

  async #end(one: Callback, outcome: CallbackOutcome): Promise<void> {
    if (!(await this.given.callbacks.end(one.id, outcome))) return;
    this.#seekStrangers = true;
    this.log.info({ team: one.team, group: one.group, callback: one.id, outcome }, 'nobody is called back');
    if (one.call !== null) this.#tell(one.call, 'callback-over', { outcome });
  }

  #tell(call: string, kind: string, facts: Record<string, string>): void {
    this.given.step({ call, kind, facts });
  }
}

/** The number that who is called back had dialled, if it is still the team's. */
export const shownBack = (
  facts: TeamFacts,
  { team, did }: Pick<Callback, 'team' | 'did'>,
): string | undefined => (did === null ? undefined : facts.did(team, did));
