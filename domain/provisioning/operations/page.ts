import type { Queryable } from '../../database/pool.js';
import { withDatabaseErrors } from '../../database/sql-errors.js';
import type { Noun } from '../fields/description.js';
import { owned, selectOf, there } from '../values/rows.js';
import { scopeOf } from '../values/scope.js';

/**
 * Things that are a team's own, in the order in which they were made, behind the one with the id `after`: at most `limit`,
 * and the id behind which there are more. Who goes on from there misses nothing that stays, whatever comes and goes meanwhile.
 */
export function pageOf(
  db: Queryable,
  noun: Noun,
  team: string,
  { after, limit }: { after: number; limit: number },
): Promise<{ rows: object[]; next: number | null }> {
  return withDatabaseErrors(async () => {
    const scope = await scopeOf(db, team);
    const { rows } = await db.raw<{ rows: { at: number }[] }>(
      `${selectOf(noun, 'o.id as "at"')} where ${owned(noun, scope)} and ${there(noun)} and o.id > :after
       order by o.id limit :limit`,
      { teamId: scope.teamId, after, limit: limit + 1 },
    );
    const shown = rows.slice(0, limit);
    return {
      rows: shown.map(({ at: _at, ...row }) => row),
      next: rows.length > limit ? (shown.at(-1)?.at ?? null) : null,
    };
  });
}
