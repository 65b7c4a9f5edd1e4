import { prepared, type Queryable } from '../database/pool.js';

/**
 * Makes an Asterisk known by the name that its servers give it; known already, it stays as it is. Returns how many teams
 * live there.
 */
export async function registerNode(db: Queryable, node: string): Promise<number> {
  await prepared(db, 'insert into nodes (name) values (?) on conflict do nothing', [node]);
  const [row] = await prepared<{ teams: number }>(db, 'select count(*) as teams from teams where node = ?', [
    node,
  ]);
  return row?.teams ?? 0;
}
