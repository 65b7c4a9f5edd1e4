import type { CallKind } from '../presence/agent-state.js';
import type { AgentState } from '../presence/transitions.js';
import type { WorkMode } from '../presence/work-mode.js';
import { prepared, type Queryable } from '../database/pool.js';
import { withDatabaseErrors } from '../database/sql-errors.js';
import { checkWhole, unknown } from '../names.js';
import {
  readLimitsReached,
  readRefusedCalls,
  type LimitStatus,
  type RefusedCalls,
} from './outbound-status.js';
import { filesAreBehind } from '../provisioning/generations.js';
import { requireTeam } from '../provisioning/team.js';

/** An agent group now, and the calls that have joined its queue today, each time that they did. */
export interface GroupStatus {
  name: string;
  /** Callers in the queue. */
  waiting: number;
  /** Callers who have left it to be called back, with their places. */
  callbacks: number;
  /** Since when the one who waits longest does. */
  waitingSince: Date | null;
  /** Callers who talk to the agent who answered them in this queue; not those who were sent on. */
  talking: number;
  signedIn: number;
  /** How many of those who are signed in are in each state; a state in which nobody is, is left out. */
  states: Partial<Record<AgentState, number>>;
  answered: number;
  /** Those of the answered that did not wait longer than the service level allows. */
  answeredInTime: number;
  /** Callers who left without an answer: by themselves, or sent away since nobody was there or they had waited too long. */
  abandoned: number;
  /** Per cent, by the formula of the status; null before the first call. */
  serviceLevel: number | null;
}

/** An agent now. */
export interface AgentStatus {
  number: string;
  name: string;
  state: AgentState | 'signed-out';
  extension: string | null;
  since: Date | null;
  /** When a server ends the state by itself. */
  until: Date | null;
  reason: string | null;
  /** The group whose call it is, or was before the wrap-up. */
  group: string | null;
  /** What kind of call they ring for, talk in, or had before the wrap-up. */
  callKind: 'queue' | CallKind | null;
  /** Asterisk's uniqueid of the call. */
  call: string | null;
  /** The number of the caller, as the trunk gave it. */
  caller: string | null;
  /** What they have chosen for groups that leave it to them, and for which group they call out; null: not signed in. */
  workMode: WorkMode | null;
  currentGroup: string | null;
}

/** How a team stands. */
export interface TeamStatus {
  team: string;
  /** The moment that it is the status of, by the clock of the database. */
  at: Date;
  timeZone: string;
  /** When today began, in the time zone of the team. */
  today: Date;
  serviceLevel: { formula: string; withinSeconds: number };
  /** Whether something has changed that no generated file has yet. */
  filesAreBehind: boolean;
  groups: GroupStatus[];
  agents: AgentStatus[];
  /** Limits that keep calls to the outside in now. */
  limits: LimitStatus[];
  /** Calls to the outside that were refused within the last hour. */
  refusedCalls: RefusedCalls[];
}

/** Seconds that a caller may wait, unless a command says otherwise. */
export const usualWithinSeconds = 20;

/** There are four usual formulas of the service level; abandoned calls count against it here, however short. */
export const serviceLevelFormula = (withinSeconds: number): string =>
  `answered within ${withinSeconds} s / (answered + abandoned)`;

/** How a team stands at this moment, as the database knows it. */
export function readStatus(
  db: Queryable,
  team: string,
  withinSeconds: number = usualWithinSeconds,
): Promise<TeamStatus> {
  checkWhole('time for the service level, in seconds,', { from: 0, to: 86_400 }, withinSeconds);
  return withDatabaseErrors(async () => {
    const teamId = await requireTeam(db, team);
    const clock = await db.raw<{ rows: Pick<TeamStatus, 'at' | 'timeZone' | 'today'>[] }>(
      `select now() as at, time_zone as "timeZone",
         date_trunc('day', now() at time zone time_zone) at time zone time_zone as today
       from teams where id = ?`,
      [teamId],
    );
    const [moment] = clock.rows;
    if (!moment) throw new Error(`team ${team} has gone while it was looked at`);
    const { rows: groups } = await db.raw<{ rows: GroupStatus[] }>(groupsSql, {
      teamId,
      withinSeconds,
      today: moment.today,
    });
    const { rows: agents } = await db.raw<{ rows: AgentStatus[] }>(agentsSql, { teamId });
    const serviceLevel = { formula: serviceLevelFormula(withinSeconds), withinSeconds };
    const behind = await filesAreBehind(db, team);
    const limits = await readLimitsReached(db, teamId);
    const refusedCalls = await readRefusedCalls(db, teamId);
    return { team, ...moment, serviceLevel, filesAreBehind: behind, groups, agents, limits, refusedCalls };
  });
}

