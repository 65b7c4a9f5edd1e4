import { fail, type Star64Error } from './errors.js';
import { quoted } from './names.js';

/** The switch of hours: as their rules say, or open or closed until somebody switches again. */
export const positions = ['automatic', 'day', 'night'] as const;
export type Position = (typeof positions)[number];

/** Minutes from the beginning of a day. `to` lies beyond 1440 where the range ends on the next day. */
export interface TimeRange {
  readonly from: number;
  readonly to: number;
}

/** Days of the week, 1 for Monday to 7 for Sunday, and when they are open. */
export interface WeeklyRule {
  readonly days: readonly number[];
  readonly ranges: readonly TimeRange[];
}

/** Dates, `2026-12-24`, or `12-24` of every year. Without ranges they are closed. */
export interface DateRule {
  readonly first: string;
  readonly last: string;
  readonly ranges: readonly TimeRange[];
}

/** When something is open, without time zone and switch. */
export interface HoursRules {
  readonly weekly: readonly WeeklyRule[];
  readonly dates: readonly DateRule[];
}

/** A rule as it is stored, and shown: `mon-fri`, or a first and a last date; `09:00-12:00,13:00-17:30`, or nothing. */
export interface HoursRuleRow {
  readonly days: string | null;
  readonly firstDate: string | null;
  readonly lastDate: string | null;
  readonly ranges: string;
}

export const minutesOfDay = 1440;
const dayNames = ['mon', 'tue', 'wed', 'thu', 'fri', 'sat', 'sun'] as const;
const fullDays = ['Monday', 'Tuesday', 'Wednesday', 'Thursday', 'Friday', 'Saturday', 'Sunday'] as const;

/** The name of a day of the week in a sentence. */
export const fullDay = (day: number): string => fullDays[day - 1] ?? '';

const weeklyExample = 'mon-fri 09:00-17:30';
const datesExample = '2026-12-24..2026-12-26';
const openExample = '2026-12-31 09:00-12:00';

/** Days of a week and their times, as typed; returns them in the one way in which they are kept. */
export const checkWeekly = (line: string): string => {
  const { days, ranges } = parseWeekly(line);
  return `${writeDays(days)} ${writeRanges(ranges)}`;
};

/** Dates and their times, as typed; returns them in the one way in which they are kept. */
export const checkOpenDates = (line: string): string => {
  const { first, last, ranges } = parseOpenDates(line);
  return `${writeDates(first, last)} ${writeRanges(ranges)}`;
};

/** A date, or a first and a last one, as typed. */
export const checkDates = (line: string): string => {
  const { first, last } = parseDates(line.trim(), datesExample);
  return writeDates(first, last);
};

/** A checked line as it is stored. */
export function rowOf(kind: 'weekly' | 'open' | 'closed', line: string): HoursRuleRow {
  const [when = '', ranges = ''] = line.split(' ');
  if (kind === 'weekly') return { days: when, firstDate: null, lastDate: null, ranges };
  const [first = '', last = first] = when.split('..');
  return { days: null, firstDate: first, lastDate: last, ranges: kind === 'open' ? ranges : '' };
}

/** The rules of hours, from their rows. */
export function rulesOf(rows: readonly HoursRuleRow[]): HoursRules {
  const weekly: WeeklyRule[] = [];
  const dates: DateRule[] = [];
  for (const { days, firstDate, lastDate, ranges } of rows) {
    const parsed = ranges === '' ? [] : parseRanges(ranges.split(','), weeklyExample);
    if (days !== null) weekly.push({ days: parseDays(days.split(','), weeklyExample), ranges: parsed });
    else if (firstDate !== null && lastDate !== null)
      dates.push({ first: firstDate, last: lastDate, ranges: parsed });
  }
  return { weekly, dates: dates.sort(byStrength) };
}

/**
 * Which of two rules for dates decides on a date that both have, for `sort`: the one for fewer days; of equally many
 * the one with a year; then the one that begins later. So a day of its own is an exception of a holiday week, and the
 * order in which rules were typed does not matter. No two have the same dates.
 */
