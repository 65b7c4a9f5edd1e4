import { takesQueueCalls } from './work-mode.js';

/**
 * SQL: the queues that an agent is a member of, of rows `a` of agents and `i` of sign_ins, as a JSON array of name and
 * penalty. Those of their own groups come first, in their order, then those which they help out in: `linear` and `rrordered`
 * follow the order in which members are added.
 */
export const queuesOf = `
  select coalesce(json_agg(json_build_object('name', q.name, 'penalty', m.penalty) order by m.overflow, m.position, q.name), '[]')
  from queue_agents m join agent_groups q on q.id = m.group_id join agent_groups g on g.id = m.own_group_id
  where m.agent_id = a.id and ${takesQueueCalls}`;
