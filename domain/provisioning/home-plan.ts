import type { Queryable } from '../database/pool.js';
import { fail } from '../errors.js';
import type { NounName } from '../names.js';
import { bare, numberPlan, type NumberPlan } from '../telephone-numbers.js';

/**
 * SQL: the country in which what is typed for a team is read: of its default trunk; or the only one of its own trunks; or
 * the only one of those for every team. Null where there are several, or none.
 */
const home = (team: string): string => `coalesce(
  (select k.country from teams h join trunks k on k.id = h.trunk_id where h.id = ${team}),
  (select min(k.country) from trunks k where k.team_id = ${team} having min(k.country) = max(k.country)),
  (select min(k.country) from trunks k where k.team_id is null having min(k.country) = max(k.country)
     and not exists (select from trunks o where o.team_id = ${team} and o.country is not null)))`;

/** The plan by which what people type for a team is read. */
export async function homePlan(db: Queryable, teamId: number): Promise<NumberPlan> {
  const { rows } = await db.raw<{ rows: { country: string | null }[] }>(
    `select ${home(':teamId')} as country`,
    { teamId },
  );
  return numberPlan(rows[0]?.country ?? null);
}

/** A number as it was typed, and by what a telephone's is looked for now. */
interface Typed {
  id: number;
  team: string;
  country: string | null;
  number: string;
  key: string;
}

/**
 * After a trunk has got a country, or a team another trunk: numbers that were typed before are the numbers that the plan
 * makes of them, of one team or of all. Refuses where two become one.
 */
export async function renumber(
  trx: Queryable,
  by: { noun: NounName; name: string },
  teamId: number | null,
): Promise<void> {
  const { rows: dids } = await trx.raw<{ rows: Typed[] }>(
    `select d.id, t.identity as team, ${home('t.id')} as country, d.number, '' as key
     from dids d join teams t on t.id = d.team_id
     where d.number not like '+%' and (:teamId::integer is null or t.id = :teamId::integer)
     order by d.id`,
    { teamId },
  );
  for (const { id, team, number, now } of await read(dids)) {
    if (now === number) continue;
    const { rows } = await trx.raw<{ rows: { team: string; number: string }[] }>(
      `select t.identity as team, d.number from dids d join teams t on t.id = d.team_id
       where ltrim(d.number, '+') = ? and d.id <> ?`,
      [bare(now), id],
    );
    if (rows[0]) throw oneNumber(by, 'DID', { team, number }, rows[0]);
    await trx('dids').where({ id }).update({ number: now });
  }
  const { rows: telephones } = await trx.raw<{ rows: Typed[] }>(
    `select x.id, t.identity as team, ${home('t.id')} as country, x.telephone_number as number, x.telephone_key as key
     from extensions x join teams t on t.id = x.team_id
     where x.removed_at is null and x.telephone_number is not null and (:teamId::integer is null or t.id = :teamId::integer)
     order by x.id`,
    { teamId },
  );
  for (const { id, team, number, now, key } of await read(telephones)) {
    if (bare(now) === key) continue;
    const { rows } = await trx.raw<{ rows: { number: string }[] }>(
      `select y.telephone_number as number from extensions y join extensions x on x.team_id = y.team_id
       where x.id = ? and y.id <> x.id and y.telephone_key = ? and y.removed_at is null`,
      [id, bare(now)],
    );
    if (rows[0]) throw oneNumber(by, 'telephone number', { team, number }, { team, ...rows[0] });
    await trx('extensions')
      .where({ id })
      .update({ telephone_key: bare(now) });
  }
}

/** What the plan of their team's country makes of them. */
const read = (rows: readonly Typed[]): Promise<(Typed & { now: string })[]> =>
  Promise.all(
    rows.map(async (row) => ({ ...row, now: (await numberPlan(row.country)).canonical(row.number) })),
  );

function oneNumber(
  by: { noun: NounName; name: string },
  what: string,
  one: { team: string; number: string },
  other: { team: string; number: string },
): Error {
  return fail('taken', {
    ...by,
    facts: { number: one.number, team: one.team, other: other.number, holder: other.team },
    says: `${what} ${one.number} of team ${one.team} and ${what} ${other.number} of team ${other.team} would be one number`,
    remedy: { text: 'remove one of the two, then try again' },
  });
}
