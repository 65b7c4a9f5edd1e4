import { setTimeout as sleep } from 'node:timers/promises';
import type { Logger } from 'pino';
import type { Queryable } from '../../database/pool.js';
import { LastingFault } from '../../machine/lasting-fault.js';
import {
  callsBetween,
  callsById,
  callsByUniqueid,
  newestCall,
  sentOnSince,
  type PaidCall,
} from './limit-calls.js';
import { readLimits } from './limit-settings.js';
import type { CallCount, CallLimits, LimitedCall, LimitReached } from './limits.js';
import { LimitsReached } from './limits-reached.js';
import type { DayReading } from './limit-day.js';
import { minuteMs } from './spent.js';
import { isPaid, TeamSpending } from './team-spending.js';

/** Rows are read again for so long: of two transactions the one that began first may end last. */
const lateMs = 30_000;
/** Rows of calls, of every kind, that one statement looks at: it must be quick also after an hour without PostgreSQL. */
const rowsAtOnce = 20_000;
/** An answer outside is recorded so long after it at most, with clocks that differ. */
const lateAnswerMs = 60_000;

/**
 * The limits of calls to the outside, answered from memory. What this server lets out counts from that moment on, so by
 * itself it keeps limits of calls exactly; every few seconds the database tells of what other servers have let out, of
 * answers and of ends. While PostgreSQL is away memory goes on alone, and until the day is read what is known of it counts. Kept are the calls under way, and the sums of whoever
 * has limits and has called within the day.
 */
export class OutboundLimits implements CallLimits {
  /** By identity. */
  #teams = new Map<string, TeamSpending>();
  /** The newest row that was seen, and those that were the newest one a while ago. */
  #seen: { at: number; id: number }[] = [];
  #prunedAt = 0;
  /** One reading after the other. */
  #turn: Promise<void> = Promise.resolve();
  #timer: NodeJS.Timeout | undefined;
  /** The look that waits for its turn. */
  #refreshing: Promise<void> | undefined;
  /** Whose settings are to be read; undefined: nobody's. */
  #changed: 'all' | Set<number> | undefined;
  #following: Promise<void> | undefined;
  /** The first reading of settings, whatever has come of it. */
  #begun: Promise<void> | undefined;
  readonly #stopping = new AbortController();
  readonly #reached: LimitsReached;
  readonly #unread: LastingFault;
  readonly #unloaded: LastingFault;

