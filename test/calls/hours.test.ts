import t from 'tap';
import { HoursClock, overlapOf, stateAt, type Hours } from '../../domain/calls/routing/hours.js';
import {
  checkDates,
  checkOpenDates,
  checkWeekly,
  rowOf,
  rulesOf,
  type Position,
} from '../../domain/hours-rules.js';
import { refused } from '../support/refusal.js';

interface Typed {
  open?: string[];
  openOn?: string[];
  closedOn?: string[];
  timeZone?: string;
  position?: Position;
}

/** Hours as an administrator types them. */
function hours({
  open = [],
  openOn = [],
  closedOn = [],
  timeZone = 'Europe/Berlin',
  position = 'automatic',
}: Typed): Hours {
  const rules = rulesOf([
    ...open.map((line) => rowOf('weekly', checkWeekly(line))),
    ...openOn.map((line) => rowOf('open', checkOpenDates(line))),
    ...closedOn.map((line) => rowOf('closed', checkDates(line))),
  ]);
  return { ...rules, timeZone, position };
}

const at = (typed: Hours, instant: string) => stateAt(typed, Date.parse(instant));

/** The instants, in UTC, at which hours change between two instants, looked at minute by minute. */
function changes(typed: Hours, from: string, to: string): string[] {
  const found: string[] = [];
  const clock = new HoursClock(typed);
  let before = clock.stateAt(Date.parse(from)).open;
  for (let instant = Date.parse(from); instant < Date.parse(to); instant += 60_000) {
    const { open } = clock.stateAt(instant);
    if (open !== before)
      found.push(`${open ? 'open' : 'closed'} ${new Date(instant).toISOString().slice(0, 16)}Z`);
    before = open;
  }
  return found;
}

const office: Typed = {
  open: ['mon-fri 9-17:30', 'sat 10:00-14:00'],
  closedOn: ['12-24..01-01', '2026-12-21..2026-12-23', '12-25'],
  openOn: ['2026-12-29..2026-12-30 10:00-12:00', '2026-12-30 15:00-16:00', '2026-05-17 08:00-09:00'],
};

await t.test('weekdays, dates, holidays and exceptions, each said in words', (t) => {
  for (const [instant, open, why] of [
    ['2026-11-26T08:59:59+01:00', false, 'Thursday 2026-11-26: open only 09:00-17:30'],
    ['2026-11-26T09:00:00+01:00', true, 'Thursday 2026-11-26: open 09:00-17:30'],
    ['2026-11-26T17:29:59+01:00', true, 'Thursday 2026-11-26: open 09:00-17:30'],
    ['2026-11-26T17:30:00+01:00', false, 'Thursday 2026-11-26: open only 09:00-17:30'],
    ['2026-11-28T11:00:00+01:00', true, 'Saturday 2026-11-28: open 10:00-14:00'],
    ['2026-11-29T11:00:00+01:00', false, 'Sunday 2026-11-29: closed'],
    ['2026-12-22T11:00:00+01:00', false, 'Tuesday 2026-12-22 (2026-12-21..2026-12-23): closed'],
    ['2027-12-22T11:00:00+01:00', true, 'Wednesday 2027-12-22: open 09:00-17:30'],
    ['2027-12-24T11:00:00+01:00', false, 'Friday 2027-12-24 (12-24..01-01): closed'],
    ['2028-01-01T11:00:00+01:00', false, 'Saturday 2028-01-01 (12-24..01-01): closed'],
    ['2026-12-29T11:00:00+01:00', true, 'Tuesday 2026-12-29 (2026-12-29..2026-12-30): open 10:00-12:00'],
    ['2026-12-30T11:00:00+01:00', false, 'Wednesday 2026-12-30: open only 15:00-16:00'],
    ['2026-12-30T15:00:00+01:00', true, 'Wednesday 2026-12-30: open 15:00-16:00'],
    ['2026-05-17T08:00:00+02:00', true, 'Sunday 2026-05-17: open 08:00-09:00'],
  ] as const) {
    t.same(at(hours(office), instant), { open, why }, instant);
  }
  t.end();
});

await t.test('which rule decides does not depend on the order in which they were typed', (t) => {
  const { closedOn = [], openOn = [], ...rest } = office;
  const turned = hours({ ...rest, closedOn: closedOn.toReversed(), openOn: openOn.toReversed() });
  const span = ['2026-12-18T00:00Z', '2027-01-04T00:00Z'] as const;
  t.same(changes(turned, ...span), changes(hours(office), ...span));
  t.equal(changes(turned, ...span).length, 10);
  t.end();
});

await t.test('the switch wins over every rule, until it is automatic again', (t) => {
  t.same(at(hours({ ...office, position: 'day' }), '2026-11-29T11:00:00Z'), {
    open: true,
    why: 'switched to day',
  });
  t.same(at(hours({ ...office, position: 'night' }), '2026-11-26T11:00:00Z'), {
    open: false,
    why: 'switched to night',
  });
  t.end();
});

