import { checkDates, checkOpenDates, checkWeekly } from '../../hours-rules.js';
import { computed, describe, destination, lines, linesOnly, name } from '../fields/description.js';

const rules = (line: string, which: string, order: string): string =>
  `array(select ${line} from hours_rules r where r.hours_id = o.id and ${which} order by ${order})`;
const dates = `r.first_date || case when r.last_date = r.first_date then '' else '..' || r.last_date end`;

/** When a team is open. */
export const hours = describe({
  noun: 'hours',
  table: 'hours',
  inFiles: true,
  title: 'hours: when a team is open, and where calls go then and at other times',
  verbs: {
    add: 'create hours; closed at any time without --week and --open-on',
    list: 'list the hours of the team',
    show: 'show hours, whether they are open and why',
    set: 'change hours; --week says the whole week anew, what is said of dates stays until it is said anew',
    remove: 'remove hours that nothing needs',
  },
  key: 'name',
  owner: 'team',
  order: 'o.name',
  fields: {
    name: name('hours', { help: 'for example office' }),
    number: name('hoursNumber', {
      placeholder: 'number',
      help: 'what follows *61 to switch them, and hours in the name of their lamp: hours1',
      none: 'not to be switched by phone, and no lamp',
    }),
    week: lines(checkWeekly, rules(`r.days || ' ' || r.ranges`, 'r.days is not null', 'r.id'), {
      what: 'opening hours',
      placeholder: 'days times',
      help: 'open every week, for example "mon-fri 09:00-12:00,13:00-17:30", or "fri-sat 18:00-02:30" past midnight; may be repeated',
    }),
    openOn: lines(
      checkOpenDates,
      rules(`${dates} || ' ' || r.ranges`, `r.days is null and r.ranges <> ''`, 'r.first_date, r.last_date'),
      {
        what: 'open dates',
        placeholder: 'dates times',
        help: 'open on dates at times of their own, for example "2026-12-31 09:00-12:00"; a date without a year is every year; may be repeated',
      },
    ),
    closedOn: lines(
      checkDates,
      rules(dates, `r.days is null and r.ranges = ''`, 'r.first_date, r.last_date'),
      {
        what: 'closed dates',
        placeholder: 'dates',
        help: 'closed on dates, for example 2026-12-24..2026-12-26, or 12-25 for every year; of two rules for a date that for fewer days wins; may be repeated',
      },
    ),
    asUsualOn: linesOnly(checkDates, {
      what: 'usual dates',
      placeholder: 'dates',
      help: 'takes back what was said of exactly these dates; may be repeated',
      on: 'set',
      listed: false,
    }),
    open: destination({
      help: 'where a call sent to these hours goes while they are open; without it the call ends',
      none: 'the call ends',
      listed: false,
    }),
    closed: destination({
      help: 'where a call sent to these hours goes while they are closed; without it the call ends',
      none: 'the call ends',
      listed: false,
    }),
    position: computed<'automatic' | 'day' | 'night'>('o.position', {
      help: 'the switch: automatic, or day (open) or night (closed) until it is switched again',
    }),
  },
});
