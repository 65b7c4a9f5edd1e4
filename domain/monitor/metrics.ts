import { prepared, type Queryable } from '../database/pool.js';
import { withDatabaseErrors } from '../database/sql-errors.js';

/** What figures there are of the whole installation. */
export interface SystemFigures {
  /** Agent groups of all teams. */
  groups: number;
  teams: number;
  /** Seconds for which the oldest event has waited that followers cannot be told yet. */
  eventLag: number;
  /** Seconds for which the oldest message has waited that is still to be sent to a webhook. */
  webhookOldest: number;
  /** The nodes: whether a server watches over them, and for how many seconds none has. */
  nodes: { node: string; watched: boolean; unwatched: number }[];
}

/** Of an agent group, or of a whole team (`group` null). */
export interface QueueFigures {
  team: string;
  group: string | null;
  waiting: number;
  /** Seconds. */
  longest: number;
}

/** Of an agent group, or of a whole team (`group` and `state` null: who is signed in). */
export interface AgentFigures {
  team: string;
  group: string | null;
  state: string | null;
  agents: number;
}

export interface Figures extends SystemFigures {
  /** With more groups than this there are figures of teams only. */
  byGroup: boolean;
  queues: QueueFigures[];
  agents: AgentFigures[];
}

/** With more groups than this figures are of teams, three of each: a scrape stays small. */
export const mostGroups = 200;

/** Figures of this moment, by three statements, however many teams there are. @throws Star64Error without a database. */
export function readFigures(db: Queryable): Promise<Figures> {
  return withDatabaseErrors(async () => {
    const [system] = await prepared<SystemFigures>(db, systemSql);
    if (!system) throw new Error('the database has said nothing');
    const byGroup = system.groups <= mostGroups;
    return {
      ...system,
      byGroup,
      queues: await prepared<QueueFigures>(db, byGroup ? queuesOfGroups : queuesOfTeams),
      agents: await prepared<AgentFigures>(db, byGroup ? agentsOfGroups : agentsOfTeams),
    };
  });
}

const seconds = (since: string): string =>
  `greatest(0, extract(epoch from clock_timestamp() - ${since}))::double precision`;

const systemSql = `
  select (select count(*) from agent_groups where removed_at is null)::integer as groups,
    (select count(*) from teams)::integer as teams,
    coalesce((select ${seconds('e.written_at')} from events e
      where e.era = (select era from event_log) and e.xid >= pg_snapshot_xmin(pg_current_snapshot())::text::bigint
      order by e.era, e.xid, e.id limit 1), 0) as "eventLag",
    -- Of each webhook its oldest: what waits for disabled ones may be any number.
    coalesce((select ${seconds('min(d.made_at)')} from webhooks w cross join lateral (
        select d.made_at from webhook_deliveries d where d.webhook_id = w.id and d.state = 'due' order by d.made_at limit 1) d
      where w.enabled), 0) as "webhookOldest",
    coalesce((select json_agg(json_build_object('node', l.node, 'watched', l.expires_at > clock_timestamp(),
        'unwatched', ${seconds('l.expires_at')}) order by l.node) from leader_leases l), '[]') as nodes`;

const open = `queue_visits v where v.left_at is null and v.answered_at is null`;

const queuesOfGroups = `
  select t.identity as team, g.name as "group", count(v.id)::integer as waiting,
    coalesce(${seconds('min(v.joined_at)')}, 0) as longest
  from agent_groups g join teams t on t.id = g.team_id
  left join queue_visits v on v.group_id = g.id and v.team_id = g.team_id and v.left_at is null and v.answered_at is null
  where g.removed_at is null group by t.identity, g.name order by t.identity, g.name`;

const queuesOfTeams = `
  with waiting as (select v.team_id, count(*)::integer as calls, min(v.joined_at) as since from ${open} group by v.team_id)
  select t.identity as team, null as "group", coalesce(w.calls, 0) as waiting,
    coalesce(${seconds('w.since')}, 0) as longest
  from teams t left join waiting w on w.team_id = t.id order by t.identity`;

const agentsOfGroups = `
  select t.identity as team, g.name as "group", coalesce(s.state::text, 'signed-out') as state, count(*)::integer as agents
  from agent_group_members m
  join agent_groups g on g.id = m.group_id and g.removed_at is null
  join teams t on t.id = g.team_id
  join agents a on a.id = m.agent_id and a.removed_at is null
  left join sign_ins i on i.agent_id = a.id and i.signed_out_at is null
  left join agent_states s on s.sign_in_id = i.id and s.ended_at is null
  group by t.identity, g.name, 3 order by t.identity, g.name, 3`;

const agentsOfTeams = `
  with signed_in as (select team_id, count(*)::integer as agents from sign_ins where signed_out_at is null group by team_id)
  select t.identity as team, null as "group", null as state, coalesce(s.agents, 0) as agents
  from teams t left join signed_in s on s.team_id = t.id order by t.identity`;
