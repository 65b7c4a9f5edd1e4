import type { PaidCall } from './limit-calls.js';
import { DayReading } from './limit-day.js';
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
/** Where more extensions than these have something missing, the calls of the whole team are read for them. */
const mostExtensions = 50;
/** A call that is open for longer is looked at no more. */
const longestMs = 24 * hourMs;

/** A call that counts, until it is over and its row is an old one. */
interface Kept {
  readonly extension: string | null;
  readonly at: number;
  readonly night: boolean;
  /** Where it counts. */
  readonly spent: Spent[];
  /** Of its row. */
  id?: number;
  sentOn?: true;
  answered?: number;
  ended?: number;
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
  /** Whose calls are counted for whom, each with the key of the latter. */
  #pairs: ReadonlyMap<string, string> = new Map();
  #owners: ReadonlyMap<string, Limited> = new Map();
  readonly #readings: DayReading[] = [];

  constructor(
    public limits: TeamLimits,
    now: number,
  ) {
    this.use(limits, now);
  }

  get size(): { calls: number; sums: number } {
    return { calls: this.#calls.size, sums: this.#spent.size };
  }

  /** What is to be read of the day; what has been read already counts. */
  get reading(): DayReading | undefined {
    return this.#readings.find(({ over }) => !over);
  }

  /**
   * Goes by these limits from now on. What was counted for the same callers stands, and of others only what is missing is
   * read. Where a caller is counted no more, as one who has left a user group, the sum is counted anew.
   */
  use(limits: TeamLimits, now: number): void {
    this.limits = limits;
    const everybody = [limits.own, ...[...limits.extensions.values()].flatMap((one) => [one.own, one.group])];
    this.#owners = new Map(everybody.flatMap((owner) => (owner ? [[keyOf(owner), owner] as const] : [])));
    const pairs = pairsOf(limits);
    const counted = new Set(pairs.values());
    const anew = new Set([...this.#pairs].flatMap(([pair, key]) => (pairs.has(pair) ? [] : [key])));
    for (const key of this.#spent.keys()) if (anew.has(key) || !counted.has(key)) this.#spent.delete(key);
    const missing = [...pairs].filter(([pair, key]) => !this.#pairs.has(pair) || anew.has(key));
    for (const { wanted } of this.#readings)
      for (const pair of wanted) if (anew.has(this.#pairs.get(pair) ?? '')) wanted.delete(pair);
    this.#pairs = pairs;
    if (missing.length === 0) return;
    const wanted = new Set(missing.map(([pair]) => pair));
    for (const kept of this.#calls.values()) if (!kept.none) this.#countFor(kept, now, wanted);
    const extensions = [...limits.extensions].flatMap(([number, { id, own, group }]) =>
      [own, group].some((owner) => owner && wanted.has(pairOf(owner, number))) ? [id] : [],
    );
    const all = (limits.own && wanted.has(pairOf(limits.own, null))) || extensions.length > mostExtensions;
    const ended = Math.min(now - hourMs - minuteMs, limits.clock.dayFrom(now));
    this.#readings.push(new DayReading(wanted, all ? undefined : extensions, ended - longestMs, ended));
  }

  /** The calls that are looked at again, by the ids of their rows, or by their uniqueids as long as no row was seen. */
  open(now: number): { ids: number[]; uniqueids: string[] } {
    const found = { ids: [] as number[], uniqueids: [] as string[] };
    for (const [uniqueid, { id, over, at }] of this.#calls) {
      if (over || at <= now - longestMs) continue;
      if (id === undefined) found.uniqueids.push(uniqueid);
      else found.ids.push(id);
    }
    return found;
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
    const owner = this.#owners.get(keyOf({ of, name }));
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
    const kept: Kept = { extension, at, night: this.limits.clock.isNight(at), spent: [] };
    this.#countFor(kept, now);
    const before = this.#calls.get(uniqueid);
    if (before?.id !== undefined) {
      // The one row says no more than it has said.
      kept.id = before.id;
      if (before.sentOn) kept.sentOn = true;
      if (before.over) kept.over = true;
    }
    if (before && !before.over) {
      if (before.answered !== undefined) kept.answered = before.answered;
      // The talk goes on for whom it was counted.
      kept.spent.push(...before.spent.filter((one) => !kept.spent.includes(one)));
    }
    this.#calls.set(uniqueid, kept);
  }

  /** Takes what a row says of a call; `reading`: it is one of the day, and counts for those who miss it. */
  take(call: PaidCall, now: number, reading?: DayReading): void {
    let kept = this.#calls.get(call.uniqueid);
    if (call.sentOn && call.answered === null) {
      if (kept) this.#unanswered(kept, call, now);
      return;
    }
    const counts = call.refused === null && isPaid(call.class);
    if (counts && !kept) {
      const { extension, at } = call;
      kept = { extension, at, night: this.limits.clock.isNight(at), spent: [] };
      this.#countFor(kept, now, reading?.wanted);
      if (reading && kept.spent.length === 0) return;
      this.#calls.set(call.uniqueid, kept);
    } else if (kept && counts && reading) this.#countFor(kept, now, reading.wanted);
    if (!kept) return;
    kept.id = call.id;
    if (call.sentOn) kept.sentOn = true;
    if (!counts && !kept.none) this.#giveBack(kept, now);
    if (kept.over) return;
    // It went outside before, and goes there again: of that talk has been counted what there was.
    if (call.sentOn && call.ended !== null && call.ended < kept.at) {
      kept.over = true;
      return;
    }
    if (call.answered !== null) kept.answered = call.answered;
    if (call.ended === null) return;
    kept.over = true;
    if (kept.answered === undefined) return;
    kept.ended = call.ended;
    const day = this.limits.clock.dayFrom(now);
    for (const one of kept.spent) one.talk(kept.answered, call.ended, kept.night, day);
  }

  /**
   * Lets go of calls that are over and whose rows no reading brings again, behind `mark` or answered after `since`; and, if
   * asked for, of sums of nothing.
   */
  prune(now: number, { mark, since }: { mark: number; since: number }, sums: boolean): void {
    while (this.#readings[0]?.over) this.#readings.shift();
    for (const [uniqueid, { id, over, at, answered = 0, sentOn }] of this.#calls) {
      const brought = this.#readings.length > 0 || (id ?? 0) > mark || (sentOn && answered > since);
      if ((over && !brought) || at <= now - longestMs) this.#calls.delete(uniqueid);
    }
    if (!sums) return;
    const day = this.limits.clock.dayFrom(now);
    const used = new Set([...this.#calls.values()].flatMap(({ spent }) => spent));
    for (const [key, one] of this.#spent) if (one.prune(now, day) && !used.has(one)) this.#spent.delete(key);
  }

  /** One that is sent on, and that nobody outside has answered: its tries are recorded a moment after its end. */
  #unanswered(kept: Kept, call: PaidCall, now: number): void {
    kept.id = call.id;
    kept.sentOn = true;
    if (kept.over || call.ended === null || now - call.ended < minuteMs) return;
    kept.over = true;
    if (call.tried === false) this.#giveBack(kept, now);
  }

  #giveBack(kept: Kept, now: number): void {
    kept.none = kept.over = true;
    const day = this.limits.clock.dayFrom(now);
    for (const one of kept.spent) one.call(kept.at, kept.night, day, -1);
  }

  /** Counts a call for those whom it counts for, of these pairs if they are given, and for nobody twice. */
  #countFor(kept: Kept, now: number, wanted?: ReadonlySet<string>): void {
    const day = this.limits.clock.dayFrom(now);
    for (const owner of ownersOf(this.limits, kept.extension)) {
      if (owner.most.length === 0 || wanted?.has(pairOf(owner, kept.extension)) === false) continue;
      const spent = this.#spentBy(owner);
      if (kept.spent.includes(spent)) continue;
      kept.spent.push(spent);
      spent.call(kept.at, kept.night, day);
      if (kept.answered !== undefined && kept.ended !== undefined)
        spent.talk(kept.answered, kept.ended, kept.night, day);
    }
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

const keyOf = ({ of, name }: Pick<Limited, 'of' | 'name'>): string => `${of} ${name}`;

/** Whose calls are counted for whom: all of the team for the team, and those of an extension for it and its user group. */
const pairOf = (owner: Limited, extension: string | null): string =>
  owner.of === 'team' ? keyOf(owner) : `${extension ?? ''} ${keyOf(owner)}`;

/** Each pair under these limits, with the key of the one whose sum it is. */
function pairsOf({ own, extensions }: TeamLimits): Map<string, string> {
  const pairs = new Map<string, string>();
  const add = (owner: Limited | undefined, extension: string | null): void => {
    if (owner && owner.most.length > 0) pairs.set(pairOf(owner, extension), keyOf(owner));
  };
  add(own, null);
  for (const [number, one] of extensions) {
    add(one.own, number);
    add(one.group, number);
  }
  return pairs;
}

/** Who limits a call, the nearest to the caller first. */
function ownersOf({ extensions, own }: TeamLimits, extension: string | null): Limited[] {
  const found = extension === null ? undefined : extensions.get(extension);
  return [found?.own, found?.group, own].filter((owner) => owner !== undefined);
}

/** So many per cent of a limit, never less than one unless it is none. */
const part = (most: number, share: number): number => Math.ceil((most * share) / 100);

const amounts = (sum: Sum, calls: boolean): { all: number; atNight: number } =>
  calls
    ? { all: sum.calls, atNight: sum.nightCalls }
    : { all: sum.talkedMs / minuteMs, atNight: sum.nightTalkedMs / minuteMs };
