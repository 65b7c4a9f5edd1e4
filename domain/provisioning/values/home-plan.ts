import type { Queryable } from '../../database/pool.js';
import { numberPlan, type NumberPlan } from '../../telephone-numbers.js';

/**
 * SQL: the country in which what is typed for a team is read: its own; or that of its default trunk; or the only one of its own trunks; or
 * the only one of those for every team. Null where there are several, or none.
 */
export const home = (team: string): string => `coalesce(
  (select h.country from teams h where h.id = ${team}),
  (select k.country from teams h join trunks k on k.id = h.trunk_id where h.id = ${team}),
  (select min(k.country) from trunks k where k.team_id = ${team} having min(k.country) = max(k.country)),
  (select min(k.country) from trunks k where k.team_id is null having min(k.country) = max(k.country)
     and not exists (select from trunks o where o.team_id = ${team} and o.country is not null)))`;

/** The country in which what people type for a team is read; null: none is known. */
export async function homeCountry(db: Queryable, teamId: number): Promise<string | null> {
  const { rows } = await db.raw<{ rows: { country: string | null }[] }>(
    `select ${home(':teamId')} as country`,
    { teamId },
  );
  return rows[0]?.country ?? null;
}

/** The plan by which what people type for a team is read. */
export async function homePlan(db: Queryable, teamId: number): Promise<NumberPlan> {
  return numberPlan(await homeCountry(db, teamId));
}
