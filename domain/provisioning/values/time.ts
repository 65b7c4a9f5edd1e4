import type { Queryable } from '../../database/pool.js';
import { fail } from '../../errors.js';
import { quoted } from '../../names.js';

/** A time of day as `18:00`; otherwise a usage error with what to type instead. */
export function checkTimeOfDay(what: string, value: string): string {
  const pattern = /^([01][0-9]|2[0-3]):[0-5][0-9]$/;
  if (pattern.test(value)) return value;
  const [, hours = '', minutes = ''] = /^([0-9]{1,2})[:.h ]?([0-5][0-9])$/.exec(value.trim()) ?? [];
  const meant = `${hours.padStart(2, '0')}:${minutes}`;
  const instead = pattern.test(meant) ? meant : '18:00';
  throw fail('invalid_time', {
    facts: { what, instead },
    says: `${what} ${quoted(value)} is not allowed (a time from 00:00 to 23:59)`,
    remedy: { text: `type for example "${instead}"` },
  });
}

/**
 * A time zone by its IANA name, in PostgreSQL's spelling. PostgreSQL and Node must both know it: a name that one of
 * them did not know would fail long after, for everybody, when a shift is to end.
 */
export async function checkTimeZone(db: Queryable, value: string): Promise<string> {
  const found = isKnown(value)
    ? await db('pg_timezone_names')
        .whereRaw('lower(name) = lower(?)', [value])
        .first<{ name: string } | undefined>('name')
    : undefined;
  if (found) return found.name;
  const city = `/${value.trim().replaceAll(' ', '_').toLowerCase()}`;
  const meant = Intl.supportedValuesOf('timeZone').find((name) => name.toLowerCase().endsWith(city));
  const instead = meant ?? 'Europe/Berlin';
  throw fail('invalid_time_zone', {
    facts: { instead },
    says: `time zone ${quoted(value)} does not exist`,
    remedy: { text: `type the IANA name of one, for example "${instead}"` },
  });
}

function isKnown(name: string): boolean {
  try {
    new Intl.DateTimeFormat('en', { timeZone: name });
    return true;
  } catch {
    return false;
  }
}

/** A moment as people read it in a zone: `2026-11-26 08:15:30`. */
export function timeIn(timeZone: string, at: Date): string {
  const format = new Intl.DateTimeFormat('sv-SE', { timeZone, dateStyle: 'short', timeStyle: 'medium' });
  return format.format(at);
}

/**
 * A moment by the database's clock: so many seconds ago, or a date and time in the zone of a team; with a Z at its end
 * that of UTC.
 */
export async function momentIn(
  db: Queryable,
  team: string,
  moment: { secondsAgo: number } | { at: string },
): Promise<Date> {
  const [sql, values] =
    'secondsAgo' in moment
      ? ['select now() - make_interval(secs => ?) as at', [moment.secondsAgo]]
      : moment.at.endsWith('Z')
        ? ['select ?::timestamptz as at', [moment.at]]
        : [
            `select ?::timestamp at time zone coalesce((select time_zone from teams where identity = ?), 'UTC') as at`,
            [moment.at, team],
          ];
  const { rows } = await db.raw<{ rows: { at: Date }[] }>(sql, values);
  if (!rows[0]) throw new Error('the database does not say what time it is');
  return rows[0].at;
}

/** When this month began in the zone of a team. */
export async function startOfMonth(db: Queryable, team: string): Promise<Date> {
  const { rows } = await db.raw<{ rows: { at: Date }[] }>(
    `select date_trunc('month', now() at time zone zone.name) at time zone zone.name as at
     from (select coalesce((select time_zone from teams where identity = ?), 'UTC') as name) as zone`,
    [team],
  );
  if (!rows[0]) throw new Error('the database does not say what time it is');
  return rows[0].at;
}