await t.test('a night belongs to the day on which it begins, also if the next day is closed', (t) => {
  const bar = hours({ open: ['mon-sun 18:00-02:30'], closedOn: ['2026-12-24'] });
  t.same(changes(bar, '2026-12-23T12:00Z', '2026-12-25T20:00Z'), [
    'open 2026-12-23T17:00Z',
    'closed 2026-12-24T01:30Z',
    'open 2026-12-25T17:00Z',
  ]);
  t.same(changes(hours({ open: ['mon-sun 00:00-24:00'] }), '2026-12-01T00:00Z', '2026-12-09T00:00Z'), []);
  t.end();
});

const pub = hours({ open: ['mon-sun 18:00-02:30'] });

await t.test('the two days of the year: closing is the second 02:30, or the minute after the gap', (t) => {
  t.same(changes(pub, '2027-03-27T12:00Z', '2027-03-28T12:00Z'), [
    'open 2027-03-27T17:00Z',
    'closed 2027-03-28T01:00Z',
  ]);
  t.same(changes(pub, '2027-10-30T12:00Z', '2027-10-31T12:00Z'), [
    'open 2027-10-30T16:00Z',
    'closed 2027-10-31T01:30Z',
  ]);
  t.end();
});

await t.test('opening is the first 02:30, or the minute after the gap', (t) => {
  const early = hours({ open: ['mon-sun 02:30-12:00'] });
  t.same(changes(early, '2027-03-27T20:00Z', '2027-03-28T20:00Z'), [
    'open 2027-03-28T01:00Z',
    'closed 2027-03-28T10:00Z',
  ]);
  t.same(changes(early, '2027-10-30T20:00Z', '2027-10-31T20:00Z'), [
    'open 2027-10-31T00:30Z',
    'closed 2027-10-31T11:00Z',
  ]);
  const gap = hours({ open: ['sun 02:10-02:50'] });
  t.same(changes(gap, '2027-03-27T20:00Z', '2027-03-28T20:00Z'), [], 'nothing is left of it');
  t.end();
});

await t.test('where the clock of a zone runs twice', (t) => {
  t.same(overlapOf('Europe/Berlin'), { from: 120, to: 180, minutes: 60 });
  t.same(overlapOf('America/New_York'), { from: 60, to: 120, minutes: 60 });
  t.same(overlapOf('Australia/Lord_Howe'), { from: 90, to: 120, minutes: 30 });
  t.same(overlapOf('Pacific/Chatham'), { from: 165, to: 225, minutes: 60 });
  t.same(overlapOf('Atlantic/Azores'), { from: 0, to: 60, minutes: 60 });
  t.same(overlapOf('America/Santiago'), { from: 1380, to: 1440, minutes: 60 });
  t.equal(overlapOf('Asia/Kolkata'), undefined);
  t.equal(overlapOf('UTC'), undefined);
  t.end();
});

await t.test('lines are kept in one way, however they were typed', (t) => {
  t.equal(checkWeekly('mon-fri,09:00-17:30'), 'mon-fri 09:00-17:30');
  t.equal(checkWeekly('Monday Wed 14:00-18:00 9-12'), 'mon,wed 09:00-12:00,14:00-18:00');
  t.equal(checkWeekly('sat-mon 18:00-00:00'), 'mon,sat,sun 18:00-24:00');
  t.equal(checkOpenDates(' 2026-12-31  9:00-12:00'), '2026-12-31 09:00-12:00');
  t.equal(checkDates('02-29'), '02-29');
  t.equal(checkDates('2026-12-24..2026-12-24'), '2026-12-24');
  t.end();
});

await t.test('what is none is refused with the rule and something to type instead', async (t) => {
  for (const [check, line, ...words] of [
    [checkWeekly, 'mon-fri', 'times', 'mon-fri 09:00-17:30'],
    [checkWeekly, '09:00-17:00', 'days'],
    [checkWeekly, 'mo-fr 09:00-17:00', '"mo-fr"', 'days are mon'],
    [checkWeekly, 'mon 09:00-09:00', '00:00-24:00'],
    [checkWeekly, 'mon 24:00-09:00', '24:00'],
    [checkWeekly, 'mon 09:00-25:00', 'HH:MM'],
    [checkOpenDates, '2026-12-31', 'a date and times'],
    [checkDates, '24.12.2026', '"2026-12-24"'],
    [checkDates, '24.12.', '"12-24"'],
    [checkDates, '2026-02-29', 'YYYY-MM-DD'],
    [checkDates, '2026-12-24..12-26', 'has a year'],
    [checkDates, '2026-12-26..2026-12-24', '2026-12-24..2026-12-26'],
  ] as const) {
    await refused(t, 'usage', [...words], () => Promise.resolve(check(line)));
  }
});
