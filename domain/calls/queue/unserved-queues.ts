import { prepared, type Queryable } from '../../database/pool.js';

/**
 * Groups of a node in whose queue somebody waits and perhaps nobody serves: none of the agents who are signed in rings
 * or talks. Whether one of them could be called, Asterisk knows. (How many wait in one queue says `readQueueWaiting`.)
 */
export function unservedQueues(db: Queryable, node: string): Promise<{ team: string; group: string }[]> {
  return prepared<{ team: string; group: string }>(
    db,
    `select distinct t.identity as team, g.name as "group"
     from queue_visits v join agent_groups g on g.id = v.group_id join teams t on t.id = g.team_id
     where v.node = ? and v.left_at is null and v.answered_at is null
       and not exists (
         select from queue_agents m join sign_ins i on i.agent_id = m.agent_id and i.signed_out_at is null
         join agent_states s on s.sign_in_id = i.id and s.ended_at is null
         where m.group_id = g.id and s.state in ('ringing', 'talking'))`,
    [node],
  );
}
