import { prepared, type Queryable } from '../database/pool.js';
import { withDatabaseErrors } from '../database/sql-errors.js';
import { unknown } from '../names.js';
import { requireTeam } from '../provisioning/team.js';
import { readAgent, type AgentStatus } from './status.js';

/** The call that an agent rings for or talks in. */
export interface DeskCall {
  /** Asterisk's uniqueid of it. */
  call: string;
  direction: 'in' | 'out' | 'internal';
  /** The number of the caller, as the trunk gave it: attacker's input, only ever shown. */
  caller: string | null;
  did: string | null;
  /** The number outside that was called. */
  number: string | null;
  group: string | null;
  /** Since when the other side hears music; null: it does not. */
  heldSince: Date | null;
  /** Whom the agent asks meanwhile; null: nobody. */
  consult: { number: string | null; since: Date } | null;
}

/** What an agent has done today, from midnight in the time zone of the team on. */
export interface OwnDay {
  /** Calls of queues that they took, and those that they did not take although their phone rang. */
  answered: number;
  missed: number;
  /** Calls that no queue gave them. */
  ownCalls: number;
  /** Whole seconds in the states that began then or reached into it. */
  idleSeconds: number;
  talkingSeconds: number;
  wrapUpSeconds: number;
  pausedSeconds: number;
}

/** Everything that an agent's page shows of the agent. */
export interface AgentDesk {
  team: string;
  /** The moment that it is of, by the clock of the database. */
  at: Date;
  timeZone: string;
  agent: AgentStatus & {
    kind: 'fixed' | 'adaptive' | 'dynamic';
  };
  /** Null: they neither ring nor talk. */
  call: DeskCall | null;
  today: OwnDay;
  /** Names of the groups that they are a member of, in the order in which they take calls of them. */
  groups: string[];
  pauseReasons: { digit: string; name: string; maxSeconds: number | null }[];
}

/** What an agent's page shows, at this moment. @throws Star64Error `unknown` for a team or agent that there is not. */
export function readDesk(db: Queryable, team: string, number: string): Promise<AgentDesk> {
  return withDatabaseErrors(async () => {
    const teamId = await requireTeam(db, team);
    const [who] = await prepared<Person>(db, personSql, { teamId, number });
    const agent = await readAgent(db, team, number);
    if (!who) throw unknown('agent', team, number);
    const { id, kind, at, today, timeZone, groups, offer } = who;
    const [day] = await prepared<OwnDay>(db, daySql, { id, today });
    const pauseReasons = await prepared<AgentDesk['pauseReasons'][number]>(
      db,
      `select digit, name, max_seconds as "maxSeconds" from pause_reasons where team_id = ? order by digit`,
      [teamId],
    );
    if (!day) throw new Error('sums without a row');
    const call = agent.call !== null && inCall(agent) ? await readCall(db, teamId, agent, offer) : null;
    return { team, at, timeZone, agent: { ...agent, kind }, call, today: day, groups, pauseReasons };
  });
}

const inCall = ({ state }: AgentStatus): boolean => state === 'ringing' || state === 'talking';

interface Person extends Pick<AgentDesk['agent'], 'kind'> {
  id: number;
  at: Date;
  today: Date;
  timeZone: string;
  groups: string[];
  /** Uniqueid of the channel of their phone, if they have a call. */
  offer: string | null;
}

const personSql = `
  select a.id, a.kind, s.offer_id as offer,
    clock_timestamp() as at, t.time_zone as "timeZone",
    date_trunc('day', now() at time zone t.time_zone) at time zone t.time_zone as today,
    array(select g.name from agent_group_members m join agent_groups g on g.id = m.group_id
      where m.agent_id = a.id and g.removed_at is null order by m.position, g.name) as groups
  from agents a
  join teams t on t.id = a.team_id
  left join sign_ins i on i.agent_id = a.id and i.signed_out_at is null
  left join agent_states s on s.sign_in_id = i.id and s.ended_at is null
  where a.team_id = :teamId and a.number = :number and a.removed_at is null`;

const seconds = (state: string): string =>
  `coalesce(round(extract(epoch from sum(least(coalesce(s.ended_at, now()), now()) - greatest(s.started_at, :today))
    filter (where s.state = '${state}'))), 0)::integer`;

// Of the intervals before today only the last one can reach into it.
const daySql = `
  with own as (
    select * from agent_states where agent_id = :id and started_at >= :today
    union all
    (select * from agent_states where agent_id = :id and started_at < :today order by started_at desc limit 1)
  )
  select ${seconds('idle')} as "idleSeconds", ${seconds('talking')} as "talkingSeconds",
    ${seconds('wrap-up')} as "wrapUpSeconds", ${seconds('paused')} as "pausedSeconds",
    count(distinct s.offer_id) filter (where s.state = 'talking' and s.call_kind is not null)::integer as "ownCalls",
    (select count(*) from offers o where o.agent_id = :id and o.offered_at >= :today and o.kind = 'queue'
      and o.answered_at is not null)::integer as answered,
    (select count(*) from offers o where o.agent_id = :id and o.offered_at >= :today and o.kind = 'queue'
      and o.result in ('missed', 'rejected'))::integer as missed
  from own s where coalesce(s.ended_at, now()) >= :today`;

async function readCall(
  db: Queryable,
  teamId: number,
  { call, group, caller, callKind }: AgentStatus,
  offer: string | null,
): Promise<DeskCall> {
  const [found] = await prepared<
    Pick<DeskCall, 'direction' | 'caller' | 'did' | 'number' | 'heldSince'> & {
      asking: boolean | null;
      asked: string | null;
    }
  >(
    db,
    `select c.direction, c.caller, c.did, c.number, h.started_at as "heldSince", h.kind = 'consult' as asking,
       k.facts ->> 'to' as asked
     from teams t
     join calls c on c.node = t.node and c.uniqueid = :call and c.team_id = t.id
     left join holds h on h.node = t.node and h.channel = :offer and h.ended_at is null
     -- Dialled a moment after the hold began.
     left join lateral (select facts from call_steps where call_id = c.id and kind = 'consult' and at >= h.started_at
       order by at desc limit 1) k on true
     where t.id = :teamId`,
    { teamId, call, offer },
  );
  // It rings before its arrival is recorded.
  if (!found)
    return {
      call: call ?? '',
      direction: callKind === 'queue' ? 'in' : 'internal',
      caller,
      did: null,
      number: null,
      group,
      heldSince: null,
      consult: null,
    };
  const { asking, asked, ...rest } = found;
  const { heldSince } = rest;
  const consults = heldSince !== null && (asking === true || asked !== null);
  return {
    ...rest,
    call: call ?? '',
    group,
    consult: consults ? { number: asked, since: heldSince } : null,
  };
}
