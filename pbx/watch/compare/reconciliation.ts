import { setTimeout as sleep } from 'node:timers/promises';
import type { Logger } from 'pino';
import type { OfferCounts } from '../../../domain/calls/queue/offer-counts.js';
import type { Database } from '../../../domain/database/pool.js';
import { isUnreachable } from '../../../domain/database/sql-errors.js';
import { signInFixedAgents } from '../../../domain/presence/fixed-agents.js';
import type { ManagerActions } from '../../ami/manager.js';
import type { QueueMembership } from '../../queue/membership.js';
import { CompareCalls, CompareCallsOut, CompareEndedCalls } from './calls.js';
import { CompareDirectCalls } from './direct-calls.js';
import { CompareHolds } from './holds.js';
import { CompareHours } from './hours.js';
import { CompareLamps } from './lamps.js';
import { CompareLeftCalls } from './left-calls.js';
import { CompareMembers } from './members.js';
import { ComparePopups } from './popups.js';
import { CompareRemovedGroups } from './removed-groups.js';
import { CompareStates } from './states.js';
import { CompareSupervisions } from './supervisions.js';
import { lookWith, type Comparison, type Difference, type Step } from './step.js';
import type { EventRoundTrip } from './round-trip.js';
import { takeSnapshot, type Snapshot } from './snapshot.js';

/** Between two snapshots. Longer than an event takes to become a row, and far below what a person notices. */
const betweenSnapshotsMs = 250;

/** What these steps compare is told by events, which may only be late: see EventRoundTrip. */
const toldByEvents: ReadonlySet<string> = new Set([
  'ended calls',
  'ended calls to the outside',
  'waiting and answered calls',
  'calls on hold',
  'states of agents',
  'supervisions',
  'popups',
]);

/** The result of a reconciliation. */
export interface Reconciled {
  /** How many differences are gone. */
  mended: number;
  /** The steps that could not be done; the others were. */
  failed: string[];
}

/**
 * Compares one Asterisk node with what the database has of it and mends what differs: members that are missing or too many, states whose
 * event was lost, lamps, calls whose end nobody saw. It may run at any moment. What one snapshot shows may be on its way to
 * agreeing, so only a difference that two show, with the same state row and the same member, is worked on; a third, and
 * for what is left a fourth, shows whether that has mended it.
 */
export class Reconciliation {
  /** Calls come first: mending states and members takes longer, and what was seen of a call is stale soon. */
  readonly #steps: ReadonlyMap<string, (asterisk: Snapshot) => Promise<Comparison>>;

  constructor(
    private readonly db: Database,
    private readonly node: string,
    private readonly manager: ManagerActions,
    membership: QueueMembership,
    private readonly log: Logger,
    private readonly events?: Pick<EventRoundTrip, 'run'>,
    offers?: OfferCounts,
  ) {
    const steps = new Map<string, (asterisk: Snapshot) => Promise<Comparison>>();
    const add = <D extends Difference>(step: Step<D>): void => {
      steps.set(step.name, (asterisk) => lookWith(step, asterisk));
    };
    add(new CompareEndedCalls(db, node, offers));
    add(new CompareLeftCalls(db, node, manager, log));
    add(new CompareCallsOut(db, node));
    add(new CompareCalls(db, node, offers));
    add(new CompareHolds(db, node, manager));
    add(new CompareStates(db, node, manager, membership));
    add(new CompareMembers(db, node, membership));
    add(new CompareDirectCalls(manager));
    add(new CompareHours(db, node, manager));
    add(new CompareLamps(db, node, manager, membership));
    add(new CompareSupervisions(db, node));
    add(new ComparePopups(db, node));
    add(new CompareRemovedGroups(db, node));
    this.#steps = steps;
  }

  /**
   * Each step is done, or fails, for itself. @throws when Asterisk cannot be asked, or nothing works with PostgreSQL.
   */
  async run(): Promise<Reconciled> {
    const failed = new Set<string>();
    await this.#attempt('fixed agents', failed, () => signInFixedAgents(this.db));
    const first = await this.#look(this.#steps.keys(), failed);
    if (first.size === 0) return { mended: 0, failed: [...failed] };
    const late = [...first.keys()].some((name) => toldByEvents.has(name));
    await Promise.all([sleep(betweenSnapshotsMs), late ? this.events?.run() : undefined]);
    const second = await this.#look(first.keys(), failed);
    const worked = new Map<string, readonly string[]>();
    for (const [name, comparison] of second) {
      const before = new Set(first.get(name)?.keys);
      const lasting = comparison.keys.filter((key) => before.has(key));
      if (lasting.length === 0) continue;
      for (const difference of lasting) this.log.info({ difference }, 'Asterisk and the database differ');
      await this.#attempt(name, failed, () => comparison.mend(lasting));
      worked.set(name, lasting);
    }
    return { mended: await this.#whatIsMended(worked, failed), failed: [...failed] };
  }

  /**
   * A third look, at what was worked on: mended is what is no longer there. What is there still is looked at once more a moment
   * later: Asterisk lists a presence from a cache, which on a busy machine learns of a new one after it was acknowledged.
   */
  async #whatIsMended(worked: ReadonlyMap<string, readonly string[]>, failed: Set<string>): Promise<number> {
    if (worked.size === 0) return 0;
    const left = await this.#stillThere(worked, failed);
    if (left.size > 0) await sleep(betweenSnapshotsMs);
    const lasting = left.size > 0 ? await this.#stillThere(left, failed) : left;
    let mended = 0;
    for (const [step, keys] of worked) {
      const still = lasting.get(step) ?? [];
      mended += keys.length - still.length;
      if (still.length < keys.length) this.log.info({ step, mended: keys.length - still.length }, 'mended');
      if (still.length > 0) this.log.warn({ step, left: still }, 'still differs: it could not be mended');
    }
    return mended;
  }

  /** Which of these differences one more look shows, by step. */
  async #stillThere(
    among: ReadonlyMap<string, readonly string[]>,
    failed: Set<string>,
  ): Promise<Map<string, readonly string[]>> {
    const seen = await this.#look(among.keys(), failed);
    const still = new Map<string, readonly string[]>();
    for (const [step, keys] of among) {
      const now = new Set(seen.get(step)?.keys);
      const left = keys.filter((key) => now.has(key));
      if (left.length > 0) still.set(step, left);
    }
    return still;
  }

  /** One snapshot, and what these steps see in it; those that see nothing are left out. */
  async #look(names: Iterable<string>, failed: Set<string>): Promise<Map<string, Comparison>> {
    const asterisk = await takeSnapshot(this.manager, this.db, this.node);
    const seen = new Map<string, Comparison>();
    for (const name of names) {
      const comparison = await this.#attempt(name, failed, () => this.#steps.get(name)?.(asterisk));
      if (comparison && comparison.keys.length > 0) seen.set(name, comparison);
    }
    return seen;
  }

  /** A step that fails is said and left out (undefined); only where no other could do better is it the end of all. */
  async #attempt<T>(name: string, failed: Set<string>, work: () => T | Promise<T>): Promise<T | undefined> {
    try {
      return await work();
    } catch (error) {
      if (isUnreachable(error) || !this.manager.connected) throw error;
      failed.add(name);
      const { message: reason } = error as Error;
      this.log.warn({ step: name, reason }, 'a step of the reconciliation failed, the others go on');
      return undefined;
    }
  }
}
