import { Temporal } from 'temporal-polyfill';
import { fail } from '../../errors.js';
import {
  fullDay,
  minutesOfDay,
  planOf,
  writeRanges,
  type DayPlan,
  type HoursRules,
  type Position,
  type TimeRange,
} from '../../hours-rules.js';
import { quoted } from '../../names.js';

/**
 * When hours are open, by Temporal. Whoever needs nobody's hours does not import this: it takes some 20 ms of a start.
 *
 * Rules are about a clock on the wall. On the day on which that clock is set back, times come twice: a time to open is
 * the first of the two, a time to close the second. A time that is left out when the clock is set forward is the
 * minute after the gap. A range belongs to the day on which it begins, whatever is said of the next one.
 */
export interface Hours extends HoursRules {
  readonly timeZone: string;
  readonly position: Position;
}

export interface HoursState {
  readonly open: boolean;
  /** In words, `Thursday 2026-12-24: closed`. */
  readonly why: string;
}

interface Interval {
  readonly from: number;
  readonly to: number;
  readonly why: string;
}

/** One day of the wall's clock: what it is open at, in milliseconds, and what is said of the rest of it. */
interface Day {
  readonly from: number;
  readonly to: number;
  readonly intervals: readonly Interval[];
  readonly otherwise: string;
}

/** Answers whether hours are open. What was found of a day is kept, so that a call costs a few comparisons. */
export class HoursClock {
  #day: Day | undefined;

  constructor(private readonly hours: Hours) {}

  /** The state at an instant, in milliseconds since 1970. */
  stateAt(instant: number): HoursState {
    const { position } = this.hours;
    if (position === 'day') return { open: true, why: 'switched to day' };
    if (position === 'night') return { open: false, why: 'switched to night' };
    if (!this.#day || instant < this.#day.from || instant >= this.#day.to)
      this.#day = dayAround(this.hours, instant);
    const { intervals, otherwise } = this.#day;
    const interval = intervals.find(({ from, to }) => from <= instant && instant < to);
    return interval ? { open: true, why: interval.why } : { open: false, why: otherwise };
  }
}

/** When the days of a time zone begin. The day that was asked for last is kept. */
export class DayClock {
  #from = 0;
  #to = 0;

  constructor(private readonly timeZone: string) {}

