import type { Queryable } from '../database/pool.js';
import { withDatabaseErrors } from '../database/sql-errors.js';
import { usage } from '../errors.js';
import { checkWhole, unknown } from '../names.js';
import type { AgentState } from '../presence/transitions.js';
import { requireTeam } from '../provisioning/team.js';

/** What an agent did in a period, in whole seconds: the states add up to `signedInSeconds`, the pauses to `pausedSeconds`. */
export interface AgentReport {
  agent: string;
  /** Of the user whose agent it is. */
  name: string;
  signedInSeconds: number;
  idleSeconds: number;
  ringingSeconds: number;
  talkingSeconds: number;
  wrapUpSeconds: number;
  pausedSeconds: number;
  /** By reason, in the order of their names of then. */
  pauses: { reason: string; seconds: number }[];
}

export interface AgentReportFilter {
  since: Date;
  /** Default, and the latest: now. */
  until?: Date;
  /** Agents who are in this group now. */
  group?: string;
  /** Whoever has or had this number. */
  agent?: string;
  /** Of the agents of today only those with these numbers. */
  agents?: readonly string[];
  /** Where the page before ended: its `next`. */
  after?: number;
  limit?: number;
}

export interface AgentReportPage {
  since: Date;
  /** Up to when it counts: the end that was asked for, or the moment of the report. */
  until: Date;
  agents: AgentReport[];
  /** Where the next page begins, for `after`; null: there is none. */
  next: number | null;
}

/** The name of a pause for which no reason was given. */
const reasonNotGiven = 'no reason';

const usualReportPage = 50;
export const largestReportPage = 200;
const mostDays = 31;
const dayMs = 86_400_000;
/** Days of summer time and its end are longer and shorter. */
const longestMs = mostDays * dayMs + 7_200_000;

/**
 * For how long agents were signed in, in which states, and paused why (spec 46), in the order of their numbers: those who were
 * signed in between `since` and `until`. Of an interval that reaches over an end of that the part inside counts, of an open one
 * what has gone by. Names of pause reasons are those of then; an agent who was removed is in it.
 *
 * @throws Star64Error `usage` for a period that is none or longer than 31 days, `unknown` for a team, group or agent that there is not.
 */
export function reportAgents(
  db: Queryable,
  team: string,
  filter: AgentReportFilter,
): Promise<AgentReportPage> {
  const { since, group, agent, agents, after = 0 } = filter;
  const limit = checkWhole(
    'size of a page',
    { from: 1, to: largestReportPage },
    filter.limit ?? usualReportPage,
  );
  return withDatabaseErrors(async () => {
    const teamId = await requireTeam(db, team);
    const until = await endOf(db, since, filter.until);
    const ids = await agentsOf(db, teamId, team, agent);
    if (
      after > 0 &&
      !(await db('agents').where({ team_id: teamId, id: after }).first<object | undefined>('id'))
    )
      throw usage(
        'That is no place at which a page of this report begins: take the cursor of the page before.',
      );
    const groupId = group === undefined ? null : await groupOf(db, teamId, team, group);
    const { rows } = await db.raw<{ rows: Person[] }>(pageSql, {
      teamId,
      since,
      until,
      ids,
      groupId,
      numbers: agents ? [...agents] : null,
      after,
      limit: limit + 1,
    });
    const people = rows.slice(0, limit);
    const spent = new Map(people.map(({ id }) => [id, new Map<string, number>()]));
    for (let from = since; from < until && people.length > 0;) {
      const to = new Date(Math.min(from.getTime() + dayMs, until.getTime()));
      const { rows: pieces } = await db.raw<{ rows: Piece[] }>(spentSql, {
        ids: [...spent.keys()],
        from,
        to,
      });
      for (const { id, key, seconds } of pieces) {
        const own = spent.get(id);
        own?.set(key, (own.get(key) ?? 0) + seconds);
      }
      from = to;
    }
    const last = people.at(-1);
    return {
      since,
      until,
      agents: people.map((person) => reportOf(person, spent.get(person.id) ?? new Map())),
      next: rows.length > limit && last ? last.id : null,
    };
  });
}

/** All pages of it. */
export async function reportAllAgents(
  db: Queryable,
  team: string,
  filter: Omit<AgentReportFilter, 'after' | 'limit'>,
): Promise<AgentReport[]> {
  const all: AgentReport[] = [];
  let given: AgentReportFilter = { ...filter, limit: largestReportPage };
  for (;;) {
    const { agents, until, next } = await reportAgents(db, team, given);
    all.push(...agents);
    if (next === null) return all;
    // All of them up to one moment.
    given = { ...given, until, after: next };
  }
}

interface Person {
  id: number;
  agent: string;
  name: string;
}

