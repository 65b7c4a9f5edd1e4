import { prepared, type Queryable } from '../database/pool.js';
import { takesQueueCalls } from './work-mode.js';

/** Whether an agent is signed in who takes the calls of this group's queue, as one of its own or for its overflow, in whatever state. */
export async function isAnybodySignedIn(db: Queryable, team: string, group: string): Promise<boolean> {
  const [row] = await prepared<{ there: boolean }>(
    db,
    `select exists (
       select from agent_groups q join teams t on t.id = q.team_id
       join queue_agents m on m.group_id = q.id join agent_groups g on g.id = m.own_group_id
       join sign_ins i on i.agent_id = m.agent_id and i.signed_out_at is null
       where t.identity = ? and q.name = ? and ${takesQueueCalls}) as there`,
    [team, group],
  );
  return row?.there === true;
}
