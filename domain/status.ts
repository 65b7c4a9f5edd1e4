import { type Queryable, withDatabaseErrors } from './database.js';
import { requireTeam } from './team.js';

export interface GroupStatus {
  name: string;
  /** Callers in the queue. */
  waiting: number;
  /** Since when the one who waits longest does. */
  waitingSince: Date | null;
  talking: number;
  signedIn: number;
}

export interface AgentStatus {
  number: string;
  name: string;
  state: 'signed-out' | 'idle' | 'ringing' | 'talking' | 'wrap-up' | 'paused';
  extension: string | null;
  since: Date | null;
  reason: string | null;
}

/** How a team stands at this moment, as the database knows it. */
export function readStatus(
  db: Queryable,
  team: string,
): Promise<{ team: string; groups: GroupStatus[]; agents: AgentStatus[] }> {
  return withDatabaseErrors(async () => {
    const teamId = await requireTeam(db, team);
    const groups = await db.raw<{ rows: GroupStatus[] }>(
      `select g.name, coalesce(c.waiting, 0)::integer as waiting, c.since as "waitingSince",
         coalesce(c.talking, 0)::integer as talking, (
           select count(*)::integer from agent_group_members m
           join sign_ins i on i.agent_id = m.agent_id and i.signed_out_at is null
           where m.group_id = g.id) as "signedIn"
       from agent_groups g
       left join lateral (
         select count(*) filter (where answered_at is null) as waiting,
           min(queued_at) filter (where answered_at is null) as since,
           count(*) filter (where answered_at is not null) as talking
         from calls where group_id = g.id and queued_at is not null and ended_at is null) c on true
       where g.team_id = ? order by g.name`,
      [teamId],
    );
    const agents = await db.raw<{ rows: AgentStatus[] }>(
      `select a.number, u.name, coalesce(s.state::text, 'signed-out') as state, x.number as extension,
         s.started_at as since, s.reason
       from agents a
       join users u on u.id = a.user_id
       left join sign_ins i on i.agent_id = a.id and i.signed_out_at is null
       left join extensions x on x.id = i.extension_id
       left join agent_states s on s.sign_in_id = i.id and s.ended_at is null
       where a.team_id = ? order by length(a.number), a.number`,
      [teamId],
    );
    return { team, groups: groups.rows, agents: agents.rows };
  });
}
