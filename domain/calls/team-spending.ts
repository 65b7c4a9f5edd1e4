import type { PaidCall } from './limit-calls.js';
import type { Limited, TeamLimits } from './limit-settings.js';
import type { CallCount, LimitReached } from './limits.js';
import type { Reached } from './limits-reached.js';
import { hourMs, minuteMs, Spent, type Running, type Sum } from './spent.js';

/** Classes that cost money. */
const paid = new Set(['national', 'mobile', 'international', 'premium']);

/** Whether calls of a class count; of a call without a server it is not known, and it counts. */
export const isPaid = (numberClass: string | null): boolean => numberClass === null || paid.has(numberClass);

/** Who is asked twice about one call, by the phone's second server say, is asked within this. */
const sameCallMs = 10_000;
/** A call that is open for longer is looked at no more. */
export const longestMs = 24 * hourMs;

/** A call that counts, until it is over and its row is an old one. */
interface Kept {
  readonly extension: string | null;
  readonly at: number;
  readonly night: boolean;
  /** Where it counts. */
  readonly spent: readonly Spent[];
  /** Of its row. */
  id?: number;
  answered?: number;
  over?: true;
  /** It has turned out to be refused. */
  none?: true;
}

/** What a team has spent, and what it may. */
export class TeamSpending {
  /** By who has spent it: `team astercc`, `extension 5000`. */
  readonly #spent = new Map<string, Spent>();
  /** By Asterisk's uniqueid. */
  readonly #calls = new Map<string, Kept>();

  constructor(public limits: TeamLimits) {}