  /** The beginning of the day in which an instant lies, both in milliseconds since 1970. */
  dayFrom(instant: number): number {
    if (instant < this.#from || instant >= this.#to) {
      const day = Temporal.Instant.fromEpochMilliseconds(instant)
        .toZonedDateTimeISO(this.timeZone)
        .startOfDay();
      this.#from = day.epochMilliseconds;
      this.#to = day.add({ days: 1 }).startOfDay().epochMilliseconds;
    }
    return this.#from;
  }
}

/** Whether hours are open at an instant, in milliseconds since 1970, and why. */
export const stateAt = (hours: Hours, instant: number): HoursState => new HoursClock(hours).stateAt(instant);

function dayAround(hours: Hours, instant: number): Day {
  const { timeZone } = hours;
  const local = Temporal.Instant.fromEpochMilliseconds(instant).toZonedDateTimeISO(timeZone);
  const date = local.toPlainDate();
  const plan = planOf(hours, date.toString(), date.dayOfWeek);
  // A range of the day before may end on this one, and none of earlier days does.
  const intervals = [date.subtract({ days: 1 }), date].flatMap((day) => intervalsOf(hours, day));
  // A date may come in two parts, where the clock is set back over midnight: it is asked for again then.
  const end = local.add({ days: 1 }).startOfDay();
  return {
    from: Math.min(local.startOfDay().epochMilliseconds, instant),
    to: end.epochMilliseconds,
    intervals,
    otherwise: closedWords(date, plan),
  };
}

function intervalsOf(hours: Hours, date: Temporal.PlainDate): Interval[] {
  const { timeZone } = hours;
  const plan = planOf(hours, date.toString(), date.dayOfWeek);
  return plan.ranges.map((range) => ({
    from: instantOf(timeZone, date, range.from, 'earlier'),
    to: instantOf(timeZone, date, range.to, 'later'),
    why: `${dayWords(date, plan)}: open ${writeRanges([range])}`,
  }));
}

/** The instant of a time on the wall; of one that is left out that day, the first one after the gap. */
function instantOf(
  timeZone: string,
  date: Temporal.PlainDate,
  minutes: number,
  disambiguation: 'earlier' | 'later',
): number {
  const wall = date
    .add({ days: Math.floor(minutes / minutesOfDay) })
    .toPlainDateTime({ hour: Math.floor((minutes % minutesOfDay) / 60), minute: minutes % 60 });
  const found = wall.toZonedDateTime(timeZone, { disambiguation });
  if (found.toPlainDateTime().equals(wall)) return found.epochMilliseconds;
  const before = wall.toZonedDateTime(timeZone, { disambiguation: 'earlier' });
  return (before.getTimeZoneTransition('next') ?? found).epochMilliseconds;
}

/** `Thursday 2026-12-24`, or with the rule that is for more dates than this one. */
function dayWords(date: Temporal.PlainDate, { by }: DayPlan): string {
  const words = `${fullDay(date.dayOfWeek)} ${date.toString()}`;
  return by === fullDay(date.dayOfWeek) || by === date.toString() ? words : `${words} (${by})`;
}

function closedWords(date: Temporal.PlainDate, plan: DayPlan): string {
  const day = dayWords(date, plan);
  return plan.ranges.length === 0 ? `${day}: closed` : `${day}: open only ${writeRanges(plan.ranges)}`;
}

/**
 * A moment as it is typed: `2026-12-24T10:00` or `2026-12-24 10:00` on the wall of the zone (the first of two), or with a Z
 * or an offset. @throws Star64Error `invalid_hours`.
 */
export function instantAt(typed: string, timeZone: string): number {
  const text = typed.trim().replace(' ', 'T');
  try {
    return /(?:Z|[+-][0-9]{2}:?[0-9]{2})$/i.test(text)
      ? Temporal.Instant.from(text).epochMilliseconds
      : Temporal.PlainDateTime.from(text).toZonedDateTime(timeZone, { disambiguation: 'earlier' })
          .epochMilliseconds;
  } catch {
    const instead = '2026-12-24T10:00';
    throw fail('invalid_hours', {
      noun: 'hours',
      facts: { typed, instead },
      says: `${quoted(typed)} is no moment`,
      remedy: { text: `type for example "${instead}", or with a Z for UTC` },
    });
  }
}

/** `2026-12-24T10:00:00+01:00[Europe/Berlin]` */
export const wallAt = (instant: number, timeZone: string): string =>
  Temporal.Instant.fromEpochMilliseconds(instant)
    .toZonedDateTimeISO(timeZone)
    .toString({ smallestUnit: 'second' });

/** Minutes of a day between which the clock of a zone runs twice when it is set back, and by how many minutes it is. */
export interface Overlap extends TimeRange {
  readonly minutes: number;
}

/** Years in which the changes of a zone are looked at: fixed, so that the same database gives the same files. */
const lookFrom = Temporal.Instant.from('2026-01-01T00:00:00Z');
const lookTo = Temporal.Instant.from('2038-01-01T00:00:00Z');
const overlaps = new Map<string, Overlap | undefined>();

/** The overlap of a time zone, by the last time that its clock is set back; undefined: it never is. */
export function overlapOf(timeZone: string): Overlap | undefined {
  if (!overlaps.has(timeZone)) overlaps.set(timeZone, findOverlap(timeZone));
  return overlaps.get(timeZone);
}

function findOverlap(timeZone: string): Overlap | undefined {
  let at: Temporal.ZonedDateTime | null = lookTo.toZonedDateTimeISO(timeZone);
  while ((at = at.getTimeZoneTransition('previous')) && at.epochMilliseconds >= lookFrom.epochMilliseconds) {
    const before = at.subtract({ nanoseconds: 1 });
    const minutes = (before.offsetNanoseconds - at.offsetNanoseconds) / 60e9;
    if (minutes <= 0) continue;
    const from = at.hour * 60 + at.minute;
    return { from, to: from + minutes, minutes };
  }
  return undefined;
}
