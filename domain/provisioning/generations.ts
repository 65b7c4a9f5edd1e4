import type { Queryable } from '../database/pool.js';
import { withDatabaseErrors } from '../database/sql-errors.js';

/** So many generations of a node are remembered: more than anybody leaves unloaded. */
const kept = 100;

/** The changes that a snapshot has and generated files may not have yet. Ask in the transaction that reads the rows. */
export async function changesIn(snapshot: Queryable, node: string): Promise<string[]> {
  return snapshot('file_changes').where({ node }).pluck<string[]>('id');
}

/** Remembers that files were made for a node, before its Asterisk can have loaded them. The oldest are forgotten. */
export async function rememberGeneration(db: Queryable, node: string, generation: string): Promise<void> {
  await withDatabaseErrors(async () => {
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
  });
}

/** Whether these files were made for a node from this database, or from one that it is a copy of. */
export async function isGenerationOf(db: Queryable, node: string, generation: string): Promise<boolean> {
  const known = await withDatabaseErrors(() =>
    db('generations').where({ node, name: generation }).first<{ node: string } | undefined>('node'),
  );
  return known !== undefined;
}

/** Notes that the files in force have these changes. */
export async function forgetChanges(db: Queryable, changes: readonly string[]): Promise<void> {
  if (changes.length === 0) return;
  await withDatabaseErrors(() =>
    db.raw('delete from file_changes where id = any(?::bigint[])', [[...changes]]),
  );
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