  get size(): { calls: number; sums: number } {
    return { calls: this.#calls.size, sums: this.#spent.size };
  }

  /** The calls that are looked at again, by the ids of their rows. */
  openIds(now: number): number[] {
    return [...this.#calls.values()].flatMap(({ id, over, at }) =>
      id !== undefined && !over && at > now - longestMs ? [id] : [],
    );
  }

  /** Whether this call has been let out a moment ago. */
  isLetOut(uniqueid: string, at: number): boolean {
    const kept = this.#calls.get(uniqueid);
    return kept !== undefined && at - kept.at < sameCallMs;
  }

  /** The limit that whoever calls has reached, the nearest to them first. */
  reached(extension: string | null, at: number): LimitReached | undefined {
    for (const owner of ownersOf(this.limits, extension)) {
      const reached = this.#reachedBy(owner, at);
      if (reached) return reached;
    }
    return undefined;
  }

  /** Whether one limit is reached still. */
  isReached({ of, name, limit }: Reached, at: number): boolean {
    const owner = everybody(this.limits).find((one) => one.of === of && one.name === name);
    const most = owner?.most.filter(([one]) => one === limit) ?? [];
    return owner !== undefined && this.#reachedBy({ ...owner, most }, at) !== undefined;
  }

  /** The most calls at a time; see `CallLimits.counts`. */
  counts(extension: string | null, at: number): CallCount[] {
    const share = this.#shareAt(at);
    const counts = ownersOf(this.limits, extension).flatMap(({ of, name, atOnce }) => {
      if (atOnce === null) return [];
      const whose = of === 'team' ? of : `${of === 'extension' ? of : 'group'}-${name}`;
      return [{ name: whose, most: part(atOnce, share) }];
    });
    return counts.reverse();
  }

  /** A call is let out. Those of a channel that calls again have one row, which is the first one's: it goes by the last. */
  count(uniqueid: string, extension: string | null, at: number, now: number): void {
    const { clock } = this.limits;
    const night = clock.isNight(at);
    const day = clock.dayFrom(now);
    const spent = ownersOf(this.limits, extension)
      .filter(({ most }) => most.length > 0)
      .map((owner) => this.#spentBy(owner));
    for (const one of spent) one.call(at, night, day);
    this.#calls.set(uniqueid, { extension, at, night, spent });
  }

  /** Takes what a row says of a call. */
  take(call: PaidCall, now: number): void {
    const counts = call.refused === null && isPaid(call.class);
    if (counts && !this.#calls.has(call.uniqueid)) this.count(call.uniqueid, call.extension, call.at, now);
    const kept = this.#calls.get(call.uniqueid);
    if (!kept) return;
    kept.id = call.id;
    const day = this.limits.clock.dayFrom(now);
    if (!counts && !kept.none) {
      kept.none = kept.over = true;
      for (const one of kept.spent) one.call(kept.at, kept.night, day, -1);
    }
    if (kept.over) return;
    if (call.answered !== null) kept.answered = call.answered;
    if (call.ended === null) return;
    kept.over = true;
    if (kept.answered === undefined) return;
    for (const one of kept.spent) one.talk(kept.answered, call.ended, kept.night, day);
  }

  /** Counts on with calls that were let out, and have no row yet. */
  takeOver(before: TeamSpending, now: number): void {
    for (const [uniqueid, { id, extension, at }] of before.#calls)
      if (id === undefined && !this.#calls.has(uniqueid)) this.count(uniqueid, extension, at, now);
  }

  /** Lets go of calls that are over and whose rows no reading brings again, and, if asked for, of sums of nothing. */
  prune(now: number, mark: number, sums: boolean): void {
    for (const [uniqueid, { id, over, at }] of this.#calls)
      if ((over && (id ?? 0) <= mark) || at <= now - longestMs) this.#calls.delete(uniqueid);
    if (!sums) return;
    const day = this.limits.clock.dayFrom(now);
    const used = new Set([...this.#calls.values()].flatMap(({ spent }) => spent));
    for (const [key, one] of this.#spent) if (one.prune(now, day) && !used.has(one)) this.#spent.delete(key);
  }

  #spentBy(owner: Limited): Spent {
    let spent = this.#spent.get(keyOf(owner));
    if (!spent) this.#spent.set(keyOf(owner), (spent = new Spent()));
    return spent;
  }

  #reachedBy(owner: Limited, at: number): LimitReached | undefined {
    const { of, name, most: limits } = owner;
    if (limits.length === 0) return undefined;
    const spent = this.#spent.get(keyOf(owner));
    const day = this.limits.clock.dayFrom(at);
    const used = (spent ?? new Spent()).at(at, day, spent && this.#running(spent));
    const share = this.#shareAt(at);
    for (const [limit, most] of limits) {
      const sum = limit.endsWith('hour') ? used.hour : used.day;
      const { all, atNight } = amounts(sum, limit.startsWith('calls'));
      if (all >= most) return { limit, of, name, most };
      if (share < 100 && atNight >= part(most, share))
        return { limit, of, name, most: part(most, share), atNight: true };
    }
    return undefined;
  }

  /** Talks under way that count for somebody. */
  #running(spent: Spent): Running[] {
    const found: Running[] = [];
    for (const { answered, over, night, spent: counted } of this.#calls.values())
      if (answered !== undefined && !over && counted.includes(spent)) found.push({ since: answered, night });
    return found;
  }

  #shareAt(at: number): number {
    const { nightShare, clock } = this.limits;
    return nightShare < 100 && clock.isNight(at) ? nightShare : 100;
  }
}

/** Whether calls are counted for the same people under both, so that what is counted stands. */
export const countsTheSame = (one: TeamLimits, other: TeamLimits): boolean =>
  one.id === other.id && signature(one) === signature(other);

function signature({ own, extensions }: TeamLimits): string {
  const name = (limited: Limited | undefined): string | null =>
    limited && limited.most.length > 0 ? limited.name : null;
  return JSON.stringify([
    name(own),
    ...[...extensions].map(([number, one]) => [number, name(one.own), name(one.group)]),
  ]);
}

const keyOf = ({ of, name }: Limited): string => `${of} ${name}`;

/** Who limits a call, the nearest to the caller first. */
function ownersOf({ extensions, own }: TeamLimits, extension: string | null): Limited[] {
  const found = extension === null ? undefined : extensions.get(extension);
  return [found?.own, found?.group, own].filter((owner) => owner !== undefined);
}

const everybody = ({ extensions, own }: TeamLimits): Limited[] =>
  [own, ...[...extensions.values()].flatMap((one) => [one.own, one.group])].filter(
    (one) => one !== undefined,
  );

/** So many per cent of a limit, never less than one unless it is none. */
const part = (most: number, share: number): number => Math.ceil((most * share) / 100);

const amounts = (sum: Sum, calls: boolean): { all: number; atNight: number } =>
  calls
    ? { all: sum.calls, atNight: sum.nightCalls }
    : { all: sum.talkedMs / minuteMs, atNight: sum.nightTalkedMs / minuteMs };
