import type { Queryable } from '../database/pool.js';
import { team } from './nouns/team.js';
import { operationsOf } from './operations.js';

/** Removes a team that owns nothing any more. */
export async function removeTeam(
  db: Queryable,
  identity: string,
  options: { discardCalls?: boolean } = {},
): Promise<void> {
  if (options.discardCalls)
    await db.raw('delete from calls where team_id = (select id from teams where identity = ?)', [identity]);
  await operationsOf(team).remove(db, null, identity);
}
