import type { Queryable } from '../../database/pool.js';
import { rulesOf, type HoursRuleRow, type Position } from '../../hours-rules.js';
import { readRules } from '../../provisioning/features/hours.js';
import { limitNames, type LimitReached } from './limits.js';

type LimitName = LimitReached['limit'];

/** Who has limits: a team, a user group or an extension. */
export interface Limited {
  readonly of: LimitReached['of'];
  readonly name: string;
  /** Calls at a time, which Asterisk counts. */
  readonly atOnce: number | null;
  readonly most: readonly (readonly [LimitName, number])[];
}

/** The days and nights of a team. */
export interface TeamClock {
  /** When the day began in which a moment lies, in milliseconds since 1970. */
  dayFrom(at: number): number;
  isNight(at: number): boolean;
}

/** The limits of a team and of what is in it, as far as there are any. */
export interface TeamLimits {
  readonly id: number;
  readonly team: string;
  readonly clock: TeamClock;
  /** Per cent of the limits that may be used at night. */
  readonly nightShare: number;
  readonly own: Limited | undefined;
  /** By number; whoever has no limits, and is in no user group with some, is not here. */
  readonly extensions: ReadonlyMap<string, ExtensionLimits>;
}

export interface ExtensionLimits {
  readonly id: number;
  readonly own: Limited | undefined;
  /** Of the user groups of whose it is the one with limits that has the lowest position. */
  readonly group: Limited | undefined;
}

const columns: Record<LimitName, string> = {
  'calls-per-hour': 'calls_per_hour',
  'calls-per-day': 'calls_per_day',
  'minutes-per-hour': 'minutes_per_hour',
  'minutes-per-day': 'minutes_per_day',
};
const names = ['calls_at_once', ...Object.values(columns)];
const columnsOf = (row: string): string => names.map((name) => `${row}.${name}`).join(', ');

type LimitRow = Readonly<Record<string, number | null>>;

interface TeamRow {
  id: number;
  team: string;
  timeZone: string;
  nightShare: number | null;
  night: string | null;
  hoursId: number | null;
  position: Position | null;
}

/** The limits of every team of a node, or of these of them, as far as they have any. */
export async function readLimits(
  db: Queryable,
  node: string,
  teamIds?: readonly number[],
): Promise<TeamLimits[]> {
  const only = { node, ids: teamIds ?? null };
  const mine = 't.node = :node and (:ids::integer[] is null or t.id = any(:ids::integer[]))';
  const { rows: teams } = await db.raw<{ rows: (TeamRow & LimitRow)[] }>(
    `select t.id, t.identity as team, t.time_zone as "timeZone", t.night_share as "nightShare", t.night,
       h.id as "hoursId", h.position, ${columnsOf('t')}
     from teams t left join hours h on h.team_id = t.id and h.id = t.night_hours_id where ${mine}`,
    only,
  );
  const { rows: groups } = await db.raw<{ rows: ({ id: number; name: string } & LimitRow)[] }>(
    `select g.id, g.name, ${columnsOf('g')} from user_groups g join teams t on t.id = g.team_id
     where ${mine} and g.removed_at is null and num_nonnulls(${columnsOf('g')}) > 0`,
    only,
  );
  const { rows: extensions } = await db.raw<{
    rows: ({ id: number; teamId: number; number: string; groupId: number | null } & LimitRow)[];
  }>(
    `select x.id, x.team_id as "teamId", x.number, g.id as "groupId", ${columnsOf('x')}
     from extensions x join teams t on t.id = x.team_id
     left join lateral (
       select g.id from user_group_members m join user_groups g on g.id = m.user_group_id
       where m.user_id = x.user_id and g.team_id = x.team_id and g.removed_at is null and num_nonnulls(${columnsOf('g')}) > 0
       order by g.position limit 1) g on true
     where ${mine} and x.removed_at is null and (num_nonnulls(${columnsOf('x')}) > 0 or g.id is not null)
     order by x.id`,
    only,
  );
  const limitedGroups = new Map(groups.map((row) => [row.id, limitedBy('user-group', row.name, row)]));
  const found = new Map<number, Map<string, ExtensionLimits>>();
  for (const row of extensions) {
    let ofTeam = found.get(row.teamId);
    if (!ofTeam) found.set(row.teamId, (ofTeam = new Map<string, ExtensionLimits>()));
    const group = row.groupId === null ? undefined : limitedGroups.get(row.groupId);
    ofTeam.set(row.number, { id: row.id, own: limitedBy('extension', row.number, row), group });
  }
  const withHours = teams.flatMap(({ id, hoursId }) => (hoursId === null ? [] : [id]));
  const rules = withHours.length === 0 ? undefined : await readRules(db, node, withHours);
  const limited: TeamLimits[] = [];
  for (const row of teams) {
    const { id, team, nightShare } = row;
    const own = limitedBy('team', team, row);
    const extensionsOfTeam = found.get(id) ?? new Map<string, ExtensionLimits>();
    if (!own && extensionsOfTeam.size === 0) continue;
    const clock = await clockOf(row, rules?.get(row.hoursId ?? 0) ?? []);
    limited.push({ id, team, clock, nightShare: nightShare ?? 100, own, extensions: extensionsOfTeam });
  }
  return limited;
}

function limitedBy(of: Limited['of'], name: string, row: LimitRow): Limited | undefined {
  const atOnce = row['calls_at_once'] ?? null;
  const most = limitNames.flatMap((limit) => {
    const value = row[columns[limit]] ?? null;
    return value === null ? [] : [[limit, value] as const];
  });
  return atOnce === null && most.length === 0 ? undefined : { of, name, atOnce, most };
}

async function clockOf(
  { timeZone, nightShare, night, position }: TeamRow,
  hours: readonly HoursRuleRow[],
): Promise<TeamClock> {
  // Temporal is loaded by whoever needs a clock, and by nobody else.
  const { DayClock, HoursClock } = await import('../routing/hours.js');
  const days = new DayClock(timeZone);
  const dayFrom = (at: number): number => days.dayFrom(at);
  if (nightShare === null) return { dayFrom, isNight: () => false };
  const everyNight = { days: 'mon-sun', firstDate: null, lastDate: null, ranges: night ?? '' };
  const byTime =
    night === null
      ? undefined
      : new HoursClock({ ...rulesOf([everyNight]), timeZone, position: 'automatic' });
  const byHours = position === null ? undefined : new HoursClock({ ...rulesOf(hours), timeZone, position });
  const isNight = (at: number): boolean =>
    byTime?.stateAt(at).open === true || byHours?.stateAt(at).open === false;
  return { dayFrom, isNight };
}
