import type { Queryable } from '../database/pool.js';
import { withDatabaseErrors } from '../database/sql-errors.js';

/** So many generations of a node are remembered. */
const kept = 20;

/** The changes that a snapshot has and generated files may not have yet. Ask in the transaction that reads the rows. */
export async function changesIn(snapshot: Queryable, node: string): Promise<string[]> {
  return snapshot('file_changes').where({ node }).pluck<string[]>('id');
}

/** Remembers that a generation is in force at a node, and that its files have these changes. */
export function recordGeneration(
  db: Queryable,
  node: string,
  generation: string,
  changes: readonly string[],
): Promise<void> {
  return withDatabaseErrors(async () => {
    await db.raw(
      `insert into generations (node, name) values (:node, :generation)
       on conflict (node, name) do update set made_at = excluded.made_at`,
      { node, generation },
    );
    await db.raw(
      `delete from generations where node = :node and name not in (
         select name from generations where node = :node order by made_at desc, name limit :kept)`,
      { node, kept },
    );
    if (changes.length > 0)
      await db.raw('delete from file_changes where id = any(?::bigint[])', [[...changes]]);
  });
}

/** Notes that the files at a node are no longer those of the database: an older generation is in force. */
export async function noteFileChange(db: Queryable, node: string): Promise<void> {
  await withDatabaseErrors(() => db('file_changes').insert({ node }));
}

/**
 * Whether something has changed at the Asterisk of a team that no generated file has yet. A team that is not there may
 * have been at any of them.
 */
export async function filesAreBehind(db: Queryable, team: string): Promise<boolean> {
  const { rows } = await db.raw<{ rows: { behind: boolean }[] }>(
    `select exists (select from file_changes c
       where c.node = coalesce((select node from teams where identity = ?), c.node)) as behind`,
    [team],
  );
  return rows[0]?.behind ?? false;
}

/** What a command says as long as that is so. */
export const behind = 'not in Asterisk yet: star64 apply';
