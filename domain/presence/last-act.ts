import { prepared, type Queryable } from '../database/pool.js';

/**
 * Whoever is signed in at a phone has dialled a code there, and so they are there. Returns whether they are paused for
 * calls that they missed, of which the phone tells them.
 */
export async function noteAct(db: Queryable, team: string, extension: string): Promise<{ missed: boolean }> {
  const [noted] = await prepared<{ missed: boolean }>(
    db,
    `update sign_ins i set acted_at = clock_timestamp()
     from extensions x join teams t on t.id = x.team_id
     where t.identity = :team and x.number = :extension and x.removed_at is null
       and i.extension_id = x.id and i.signed_out_at is null
     returning exists (select from agent_states s
       where s.sign_in_id = i.id and s.ended_at is null and s.state = 'paused' and s.pause_digit is null) as missed`,
    { team, extension },
  );
  return noted ?? { missed: false };
}
