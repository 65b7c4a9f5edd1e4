import type { Overlap } from '../../../domain/calls/routing/hours.js';
import { isYearly, rulesOf, type HoursRuleRow, type TimeRange } from '../../../domain/hours-rules.js';
import { placeIn } from './places.js';
import type { Slots } from './slots.js';
import { switchDevice } from '../../../domain/hours-switch.js';

/** Hours as they reach a file. */
export interface HoursRow {
  name: string;
  number: string | null;
  rules: HoursRuleRow[];
  slots: Slots;
}

/**
 * What the template of a team's hours is given: the rules in the order in which they decide, so that the dialplan needs
 * to know nothing about that.
 */
export function hoursModel(
  team: string,
  overlap: Overlap | undefined,
  { name, number, rules, slots }: HoursRow,
) {
  const { weekly, dates } = rulesOf(rules);
  const { from = 0, to = 0, minutes = 0 } = overlap ?? {};
  const all = [...weekly, ...dates].flatMap(({ ranges }) => ranges);
  return {
    name,
    number,
    open: placeIn(team, slots, 'open'),
    closed: placeIn(team, slots, 'closed'),
    lamp: switchDevice(team, name),
    // The last minute that a range reaches on its next day; 0: none does.
    until: Math.max(0, ...all.map((range) => range.to - 1440)),
    overlap: { from, to, seconds: minutes * 60 },
    dates: dates.map((rule) => ({
      of: isYearly(rule) ? 'day' : 'date',
      first: asNumber(rule.first),
      last: asNumber(rule.last),
      overNewYear: rule.last < rule.first,
      ranges: write(rule.ranges),
    })),
    week: weekOf(
      [1, 2, 3, 4, 5, 6, 7].map((day) =>
        write(weekly.filter(({ days }) => days.includes(day)).flatMap(({ ranges }) => ranges)),
      ),
    ),
  };
}

/** Days of the week that follow each other and are open alike, as one; closed ones are left out. */
function weekOf(days: readonly string[]): { first: number; last: number; ranges: string }[] {
  const found: { first: number; last: number; ranges: string }[] = [];
  days.forEach((ranges, index) => {
    const before = found.at(-1);
    if (before?.ranges === ranges && before.last === index) before.last = index + 1;
    else if (ranges !== '') found.push({ first: index + 1, last: index + 1, ranges });
  });
  return found;
}

/** `2026-12-24` as 20261224, `01-06` as 106: what Asterisk compares are numbers. */
const asNumber = (date: string): number => Number(date.replaceAll('-', ''));

const write = (ranges: readonly TimeRange[]): string =>
  ranges.map(({ from, to }) => `${from}-${to}`).join('&');
