import { Beforehand } from './change.js';
import { home } from '../values/home-plan.js';
import type { Change } from './operations.js';
import type { Queryable } from '../../database/pool.js';
import { sqlError } from '../../database/sql-errors.js';
import { fail } from '../../errors.js';
import type { NounName } from '../../names.js';
import { canonicalPattern } from '../../number-pattern.js';
import { bare, numberPlan } from '../../telephone-numbers.js';

/** A number as it was typed, and by what it is found now. */
interface Typed {
  id: number;
  teamId: number;
  number: string;
  key: string;
}

/** One that gets another form. */
interface Renumbered extends Typed {
  team: string;
  now: string;
}

/** A number that has a form already. */
interface Holder {
  id: number;
  team: string;
  number: string;
}

/**
 * What is kept of numbers: SQL with `:teamId`, and with one row of `c (id, typed, number, key)` for each that changes. None
 * of it is about more rows than a statement has time for.
 */
interface Kept {
  readonly what: string;
  readonly typed: string;
  /** Those that have the key of another one already. */
  readonly taken: string;
  /** Changes those that are still what was read. */
  readonly change: string;
}

const kept: readonly Kept[] = [
  {
    what: 'DID',
    typed: `select d.id, d.team_id as "teamId", d.number, d.number as key from dids d
      where d.number not like '+%' and (:teamId::integer is null or d.team_id = :teamId::integer)
        and d.id > :after order by d.id limit :most`,
    // Each half has an index of its own; the other way round every number would be read for each statement.
    taken: `select c.id, t.identity as team, d.number from c, lateral (
        select id, team_id, number from dids where ltrim(number, '+') = c.key and not twin
        union all select id, team_id, number from dids where ltrim(number, '+') = c.key and twin) as d
      join teams t on t.id = d.team_id where d.id <> c.id order by c.id limit 1`,
    change: 'update dids d set number = c.number from c where d.id = c.id and d.number = c.typed',
  },
  {
    what: 'telephone number',
    typed: `select x.id, x.team_id as "teamId", x.telephone_number as number, x.telephone_key as key from extensions x
      where x.removed_at is null and x.telephone_number is not null
        and (:teamId::integer is null or x.team_id = :teamId::integer) and x.id > :after order by x.id limit :most`,
    taken: `select c.id, t.identity as team, y.telephone_number as number from c join extensions x on x.id = c.id
      join extensions y on y.team_id = x.team_id and y.telephone_key = c.key and y.id <> x.id and y.removed_at is null
      join teams t on t.id = y.team_id order by c.id limit 1`,
    change:
      'update extensions x set telephone_key = c.key from c where x.id = c.id and x.telephone_number = c.typed',
  },
];

/** Rows that one statement reads, and that one writes: far below what its deadline allows, also of a slow database. */
const readAtOnce = 10_000;
const writtenAtOnce = 1_000;

/**
 * After a trunk has got a country, or a team another trunk: numbers that were typed before are the numbers that the plan
 * makes of them, of one team or of all. Refuses where two become one. Numbers are reckoned `Beforehand`, with nothing
 * locked: in the transaction it is only looked whether all that are there now have been.
 */
export async function renumber(
  { trx, ready }: Pick<Change<unknown>, 'trx' | 'ready'>,
  by: { noun: NounName; name: string },
  teamId: number | null,
): Promise<void> {
  const homes = await homesOf(trx, teamId);
  const unread = new Map<string, { country: string; number: string }>();
  const found: { one: Kept; changes: Renumbered[] }[] = [];
  for (const one of kept) {
    const changes: Renumbered[] = [];
    for await (const row of typedNumbers(trx, one, teamId)) {
      const { team, country } = homes.get(row.teamId) ?? { team: '', country: null };
      const key = `${country} ${row.number}`;
      const now = country === null ? row.number : ready.get(key);
      if (now === undefined) unread.set(key, { country: country ?? '', number: row.number });
      else if (bare(now) !== row.key || (one.what === 'DID' && now !== row.number))
        changes.push({ ...row, team, now });
    }
    found.push({ one, changes });
  }
  if (unread.size > 0) {
    throw new Beforehand(async () => {
      for (const [key, { country, number }] of unread)
        ready.set(key, canonicalPattern(await numberPlan(country), number));
    });
  }
  for (const { one, changes } of found) await write(trx, by, one, changes);
}

async function homesOf(
  trx: Queryable,
  teamId: number | null,
): Promise<Map<number, { team: string; country: string | null }>> {
  const { rows } = await trx.raw<{ rows: { id: number; team: string; country: string | null }[] }>(
    `select t.id, t.identity as team, ${home('t.id')} as country from teams t
     where :teamId::integer is null or t.id = :teamId::integer`,
    { teamId },
  );
  return new Map(rows.map(({ id, team, country }) => [id, { team, country }]));
}

async function* typedNumbers(trx: Queryable, { typed }: Kept, teamId: number | null): AsyncGenerator<Typed> {
  for (let after = 0; ;) {
    const { rows } = await trx.raw<{ rows: Typed[] }>(typed, { teamId, after, most: readAtOnce });
    yield* rows;
    const last = rows.at(-1);
    if (!last || rows.length < readAtOnce) return;
    after = last.id;
  }
}

/** All of them or none: it is one transaction, in statements of few rows. */
async function write(
  trx: Queryable,
  by: { noun: NounName; name: string },
  { what, taken, change }: Kept,
  changes: readonly Renumbered[],
): Promise<void> {
  const lots = Array.from({ length: Math.ceil(changes.length / writtenAtOnce) }, (_, index) => {
    const rows = changes.slice(index * writtenAtOnce, (index + 1) * writtenAtOnce);
    return {
      ids: rows.map(({ id }) => id),
      typed: rows.map(({ number }) => number),
      numbers: rows.map(({ now }) => now),
      keys: rows.map(({ now }) => bare(now)),
    };
  });
  const withC = `with c as (select * from unnest(:ids::integer[], :typed::text[], :numbers::text[], :keys::text[])
    as c (id, typed, number, key))`;
  const refuse = (twice: Holder | undefined): void => {
    if (twice)
      throw oneNumber(
        by,
        what,
        changes.find(({ id }) => id === twice.id),
        twice,
      );
  };
  for (const lot of lots) refuse((await trx.raw<{ rows: Holder[] }>(`${withC} ${taken}`, lot)).rows[0]);
  refuse(twiceAmong(what, changes));
  for (const lot of lots) {
    const { rowCount } = await trx
      .raw<{ rowCount: number }>(`${withC} ${change}`, lot)
      .catch((error: unknown) => {
        const { code, constraint } = sqlError(error) ?? {};
        // Added in this moment: read anew, it is named.
        throw code === '23505' && constraint !== 'dids_overlap' ? new Beforehand() : error;
      });
    // Removed or typed anew since it was read.
    if (rowCount < lot.ids.length) throw new Beforehand();
  }
}

/** Two of them that become one in this moment: of DIDs over all teams, of telephones in one. */
function twiceAmong(what: string, changes: readonly Renumbered[]): Holder | undefined {
  const seen = new Map<string, Renumbered>();
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
    facts: { number, team, other: other.number, holder: other.team, holderTeam: other.team },
    says: `${what} ${number} of team ${team} and ${what} ${other.number} of team ${other.team} would be one number`,
    remedy: { text: 'remove one of the two, then try again' },
  });
}
