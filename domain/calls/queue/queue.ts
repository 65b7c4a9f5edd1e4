import { prepared, type Queryable } from '../../database/pool.js';

/** A queue of Asterisk and the group that it is. */
export interface Queue {
  teamId: number;
  groupId: number;
  /** Longest wrap-up; 0: no limit. */
  wrapUpSeconds: number;
}

/** The two names in that of a queue, `astercc-support`; empty for a queue that cannot be ours. */
export function namesIn(queue: string): { team: string; group: string } {
  const [, team = '', group = ''] = /^([a-z][a-z0-9]{1,19})-([a-z][a-z0-9_]{0,31})$/.exec(queue) ?? [];
  return { team, group };
}

/** The group behind a queue name such as `astercc-support`, undefined for a queue that is none of this node. */
export async function findQueue(db: Queryable, node: string, queue: string): Promise<Queue | undefined> {
  const [found] = await prepared<Queue>(
    db,
    `select g.team_id as "teamId", g.id as "groupId", g.wrap_up_seconds as "wrapUpSeconds"
     from agent_groups g join teams t on t.id = g.team_id
     where t.node = :node and t.identity = :team and g.name = :group
     -- A call of a removed group may outlive its queue, and its wrap-up has the group's time.
     order by g.removed_at is not null, g.leaving_since is null, g.id desc limit 1`,
    { node, ...namesIn(queue) },
  );
  return found;
}
