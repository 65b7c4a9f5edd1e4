import type { Queryable } from '../../database/pool.js';

/** A queue as those wait in it who are not answered yet. */
export interface QueueWaiting {
  /** Number of the queue; null: it has none. */
  number: string | null;
  waiting: number;
  /** Seconds that the one who waits longest has waited; 0 when nobody does. */
  longestSeconds: number;
}

/** A group of a team: by the number of its queue, or by its id. */
export type Queue = { number: string } | { groupId: number };

/** How many wait in a queue of a team, and how long, as the database knows it. Undefined: the team has no such queue. */
export async function readQueueWaiting(
  db: Queryable,
  team: string,
  queue: Queue,
): Promise<QueueWaiting | undefined> {
  const [column, value] = 'number' in queue ? ['g.number', queue.number] : ['g.id', queue.groupId];
  const { rows } = await db.raw<{ rows: QueueWaiting[] }>(
    `select g.number, count(v.id)::integer as waiting,
       coalesce(greatest(0, floor(extract(epoch from clock_timestamp() - min(v.joined_at)))), 0)::integer as "longestSeconds"
     from agent_groups g join teams t on t.id = g.team_id
     left join queue_visits v on v.team_id = g.team_id and v.group_id = g.id and v.left_at is null and v.answered_at is null
     where t.identity = ? and ${column} = ? and g.removed_at is null group by g.id`,
    [team, value],
  );
  return rows[0];
}