  constructor(
    private readonly db: Queryable,
    private readonly node: string,
    log: Logger,
    private readonly now: () => number = Date.now,
    private readonly everyMs = 3000,
  ) {
    this.#reached = new LimitsReached(db, node, log, now);
    this.#unread = new LastingFault(log, {
      fault: 'calls to the outside cannot be read: limits go by those that this server has let out',
      over: 'calls to the outside are read again',
    });
    this.#unloaded = new LastingFault(log, {
      fault: 'limits, or what was called today, cannot be read: what is known of it counts, trying again',
      over: 'limits and what was called today are read',
    });
  }

  /** Reads the limits of all teams, or of these, and what is missing of the day's calls. @throws when it cannot be read. */
  async load(teamIds?: readonly number[]): Promise<void> {
    await this.#settings(teamIds);
    while (await this.#page());
  }

  /** Limits of all teams, or of these, may have changed: they are read by themselves, until it succeeds. Never throws. */
  changed(teamIds?: readonly number[]): void {
    if (teamIds === undefined) this.#changed = 'all';
    else if (this.#changed !== 'all') this.#changed = new Set([...(this.#changed ?? []), ...teamIds]);
    this.#following ??= this.#follow();
  }

  check({ team: identity, extension, class: numberClass, at, call }: LimitedCall): LimitReached | undefined {
    const team = this.#teams.get(identity);
    if (!team || !isPaid(numberClass)) return undefined;
    if (call !== undefined && team.isLetOut(call, at)) return undefined;
    const reached = team.reached(extension, at);
    if (call === undefined) return reached;
    if (reached) this.#reached.stopped(team.limits.id, identity, reached, at);
    else team.count(call, extension, at, this.now());
    return reached;
  }

  counts({ team, extension, class: numberClass, at }: LimitedCall): readonly CallCount[] {
    return isPaid(numberClass) ? (this.#teams.get(team)?.counts(extension, at) ?? []) : [];
  }

  /** Resolves when the limits are read, as far as they can be; the day is read meanwhile. */
  async start(): Promise<void> {
    this.#timer ??= setInterval(() => void this.refresh(), this.everyMs);
    await this.#begun;
  }

  async stop(): Promise<void> {
    clearInterval(this.#timer);
    this.#timer = undefined;
    this.#stopping.abort();
    await this.#following;
    await this.refresh();
  }

  /** Reads what has become of calls since the last time, and tells of limits. Never throws. */
  refresh(): Promise<void> {
    // One that waits for its turn reads also for whoever asks meanwhile: where PostgreSQL is slow they would become ever more.
    this.#refreshing ??= this.#inTurn(async () => {
      this.#refreshing = undefined;
      if (this.#teams.size === 0) return;
      try {
        await this.#read();
        this.#unread.over();
      } catch (error) {
        this.#unread.met((error as Error).message);
      }
    });
    return this.#refreshing;
  }

  /** How much is kept. */
  get size(): { calls: number; sums: number } {
    const sizes = [...this.#teams.values()].map(({ size }) => size);
    const total = (of: 'calls' | 'sums'): number => sizes.reduce((sum, size) => sum + size[of], 0);
    return { calls: total('calls'), sums: total('sums') };
  }

  get #isChanged(): boolean {
    return this.#changed !== undefined;
  }

  async #follow(): Promise<void> {
    while (!this.#stopping.signal.aborted) {
      const changed = this.#changed;
      this.#changed = undefined;
      try {
        if (changed !== undefined) {
          const settings = this.#settings(changed === 'all' ? undefined : [...changed]);
          this.#begun ??= settings.catch(() => undefined);
          await settings;
        }
        if ((await this.#page()) || this.#isChanged) continue;
        this.#unloaded.over();
        break;
      } catch (error) {
        this.#unloaded.met((error as Error).message);
        if (changed === 'all') this.changed();
        else if (changed) this.changed([...changed]);
        await sleep(this.everyMs, undefined, { signal: this.#stopping.signal }).catch(() => undefined);
      }
    }
    this.#following = undefined;
  }

  #settings(teamIds?: readonly number[]): Promise<void> {
    return this.#inTurn(async () => {
      // Nobody was limited until now: what came before is in the day's calls.
      if (this.#teams.size === 0) this.#seen = [{ at: this.now(), id: await newestCall(this.db) }];
      const read = await readLimits(this.db, this.node, teamIds);
      const before = this.#teams;
      const now = this.now();
      const teams = new Map(
        [...before].filter(([, { limits }]) => teamIds !== undefined && !teamIds.includes(limits.id)),
      );
      for (const limits of read) {
        const was = before.get(limits.team);
        if (was?.limits.id === limits.id) was.use(limits, now);
        teams.set(limits.team, was?.limits.id === limits.id ? was : new TeamSpending(limits, now));
      }
      // Without a pause since the answers came: no question finds a team without its limits.
      this.#teams = teams;
    });
  }

  /** Reads one page of what is missing of the day, where it has failed least; false: nothing is missing. */
  async #page(): Promise<boolean> {
    let next: { team: TeamSpending; reading: DayReading } | undefined;
    for (const team of this.#teams.values()) {
      const { reading } = team;
      if (reading && reading.failures < (next?.reading.failures ?? Infinity)) next = { team, reading };
    }
    if (!next) return false;
    const { team, reading } = next;
    await this.#inTurn(async () => {
      try {
        const calls = await reading.page(this.db, team.limits.id);
        const now = this.now();
        for (const call of calls) team.take(call, now, reading);
      } catch (error) {
        reading.failures++;
        throw error;
      }
    });
    return true;
  }

  async #read(): Promise<void> {
    const now = this.now();
    while ((this.#seen[1]?.at ?? now) <= now - lateMs) this.#seen.shift();
    const mark = this.#seen[0]?.id ?? 0;
    const since = (this.#seen[0]?.at ?? now) - lateAnswerMs;
    const open = [...this.#teams.values()].map((team) => team.open(now));
    const ids = open.flatMap((one) => one.ids);
    const uniqueids = open.flatMap((one) => one.uniqueids);
    const newest = await newestCall(this.db);
    const calls: PaidCall[] = [];
    for (let after = mark; after < newest; after += rowsAtOnce)
      calls.push(...(await callsBetween(this.db, this.node, after, Math.min(newest, after + rowsAtOnce))));
    calls.push(...(await sentOnSince(this.db, this.node, new Date(since), rowsAtOnce)));
    if (ids.length > 0) calls.push(...(await callsById(this.db, ids)));
    if (uniqueids.length > 0) calls.push(...(await callsByUniqueid(this.db, this.node, uniqueids)));
    // Looked up after the answers came: a reading of settings waits until this one is over, a question does not.
    const teams = new Map([...this.#teams.values()].map((team) => [team.limits.id, team]));
    for (const call of calls) teams.get(call.teamId)?.take(call, now);
    this.#seen.push({ at: now, id: newest });
    const sums = now - this.#prunedAt >= minuteMs;
    if (sums) this.#prunedAt = now;
    for (const team of teams.values()) team.prune(now, { mark, since }, sums);
    await this.#reached.write((teamId, reached) => {
      const team = teams.get(teamId);
      // Nothing is over before the day is read.
      return team !== undefined && (team.reading !== undefined || team.isReached(reached, now));
    });
  }

  #inTurn(work: () => Promise<void>): Promise<void> {
    const done = this.#turn.then(work);
    this.#turn = done.catch(() => undefined);
    return done;
  }
}