const groupsSql = `
  with open as (
    select group_id, count(*) filter (where answered_at is null) as waiting,
      min(joined_at) filter (where answered_at is null) as since,
      count(*) filter (where answered_at is not null) as talking
    from queue_visits where team_id = :teamId and left_at is null group by group_id
  ), done as (
    select group_id, count(*) filter (where outcome = 'answered') as answered,
      count(*) filter (where outcome = 'answered'
        and answered_at <= joined_at + make_interval(secs => :withinSeconds)) as in_time,
      count(*) filter (where outcome in ('abandoned', 'nobody', 'timeout', 'full')) as abandoned
    from queue_visits where team_id = :teamId and joined_at >= :today group by group_id
  ), in_state as (
    select m.group_id, s.state, count(*) as agents
    from sign_ins i join agent_group_members m on m.agent_id = i.agent_id
    join agent_states s on s.sign_in_id = i.id and s.ended_at is null
    where i.team_id = :teamId and i.signed_out_at is null group by m.group_id, s.state
  ), signed_in as (
    select group_id, sum(agents) as agents, json_object_agg(state, agents) as states from in_state group by group_id
  )
  select g.name, coalesce(open.waiting, 0)::integer as waiting,
    (select count(*) from callbacks k where k.team_id = g.team_id and k.group_id = g.id and k.ended_at is null)::integer
      as callbacks, open.since as "waitingSince",
    coalesce(open.talking, 0)::integer as talking, coalesce(signed_in.agents, 0)::integer as "signedIn",
    coalesce(signed_in.states, '{}') as states, coalesce(answered, 0)::integer as answered, coalesce(in_time, 0)::integer as "answeredInTime",
    coalesce(abandoned, 0)::integer as abandoned,
    round(100.0 * in_time / nullif(answered + abandoned, 0), 2)::double precision as "serviceLevel"
  from agent_groups g
  left join open on open.group_id = g.id
  left join done on done.group_id = g.id
  left join signed_in on signed_in.group_id = g.id
  where g.team_id = :teamId and (g.removed_at is null or g.leaving_since is not null) order by g.name`;

const agentSql = `
  select a.number, u.name, coalesce(s.state::text, 'signed-out') as state, x.number as extension,
    s.started_at as since, s.deadline_at as until, s.reason, g.name as "group", s.call_uniqueid as call, c.caller,
    i.work_mode as "workMode", k.name as "currentGroup",
    case when s.state in ('ringing', 'talking', 'wrap-up') then coalesce(s.call_kind, 'queue') end as "callKind"
  from agents a
  join teams t on t.id = a.team_id
  join users u on u.id = a.user_id
  left join sign_ins i on i.agent_id = a.id and i.signed_out_at is null
  left join extensions x on x.id = i.extension_id
  left join agent_states s on s.sign_in_id = i.id and s.ended_at is null
  left join agent_groups g on g.id = s.group_id
  left join agent_groups k on k.id = i.current_group_id
  left join calls c on c.node = t.node and c.uniqueid = s.call_uniqueid and c.team_id = a.team_id
  where a.team_id = :teamId and a.removed_at is null`;
const agentsSql = `${agentSql} order by length(a.number), a.number`;

/** Numbers of the agents of a group. @throws Star64Error `unknown` when the team has no such group. */
export function readMembers(db: Queryable, team: string, group: string): Promise<Set<string>> {
  return withDatabaseErrors(async () => {
    const [found] = await prepared<{ numbers: string[] }>(
      db,
      `select array(select a.number from agent_group_members m join agents a on a.id = m.agent_id and a.removed_at is null
         where m.group_id = g.id) as numbers
       from agent_groups g join teams t on t.id = g.team_id
       where t.identity = ? and g.name = ? and g.removed_at is null`,
      [team, group],
    );
    if (!found) throw unknown('group', team, group);
    return new Set(found.numbers);
  });
}

/** One agent now. @throws Star64Error `unknown` when there is none of that number. */
export function readAgent(db: Queryable, team: string, number: string): Promise<AgentStatus> {
  return withDatabaseErrors(async () => {
    const { rows } = await db.raw<{ rows: AgentStatus[] }>(`${agentSql} and a.number = :number`, {
      teamId: await requireTeam(db, team),
      number,
    });
    if (!rows[0]) throw unknown('agent', team, number);
    return rows[0];
  });
}
