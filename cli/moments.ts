import { InvalidArgumentError } from 'commander';
import { isDate } from '../domain/hours-rules.js';
import type { Invocation } from './context.js';

/** Words for a moment: so long ago in seconds, or a date and time. */
export type Moment = { secondsAgo: number } | { at: string };

/** Reads a moment as it is typed, for an option. */
export function moment(text: string): Moment {
  const ago = /^([0-9]{1,6})([smhd])$/.exec(text);
  if (ago) return { secondsAgo: Number(ago[1]) * ({ s: 1, m: 60, h: 3600, d: 86_400 }[ago[2] ?? 's'] ?? 1) };
  const at = /^([0-9]{4}-[0-9]{2}-[0-9]{2})(?:[T ]([0-9]{2}:[0-9]{2}(?::[0-9]{2})?))?(Z?)$/.exec(text);
  // What Date.parse makes of 30 February is 2 March, and PostgreSQL has no year 0.
  const typed = at?.[1] && isDate(at[1]) && at[1] > '0001' ? `${at[1]}T${at[2] ?? '00:00'}` : '';
  if (at && typed && !Number.isNaN(Date.parse(`${typed}Z`))) return { at: `${typed}${at[3] ?? ''}` };
  throw new InvalidArgumentError('Type 90s, 15m, 1h or 2d, or a date and time as 2026-11-26T08:00.');
}

/** The moment that is meant, by the database's clock and the team's zone. */
export async function moments(invocation: Invocation, typed: Moment | undefined): Promise<Date | undefined> {
  if (!typed) return undefined;
  const { momentIn } = await import('../domain/provisioning/values/time.js');
  return momentIn(await invocation.db(), invocation.team, typed);
}