/** Seconds of an agent in a state, which is the key; in a pause of one reason, behind `paused `. */
interface Piece {
  id: number;
  key: string;
  seconds: number;
}

/** Rounded once, at the end, and added up then, so that every line is right in itself. */
function reportOf({ agent, name }: Person, spent: ReadonlyMap<string, number>): AgentReport {
  const seconds = (state: AgentState): number => Math.round(spent.get(state) ?? 0);
  const pauses = [...spent]
    .filter(([key]) => key.startsWith(inPause))
    .map(([key, sum]) => ({ reason: key.slice(inPause.length), seconds: Math.round(sum) }))
    .sort((a, b) => a.reason.localeCompare(b.reason));
  const states = {
    idleSeconds: seconds('idle'),
    ringingSeconds: seconds('ringing'),
    talkingSeconds: seconds('talking'),
    wrapUpSeconds: seconds('wrap-up'),
    pausedSeconds: pauses.reduce((sum, pause) => sum + pause.seconds, 0),
  };
  const signedInSeconds = Object.values(states).reduce((sum, one) => sum + one, 0);
  return { agent, name, signedInSeconds, ...states, pauses };
}

const inPause = 'paused ';

/** The end of the period, by the clock of the database, which must be behind its beginning and not too far. */
async function endOf(db: Queryable, since: Date, asked: Date | undefined): Promise<Date> {
  const { rows } = await db.raw<{ rows: { now: Date }[] }>('select clock_timestamp() as now');
  const now = rows[0]?.now;
  if (!now) throw new Error('the database does not say what time it is');
  if ((asked ?? now) <= since) throw usage('The end of a report has to be later than its beginning.');
  const until = asked && asked < now ? asked : now;
  if ((asked ?? now).getTime() - since.getTime() > longestMs)
    throw usage(`A report is of ${mostDays} days at most: ask for each month by itself.`);
  return until;
}

/** Ids of the agents who have or had that number; null: of all. */
async function agentsOf(
  db: Queryable,
  teamId: number,
  team: string,
  number: string | undefined,
): Promise<number[] | null> {
  if (number === undefined) return null;
  const ids = await db('agents').where({ team_id: teamId, number }).pluck<number[]>('id');
  if (ids.length === 0) throw unknown('agent', team, number);
  return ids;
}

async function groupOf(db: Queryable, teamId: number, team: string, name: string): Promise<number> {
  const found = await db('agent_groups')
    .where({ team_id: teamId, name, removed_at: null })
    .first<{ id: number } | undefined>('id');
  if (!found) throw unknown('group', team, name);
  return found.id;
}

/**
 * SQL: the intervals of an agent, by id, that are in a time: the last one that began before it, and those that began in it. One
 * agent has one at a time, so that no older one reaches into it, and none of them is read.
 */
const intervals = (agentId: string, from: string, to: string): string => `
  from agent_states s where s.agent_id = ${agentId} and s.started_at < ${to}
    and s.started_at >= coalesce((select b.started_at from agent_states b where b.agent_id = ${agentId}
      and b.started_at <= ${from} order by b.started_at desc limit 1), ${from})
    and coalesce(s.ended_at, ${to}) > ${from}`;

const pageSql = `
  select a.id, a.number as agent, u.name from agents a join users u on u.id = a.user_id
  -- For each agent by itself: as a condition it would be joined with the states of all times.
  cross join lateral (select ${intervals('a.id', ':since::timestamptz', ':until::timestamptz')} limit 1) as there
  where a.team_id = :teamId
    and (:ids::integer[] is null or a.id = any(:ids::integer[]))
    and (:numbers::text[] is null or a.removed_at is null and a.number = any(:numbers::text[]))
    and (:groupId::integer is null or exists (select from agent_group_members m
      where m.group_id = :groupId::integer and m.agent_id = a.id))
    and (:after::integer = 0 or (length(a.number), a.number, a.id) > (select length(b.number), b.number, b.id from agents b
      where b.id = :after::integer and b.team_id = :teamId))
  order by length(a.number), a.number, a.id limit :limit`;

/** A day at a time: a month of many agents would take longer than a statement may. */
const spentSql = `
  select a.id, p.key, p.seconds from unnest(:ids::integer[]) as a (id) cross join lateral (
    select case s.state when 'paused' then '${inPause}' || coalesce(s.reason, '${reasonNotGiven}') else s.state::text end as key,
      sum(extract(epoch from least(coalesce(s.ended_at, :to::timestamptz), :to::timestamptz)
        - greatest(s.started_at, :from::timestamptz)))::double precision as seconds
    ${intervals('a.id', ':from::timestamptz', ':to::timestamptz')} group by 1
  ) p`;