function byStrength(a: DateRule, b: DateRule): number {
  return (
    daysIn(a) - daysIn(b) ||
    Number(isYearly(a)) - Number(isYearly(b)) ||
    (a.first < b.first ? 1 : a.first > b.first ? -1 : 0)
  );
}

/** Whether the rule is for dates of every year. */
export const isYearly = ({ first }: Pick<DateRule, 'first'>): boolean => first.length === 5;

/** A leap year, so that 29 February is a day. */
const someYear = 2024;

function daysIn({ first, last }: DateRule): number {
  const [from, to] =
    first.length === 5
      ? [`${someYear}-${first}`, `${someYear + Number(last < first)}-${last}`]
      : [first, last];
  return Math.round((Date.parse(to) - Date.parse(from)) / 86_400_000) + 1;
}

/** When a date is open, and the rule that says so, in words: a rule for the date, else those for its day of the week. */
export interface DayPlan {
  readonly ranges: readonly TimeRange[];
  /** `Monday`, or `2026-12-24..2026-12-26`. */
  readonly by: string;
}

/** The plan of a date, `2026-12-24`, which is this day of the week. A day's ranges are those that begin on it. */
export function planOf({ weekly, dates }: HoursRules, date: string, dayOfWeek: number): DayPlan {
  const rule = dates.find((one) => covers(one, date));
  if (rule) return { ranges: rule.ranges, by: writeDates(rule.first, rule.last) };
  return {
    ranges: weekly.filter(({ days }) => days.includes(dayOfWeek)).flatMap(({ ranges }) => ranges),
    by: fullDay(dayOfWeek),
  };
}

function covers(rule: DateRule, date: string): boolean {
  const { first, last } = rule;
  if (!isYearly(rule)) return first <= date && date <= last;
  const day = date.slice(5);
  return first <= last ? first <= day && day <= last : first <= day || day <= last;
}

/** `mon-fri`, `sat,sun` */
function writeDays(days: readonly number[]): string {
  const sorted = [...new Set(days)].sort((a, b) => a - b);
  const parts: string[] = [];
  for (let at = 0; at < sorted.length;) {
    let end = at;
    while (sorted[end + 1] === (sorted[end] ?? 0) + 1) end++;
    const [from = '', to = ''] = [sorted[at], sorted[end]].map((day) => dayNames[(day ?? 1) - 1]);
    if (end - at >= 2) parts.push(`${from}-${to}`);
    else parts.push(...(from === to ? [from] : [from, to]));
    at = end + 1;
  }
  return parts.join(',');
}

export const writeDates = (first: string, last: string): string =>
  first === last ? first : `${first}..${last}`;

/** `09:00-12:00,13:00-17:30` */
export const writeRanges = (ranges: readonly TimeRange[]): string =>
  ranges.map(({ from, to }) => `${writeTime(from)}-${writeTime(to)}`).join(',');

/** `02:30` also for the 02:30 of the next day; 24:00 is the end of a day. */
export function writeTime(minutes: number): string {
  const ofDay = minutes > minutesOfDay ? minutes - minutesOfDay : minutes;
  return `${String(Math.floor(ofDay / 60)).padStart(2, '0')}:${String(ofDay % 60).padStart(2, '0')}`;
}

const words = (line: string): string[] => line.split(/[\s,]+/).filter((word) => word !== '');

function parseWeekly(line: string): WeeklyRule {
  const all = words(line);
  const days = all.filter((word) => !/^[0-9]/.test(word));
  const ranges = all.filter((word) => /^[0-9]/.test(word));
  if (days.length === 0 || ranges.length === 0)
    throw refuse(line, 'days of the week and times', weeklyExample);
  return { days: parseDays(days, weeklyExample), ranges: parseRanges(ranges, weeklyExample) };
}

