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

/** Notes whether the Asterisk of a node has read the keys within a call that are in a file of ours. */
export async function noteCallKeys(db: Queryable, node: string, has: boolean): Promise<void> {
  await withDatabaseErrors(() => db('nodes').where({ name: node }).update({ has_call_keys: has }));
}

/** Notes that the files at a node are no longer those of the database: an older generation is in force. */
export async function noteFileChange(db: Queryable, node: string): Promise<void> {
  await withDatabaseErrors(() => db('file_changes').insert({ node }));
}

/**
 * At which nodes something has changed that no generated file has yet: the one of a team; with null, for what belongs to
 * every team, any of them. A team that is not there may have been at any, too.
 */
async function nodesBehind(
  db: Queryable,
  team: string | null,
): Promise<
  { node: string; /** There are others, and no team says which one is meant. */ oneOfMany: boolean }[]
> {
  const { rows } = await db.raw<{ rows: { node: string; oneOfMany: boolean }[] }>(
    `select distinct c.node, t.node is null and (select count(*) from nodes) > 1 as "oneOfMany"
     from file_changes c left join teams t on t.identity = :team where c.node = coalesce(t.node, c.node) order by c.node`,
    { team },
  );
  return rows;
}

/** Whether something has changed at the Asterisk of a team that no generated file has yet. */
export const filesAreBehind = async (db: Queryable, team: string): Promise<boolean> =>
  (await nodesBehind(db, team)).length > 0;

/** What a command says as long as that is so. */
export const behind = 'not in Asterisk yet: star64 apply';

/** The same after a change of a team, or of what belongs to every team (null), with the nodes where that is not plain. */
export async function saysBehind(db: Queryable, team: string | null): Promise<string | undefined> {
  const nodes = await nodesBehind(db, team);
  if (nodes.length === 0) return undefined;
  if (!nodes.some(({ oneOfMany }) => oneOfMany)) return behind;
  return `${behind} (${nodes.length > 1 ? 'nodes' : 'node'} ${nodes.map(({ node }) => node).join(', ')})`;
}
