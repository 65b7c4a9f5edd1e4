import type { Logger } from 'pino';
import type { Queryable } from '../database/pool.js';
import { LastingFault } from '../machine/lasting-fault.js';
import { callsBetween, callsById, callsSince, newestCall, type PaidCall } from './limit-calls.js';
import { readLimits, type TeamLimits } from './limit-settings.js';
import type { CallCount, CallLimits, LimitedCall, LimitReached } from './limits.js';
import { LimitsReached } from './limits-reached.js';
import { hourMs, minuteMs } from './spent.js';
import { countsTheSame, isPaid, longestMs, TeamSpending } from './team-spending.js';

/** Rows are read again for so long: of two transactions the one that began first may end last. */
const lateMs = 30_000;
/** Rows of calls, of every kind, that one statement looks at: it must be quick also after an hour without PostgreSQL. */
const rowsAtOnce = 20_000;
/** Teams whose calls of the day are read in one statement. */
const teamsAtOnce = 20;

/**
 * The limits of calls to the outside, answered from memory. What this server lets out counts from that moment on, so by
 * itself it keeps limits of calls exactly; every few seconds the database tells of what other servers have let out, of
 * answers and of ends. While PostgreSQL is away memory goes on alone. Kept are the calls under way, and the sums of whoever
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
  readonly #reached: LimitsReached;
  readonly #unread: LastingFault;

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
  }

  /** Reads the limits of all teams, or of these, and the day's calls where they are counted for others than before. */
  load(teamIds?: readonly number[]): Promise<void> {
    return this.#inTurn(async () => {
      // Nobody was limited until now: what came before is in the day's calls.
      if (this.#teams.size === 0) this.#seen = [{ at: this.now(), id: await newestCall(this.db) }];
      const read = await readLimits(this.db, this.node, teamIds);
      const before = this.#teams;
      const counted = ({ team }: TeamLimits): TeamSpending | undefined => before.get(team);
      const anew = read.filter((limits) => {
        const was = counted(limits);
        return was === undefined || !countsTheSame(was.limits, limits);
      });
      const calls = await this.#callsOfDay(anew);
      const now = this.now();
      const teams = new Map(
        [...before].filter(([, { limits }]) => teamIds !== undefined && !teamIds.includes(limits.id)),
      );
      for (const limits of read) {
        const was = counted(limits);
        if (was && !anew.includes(limits)) was.limits = limits;
        const team = was && !anew.includes(limits) ? was : new TeamSpending(limits);
        if (team !== was) {
          for (const call of calls.get(limits.id) ?? []) team.take(call, now);
          if (was) team.takeOver(was, now);
        }
        teams.set(limits.team, team);
      }
      // Without a pause since the answers came: no question finds a team without its limits.
      this.#teams = teams;
    });
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

  start(): void {
    this.#timer ??= setInterval(() => void this.refresh(), this.everyMs);
  }

  async stop(): Promise<void> {
    clearInterval(this.#timer);
    this.#timer = undefined;
    await this.refresh();
  }

  /** Reads what has become of calls since the last time, and tells of limits. Never throws. */
  refresh(): Promise<void> {
    return this.#inTurn(async () => {
      if (this.#teams.size === 0) return;
      try {
        await this.#read();
        this.#unread.over();
      } catch (error) {
        this.#unread.met((error as Error).message);
      }
    });
  }

  /** How much is kept. */
  get size(): { calls: number; sums: number } {
    const sizes = [...this.#teams.values()].map(({ size }) => size);
    const total = (of: 'calls' | 'sums'): number => sizes.reduce((sum, size) => sum + size[of], 0);
    return { calls: total('calls'), sums: total('sums') };
  }

  async #read(): Promise<void> {
    const now = this.now();
    while ((this.#seen[1]?.at ?? now) <= now - lateMs) this.#seen.shift();
    const mark = this.#seen[0]?.id ?? 0;
    const open = [...this.#teams.values()].flatMap((team) => team.openIds(now));
    const newest = await newestCall(this.db);
    const calls: PaidCall[] = [];
    for (let after = mark; after < newest; after += rowsAtOnce)
      calls.push(...(await callsBetween(this.db, this.node, after, Math.min(newest, after + rowsAtOnce))));
    if (open.length > 0) calls.push(...(await callsById(this.db, open)));
    // Looked up after the answers came: a reading of settings waits until this one is over, a question does not.
    const teams = new Map([...this.#teams.values()].map((team) => [team.limits.id, team]));
    for (const call of calls) teams.get(call.teamId)?.take(call, now);
    this.#seen.push({ at: now, id: newest });
    const sums = now - this.#prunedAt >= minuteMs;
    if (sums) this.#prunedAt = now;
    for (const team of teams.values()) team.prune(now, mark, sums);
    await this.#reached.write((teamId, reached) => teams.get(teamId)?.isReached(reached, now) === true);
  }

  async #callsOfDay(teams: readonly TeamLimits[]): Promise<Map<number, PaidCall[]>> {
    const now = this.now();
    const found = new Map<number, PaidCall[]>();
    for (let first = 0; first < teams.length; first += teamsAtOnce) {
      const some = teams.slice(first, first + teamsAtOnce);
      const ended = Math.min(now - hourMs - minuteMs, ...some.map(({ clock }) => clock.dayFrom(now)));
      const calls = await callsSince(
        this.db,
        some.map(({ id }) => id),
        { began: new Date(ended - longestMs), ended: new Date(ended) },
      );
      for (const call of calls) {
        const ofTeam = found.get(call.teamId);
        if (ofTeam) ofTeam.push(call);
        else found.set(call.teamId, [call]);
      }
    }
    return found;
  }

  #inTurn(work: () => Promise<void>): Promise<void> {
    const done = this.#turn.then(work);
    this.#turn = done.catch(() => undefined);
    return done;
  }
}