function parseOpenDates(line: string): DateRule {
  const [dates = '', ...ranges] = words(line);
  const { first, last } = parseDates(dates, openExample);
  if (ranges.length === 0) throw refuse(line, 'a date and times', openExample);
  return { first, last, ranges: parseRanges(ranges, openExample) };
}

function parseDays(parts: readonly string[], example: string): number[] {
  return parts.flatMap((part) => {
    const [first = '', last = first, more] = part.split('-');
    const [from, to] = [dayNumber(first), dayNumber(last)];
    if (from === undefined || to === undefined || more !== undefined)
      throw refuse(part, `days are ${dayNames.join(', ')}, or from one to another as mon-fri`, example);
    const count = ((to - from + 7) % 7) + 1;
    return Array.from({ length: count }, (_, index) => ((from - 1 + index) % 7) + 1);
  });
}

/** By the first three letters, so that whole names may be typed. */
function dayNumber(word: string): number | undefined {
  const typed = word.toLowerCase();
  const index = dayNames.findIndex(
    (name, at) => typed === name || (typed.length > 3 && fullDays[at]?.toLowerCase().startsWith(typed)),
  );
  return index < 0 ? undefined : index + 1;
}

function parseRanges(parts: readonly string[], example: string): TimeRange[] {
  const ranges = parts.map((part) => {
    const [first = '', last = '', more] = part.split('-');
    const [from, to] = [minutesAt(first), minutesAt(last)];
    if (from === undefined || to === undefined || more !== undefined || from === minutesOfDay)
      throw refuse(part, 'times are HH:MM-HH:MM, and 24:00 is the end of a day', example);
    if (from === to)
      throw refuse(
        part,
        'it begins and ends at the same minute; all day is 00:00-24:00',
        'mon-sun 00:00-24:00',
      );
    return { from, to: to > from ? to : to + minutesOfDay };
  });
  return ranges.sort((a, b) => a.from - b.from);
}

function minutesAt(text: string): number | undefined {
  const [whole, hours = '', minutes = '0'] = /^([0-9]{1,2})(?::([0-9]{2}))?$/.exec(text) ?? [];
  const at = Number(hours) * 60 + Number(minutes);
  return whole === undefined || Number(minutes) > 59 || at > minutesOfDay ? undefined : at;
}

function parseDates(text: string, example: string): { first: string; last: string } {
  const [first = '', last = first, more] = text.split('..');
  for (const date of [first, last]) {
    if (more === undefined && isDate(date)) continue;
    throw refuse(
      text,
      'dates are YYYY-MM-DD, or MM-DD for every year, and .. stands between a first and a last one',
      asDate(date) ?? example,
    );
  }
  if (first.length !== last.length) throw refuse(text, 'one date has a year and the other has none', example);
  if (first.length === 10 && last < first)
    throw refuse(text, 'it ends before it begins', `${last}..${first}`);
  return { first, last };
}

/** A day that there is; 02-29 is one of every fourth year. */
export function isDate(text: string): boolean {
  if (!/^([0-9]{4}-)?[0-9]{2}-[0-9]{2}$/.test(text)) return false;
  const whole = text.length === 5 ? `${someYear}-${text}` : text;
  const at = Date.parse(`${whole}T00:00:00Z`);
  return !Number.isNaN(at) && new Date(at).toISOString().startsWith(whole);
}

/** What may have been meant by 24.12.2026 or 24.12. */
function asDate(text: string): string | undefined {
  const [, day = '', month = '', year = ''] = /^([0-9]{1,2})\.([0-9]{1,2})\.([0-9]{4})?$/.exec(text) ?? [];
  const date = `${year && `${year}-`}${month.padStart(2, '0')}-${day.padStart(2, '0')}`;
  return isDate(date) ? date : undefined;
}

const refuse = (typed: string, rule: string, instead: string): Star64Error =>
  fail('invalid_hours', {
    noun: 'hours',
    facts: { typed, rule, instead },
    says: `${quoted(typed)} is not allowed (${rule})`,
    remedy: { text: `type for example "${instead}"` },
  });
