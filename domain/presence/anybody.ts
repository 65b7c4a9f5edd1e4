import { prepared, type Queryable } from '../database/pool.js';
import { takesQueueCalls } from './work-mode.js';

/** Whether an agent is signed in who takes the calls of this group's queue, in whatever state. */
export async function isAnybodySignedIn(db: Queryable, team: string, group: string): Promise<boolean> {
  const [row] = await prepared<{ there: boolean }>(
    db,
    `select exists (
       select from agent_groups g join teams t on t.id = g.team_id
       join agent_group_members m on m.group_id = g.id
       join sign_ins i on i.agent_id = m.agent_id and i.signed_out_at is null
       where t.identity = ? and g.name = ? and ${takesQueueCalls}) as there`,
    [team, group],
  );
  return row?.there === true;
}
