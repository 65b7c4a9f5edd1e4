import { prepared, type Queryable } from '../database/pool.js';
import { withDatabaseErrors } from '../database/sql-errors.js';

/** Who waits for a group. */
export interface Waiting {
  /** Callers in its queue. */
  waiting: number;
  /** Since when the one who waits longest does. */
  waitingSince: Date | null;
}

/** Who waits in a team, by the names of its groups; of a group for which nobody does there is nothing. One statement. */
export function readWaiting(db: Queryable, team: string): Promise<Map<string, Waiting>> {
  return withDatabaseErrors(async () => {
    const rows = await prepared<Waiting & { name: string }>(
      db,
      `select g.name, count(*)::integer as waiting, min(v.joined_at) as "waitingSince"
       from teams t
       join queue_visits v on v.team_id = t.id and v.left_at is null and v.answered_at is null
       join agent_groups g on g.id = v.group_id and g.removed_at is null
       where t.identity = ? group by g.name`,
      [team],
    );
    return new Map(rows.map(({ name, ...waiting }) => [name, waiting]));
  });
}
