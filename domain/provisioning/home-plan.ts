import type { Queryable } from '../database/pool.js';
import { fail } from '../errors.js';
import type { NounName } from '../names.js';
import { canonicalPattern } from '../number-pattern.js';
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

/** A number as it was typed, and by what it is found now. */
interface Typed {
  id: number;
  team: string;
  country: string | null;
  number: string;
  key: string;
}

/** What is kept of numbers: SQL with `:teamId`, and with one row of `c (id, number, key)` for each that changes. */
interface Kept {
  readonly what: string;
  readonly typed: string;
  /** Those that have the key of another one already. */
  readonly taken: string;
  readonly change: string;
}

const kept: readonly Kept[] = [
  {
    what: 'DID',
    typed: `select d.id, t.identity as team, ${home('t.id')} as country, d.number, ltrim(d.number, '+') as key
      from dids d join teams t on t.id = d.team_id
      where d.number not like '+%' and (:teamId::integer is null or t.id = :teamId::integer) order by d.id`,
    taken: `select c.id, t.identity as team, d.number from c join dids d on ltrim(d.number, '+') = c.key and d.id <> c.id
      join teams t on t.id = d.team_id order by c.id limit 1`,
    change: 'update dids d set number = c.number from c where d.id = c.id',
  },
  {
    what: 'telephone number',
    typed: `select x.id, t.identity as team, ${home('t.id')} as country, x.telephone_number as number, x.telephone_key as key
      from extensions x join teams t on t.id = x.team_id
      where x.removed_at is null and x.telephone_number is not null
        and (:teamId::integer is null or t.id = :teamId::integer) order by x.id`,
    taken: `select c.id, t.identity as team, y.telephone_number as number from c join extensions x on x.id = c.id
      join extensions y on y.team_id = x.team_id and y.telephone_key = c.key and y.id <> x.id and y.removed_at is null
      join teams t on t.id = y.team_id order by c.id limit 1`,
    change: 'update extensions x set telephone_key = c.key from c where x.id = c.id',
  },
];

/**
 * After a trunk has got a country, or a team another trunk: numbers that were typed before are the numbers that the plan
 * makes of them, of one team or of all. Refuses where two become one.
 */
export async function renumber(
  trx: Queryable,
  by: { noun: NounName; name: string },
  teamId: number | null,
): Promise<void> {
  for (const { what, typed, taken, change } of kept) {
    const { rows } = await trx.raw<{ rows: Typed[] }>(typed, { teamId });
    const changes = new Map<number, Typed & { now: string }>();
    for (const row of rows) {
      const now = canonicalPattern(await numberPlan(row.country), row.number);
      if (bare(now) !== row.key || (what === 'DID' && now !== row.number))
        changes.set(row.id, { ...row, now });
    }
    if (changes.size === 0) continue;
    const c = [...changes.values()];
    const values = {
      ids: c.map(({ id }) => id),
      numbers: c.map(({ now }) => now),
      keys: c.map(({ now }) => bare(now)),
    };
    const withC = `with c as (select * from unnest(:ids::integer[], :numbers::text[], :keys::text[]) as c (id, number, key))`;
    const found = await trx.raw<{ rows: { id: number; team: string; number: string }[] }>(
      `${withC} ${taken}`,
      values,
    );
    const twice = found.rows[0] ?? twiceAmong(what, c);
    if (twice) throw oneNumber(by, what, changes.get(twice.id), twice);
    await trx.raw(`${withC} ${change}`, values);
  }
}

/** Two of them that become one in this moment: of DIDs over all teams, of telephones in one. */
function twiceAmong(
  what: string,
  changes: readonly (Typed & { now: string })[],
): { id: number; team: string; number: string } | undefined {
  const seen = new Map<string, Typed>();
  for (const one of changes) {
    const key = what === 'DID' ? bare(one.now) : `${one.team} ${bare(one.now)}`;
    const before = seen.get(key);
    if (before) return { id: one.id, team: before.team, number: before.number };
    seen.set(key, one);
  }
  return undefined;
}

function oneNumber(
  by: { noun: NounName; name: string },
  what: string,
  one: { team: string; number: string } | undefined,
  other: { team: string; number: string },
): Error {
  const { team = '', number = '' } = one ?? {};
  return fail('taken', {
    ...by,
    facts: { number, team, other: other.number, holder: other.team },
    says: `${what} ${number} of team ${team} and ${what} ${other.number} of team ${other.team} would be one number`,
    remedy: { text: 'remove one of the two, then try again' },
  });
}
