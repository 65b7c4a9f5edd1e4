import { whole, type Details } from './description.js';

type Defaults = Partial<
  Record<'callsAtOnce' | 'callsPerHour' | 'callsPerDay' | 'minutesPerHour' | 'minutesPerDay', number>
>;

const range = { from: 0, to: 1_000_000 };

/** What calls to the outside a team, a user group and an extension are limited by, each with the same words. */
export function limitFields(whose: string, defaults: Defaults = {}, also: Pick<Details, 'operator'> = {}) {
  const details = <const D extends Details & { none: string }>(key: keyof Defaults, rest: D) => ({
    ...rest,
    ...also,
    listed: false as const,
    ...(defaults[key] !== undefined && { unless: String(defaults[key]) }),
  });
  const none = 'any number';
  return {
    callsAtOnce: whole(
      { from: 1, to: 10_000 },
      details('callsAtOnce', {
        what: 'calls at a time',
        placeholder: 'calls',
        help: `the most calls to the outside at a time ${whose}`,
        none,
      }),
    ),
    callsPerHour: whole(
      range,
      details('callsPerHour', {
        placeholder: 'calls',
        help: 'the most calls to the outside in any 60 minutes, answered or not; emergency calls never count',
        none,
      }),
    ),
    callsPerDay: whole(
      range,
      details('callsPerDay', {
        placeholder: 'calls',
        help: 'the same from midnight to midnight in the time zone of the team',
        none,
      }),
    ),
    minutesPerHour: whole(
      range,
      details('minutesPerHour', {
        placeholder: 'minutes',
        help: 'minutes of talk to the outside in any 60 minutes after which no further call begins; calls that run go on',
        none,
      }),
    ),
    minutesPerDay: whole(
      range,
      details('minutesPerDay', {
        placeholder: 'minutes',
        help: 'the same from midnight to midnight in the time zone of the team',
        none,
      }),
    ),
  };
}
