import { withDatabaseErrors } from '../../database/sql-errors.js';
import type { Queryable } from '../../database/pool.js';
import { rowOf, type HoursRuleRow, type Position } from '../../hours-rules.js';
import { unknown } from '../../names.js';
import type { Changes } from '../fields/description.js';
import { hours } from '../nouns/hours.js';
import { operationsOf } from '../operations/operations.js';

export type HoursChanges = Changes<typeof hours>;

/** When a team is open. What is said of the same dates a second time stands instead of the first. */
export const allHours = operationsOf(hours, {
  after: async ({ trx, scope, id, given }) => {
    const { week, openOn = [], closedOn = [], asUsualOn = [] } = given;
    if (week !== undefined) await trx('hours_rules').where({ hours_id: id }).whereNotNull('days').delete();
    const dates = [
      ...openOn.map((line) => rowOf('open', line)),
      ...closedOn.map((line) => rowOf('closed', line)),
    ];
    for (const { firstDate, lastDate } of [...asUsualOn.map((line) => rowOf('closed', line)), ...dates])
      await trx('hours_rules').where({ hours_id: id, first_date: firstDate, last_date: lastDate }).delete();
    // The last of two for the same dates.
    const byDates = new Map(dates.map((row) => [`${row.firstDate}..${row.lastDate}`, row]));
    const rows = [...(week ?? []).map((line) => rowOf('weekly', line)), ...byDates.values()];
    if (rows.length > 0) {
      await trx('hours_rules').insert(
        rows.map(({ days, firstDate, lastDate, ranges }) => ({
          team_id: scope.teamId,
          hours_id: id,
          days,
          first_date: firstDate,
          last_date: lastDate,
          ranges,
        })),
      );
    }
    return undefined;
  },
});

export type HoursOf = Awaited<ReturnType<typeof allHours.show>>;

export const addHours = (
  db: Queryable,
  team: string,
  { name, ...values }: { name: string } & HoursChanges,
): Promise<HoursOf> => allHours.add(db, team, name, values);

/** Switches hours; every server and Asterisk follow. One statement: of two who switch at once the second stands. */
export async function switchHours(
  db: Queryable,
  team: string,
  name: string,
  position: Position,
): Promise<void> {
  const changed = await withDatabaseErrors(() =>
    db('hours as h')
      .whereRaw('h.team_id = (select t.id from teams t where t.identity = ?)', [team])
      .where({ name })
      .update({ position }),
  );
  if (changed === 0) throw unknown('hours', team, name);
}

/** Hours as they are found to switch them. */
export interface Switchable {
  readonly name: string;
  readonly number: string | null;
  readonly position: Position;
}

/** The hours of a team with this number; without one the team's default ones. Undefined: there are none. */
export async function switchableHours(
  db: Queryable,
  team: string,
  number: string | undefined,
): Promise<Switchable | undefined> {
  return db('hours as h')
    .join('teams as t', 't.id', 'h.team_id')
    .where('t.identity', team)
    .whereRaw(
      number === undefined ? 'h.id = t.hours_id' : 'h.number = ?',
      number === undefined ? [] : [number],
    )
    .first<Switchable | undefined>('h.name', 'h.number', 'h.position');
}

/** The rules of all hours on a node, or of some teams, by the id of the hours. */
export async function readRules(
  db: Queryable,
  node: string,
  teamIds?: readonly number[],
): Promise<Map<number, HoursRuleRow[]>> {
  const query = db('hours_rules as r')
    .join('teams as t', 't.id', 'r.team_id')
    .where('t.node', node)
    .orderBy('r.id')
    .select<(HoursRuleRow & { hoursId: number })[]>(
      'r.hours_id as hoursId',
      'r.days',
      'r.first_date as firstDate',
      'r.last_date as lastDate',
      'r.ranges',
    );
  const rows = await (teamIds === undefined ? query : query.whereIn('r.team_id', teamIds));
  const found = new Map<number, HoursRuleRow[]>();
  for (const { hoursId, ...row } of rows) found.set(hoursId, [...(found.get(hoursId) ?? []), row]);
  return found;
}
