import { setTimeout as sleep } from 'node:timers/promises';
import type { Logger } from 'pino';
import { readChange } from '../../domain/database/changes.js';
import { LastingFault } from '../../domain/machine/lasting-fault.js';
import type { Part } from './parts.js';

/** The tables that say where a call goes, when, how a DID is written, and who may call what outside, how much; what else is provisioned concerns only the queues of Asterisk. */
const routingTables = new Set([
  'teams',
  'dids',
  'destinations',
  'did_rules',
  'bindings',
  'trunks',
  'hours',
  'hours_rules',
  'agent_groups',
  'ring_groups',
  'ring_group_members',
  'extensions',
  'user_groups',
  'user_group_members',
  'number_classes',
]);

/** At most one reload and one reconciliation within this time, however much is changed in it. */
export const gatherMs = 1000;

/** What answers questions about calls from memory; see `Routing`. */
export interface Remembered {
  /** Reads everything, or what belongs to these teams. On failure the old answers stay. */
  load(teamIds?: readonly number[]): Promise<void>;
}

/** What is to be read again: whole, or the routing of these teams; and whether Asterisk may differ from the database. */
interface Changes {
  all: boolean;
  teams: Set<number>;
  any: boolean;
}

const none = (): Changes => ({ all: false, teams: new Set(), any: false });

/**
 * Keeps the routing and the queues of Asterisk in step with what is provisioned: gathers what it is told of, reads the
 * routing of those teams again, and asks for one reconciliation, after which agents who are signed in are in the queues
 * of their groups without signing in again.
 */
export class ProvisioningChanges implements Part {
  readonly name = 'provisioning';
  #waiting = none();
  #started = false;
  #running: Promise<void> | undefined;
  readonly #stopping = new AbortController();
  readonly #unread: LastingFault;

  constructor(
    private readonly remembered: readonly Remembered[],
    private readonly reconcileSoon: () => void,
    log: Logger,
    private readonly everyMs = gatherMs,
  ) {
    this.#unread = new LastingFault(log, {
      fault: 'routing could not be read: the last known stands, trying again every second',
      over: 'routing is read again',
    });
  }

  /** Reads the routing for the first time. @throws when it cannot be read. */
  async start(): Promise<void> {
    // What was told before is in what is read now.
    this.#waiting = none();
    await this.#load();
    this.#started = true;
    this.#next();
  }

  /** Takes what a change has told; undefined: anything may have changed. Never throws. */
  take(payload: string | undefined): void {
    const change = payload === undefined ? undefined : readChange(payload);
    this.#waiting.any = true;
    if (!change) this.#waiting.all = true;
    else if (routingTables.has(change.table)) this.#waiting.teams.add(change.teamId);
    this.#next();
  }

  /** Resolves when what is under way is done. */
  async stop(): Promise<void> {
    this.#stopping.abort();
    await this.#running;
  }

  #next(): void {
    if (this.#started && this.#waiting.any && !this.#stopping.signal.aborted) this.#running ??= this.#run();
  }

  async #load(teamIds?: readonly number[]): Promise<void> {
    for (const one of this.remembered) await one.load(teamIds);
  }

  /** One batch after the other, since of two the older answer could come last. */
  async #run(): Promise<void> {
    while (this.#waiting.any && !this.#stopping.signal.aborted) {
      const batch = this.#waiting;
      this.#waiting = none();
      try {
        if (batch.all) await this.#load();
        else if (batch.teams.size > 0) await this.#load([...batch.teams]);
        this.#unread.over();
        this.reconcileSoon();
      } catch (error) {
        this.#unread.met((error as Error).message);
        this.#waiting.any = true;
        this.#waiting.all ||= batch.all;
        for (const team of batch.teams) this.#waiting.teams.add(team);
      }
      await sleep(this.everyMs, undefined, { signal: this.#stopping.signal }).catch(() => undefined);
    }
    this.#running = undefined;
  }
}
