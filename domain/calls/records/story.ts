import type { Queryable } from '../../database/pool.js';
import { withDatabaseErrors } from '../../database/sql-errors.js';
import { callNamed, unknownCall } from './call-name.js';
import { requireTeam } from '../../provisioning/team.js';
import type { CallDirection } from './list.js';
import { heldWithin, secondsOfCall } from './holds.js';
import { wordsOf, type Facts } from './story-words.js';

/** Something in the story of a call, in the order in which it happened. */
export interface StoryEntry {
  at: Date;
  kind: string;
  facts: Facts;
}

/** A recording of a conversation in a call. */
export interface Recording {
  file: string;
  startedAt: Date;
  endedAt: Date | null;
  deletedAt: Date | null;
}

/** A trunk that was tried for a call to the outside. */
export interface Try {
  trunk: string;
  sent: string | null;
  at: Date;
  milliseconds: number | null;
  code: number | null;
  cause: number | null;
  outcome: string;
}

/** One time that an agent talked in a call, from whatever it came to them. */
export interface AgentPart {
  agent: string;
  extension: string;
  /** `queue`, or what kind of call it was to them. */
  kind: string;
  startedAt: Date;
  endedAt: Date | null;
  /** In whole seconds, adding up to the time between the two; a call that they dialled themselves begins with that. */
  talkSeconds: number;
  holdSeconds: number;
  /** While they asked somebody. */
  consultSeconds: number;
}

/** A call with all that is known of it. */
export interface Story {
  id: number;
  uniqueid: string;
  team: string;
  /** The team's, in which people read it. */
  timeZone: string;
  node: string;
  direction: CallDirection;
  caller: string | null;
  did: string | null;
  /** What was dialled for a call to the outside, the number that it is, and its class. */
  dialled: string | null;
  number: string | null;
  class: string | null;
  /** Why it was not let out. */
  refused: string | null;
  trunk: string | null;
  /** The user who pays, and the user group that decided; null: the team. */
  payer: string | null;
  userGroup: string | null;
  arrivedAt: Date;
  ringingAt: Date | null;
  answeredAt: Date | null;
  endedAt: Date | null;
  outcome: string | null;
  /** From the answer to the end, or so far: the three add up to it; null: nobody has answered. */
  talkSeconds: number | null;
  holdSeconds: number | null;
  consultSeconds: number | null;
  endedBy: string | null;
  cause: number | null;
  tries: Try[];
  agents: AgentPart[];
  recordings: Recording[];
  story: (StoryEntry & { says: string })[];
}

interface Row extends Omit<Story, 'story'> {
  /** Who answered it, where no queue says so. */
  extension: string | null;
  agent: string | null;
  outside: string | null;
  visits: number;
  entries: { at: string; kind: string; facts: Record<string, string | number | null> }[];
}

/**
 * The story of one call of a team, by Asterisk's uniqueid of it, or by its id. Of two Asterisks with the same uniqueid the
 * newer call is meant; an id says which.
 *
 * @throws Star64Error `unknown_call`, and `unknown` for a team that there is not.
 */
export function readStory(db: Queryable, team: string, name: string): Promise<Story> {
  return withDatabaseErrors(async () => {
    const teamId = await requireTeam(db, team);
    const { where, asked } = callNamed(name);
    const { rows } = await db.raw<{ rows: Row[] }>(sql(where), { teamId, asked });
    const [row] = rows;
    if (!row) throw unknownCall(team, name);
    const { entries, extension, agent, outside, visits, ...call } = row;
    const told = entries.map(({ at, kind, facts }) => ({
      at: new Date(at),
      kind,
      facts: Object.fromEntries(
        Object.entries(facts).flatMap(([key, value]) => (value === null ? [] : [[key, value]])),
      ),
    }));
    // The answer at an extension is no visit's.
    if (call.answeredAt && visits === 0 && call.direction !== 'out') {
      const by = agent === null ? { extension: extension ?? outside } : { agent, extension };
      const facts = Object.entries(by).flatMap(([key, value]) => (value === null ? [] : [[key, value]]));
      told.push({ at: call.answeredAt, kind: 'answered', facts: Object.fromEntries(facts) as Facts });
    }
    const story = told
      .map((entry, index) => ({ ...entry, index, rank: rankOf(entry.kind) }))
      .sort(
        (one, other) =>
          one.at.getTime() - other.at.getTime() || one.rank - other.rank || one.index - other.index,
      )
      .map(({ at, kind, facts }) => ({ at, kind, facts, says: wordsOf({ kind, facts }) }));
    const date = (at: Date | string | null): Date | null => (at === null ? null : new Date(at));
    const recordings = call.recordings.map((one) => ({
      ...one,
      startedAt: new Date(one.startedAt),
      endedAt: date(one.endedAt),
      deletedAt: date(one.deletedAt),
    }));
    const tries = call.tries.map((one) => ({ ...one, at: new Date(one.at) }));
    const agents = call.agents.map((one) => ({
      ...one,
      startedAt: new Date(one.startedAt),
      endedAt: date(one.endedAt),
    }));
    return { ...call, tries, agents, recordings, story };
  });
}

/** Of what happened in the same moment. */
const order = [
  'click',
  'click-rings',
  'click-answered',
  'click-missed',
  'arrived',
  'dialled',
  'did',
  '*',
  'joined',
  'offered',
  'answered',
  'recorded',
  'held',
  'consults',
  'consulted',
  'resumed',
  'parted',
  'left',
  'ended',
];
const rankOf = (kind: string): number => {
  const rank = order.indexOf(kind);
  return rank < 0 ? order.indexOf('*') : rank;
};

/** The story of the calls that `which` says, the newest: every row that belongs to it, in one statement. */
const sql = (which: string): string => `
  with call as (
    select c.* from calls c where c.team_id = :teamId and ${which} order by c.id desc limit 1
  ), seconds as (
    select s.* from call cross join lateral (${secondsOfCall('call')}) s
  ), held as (
    -- Nobody holds a call that is over, though who asked somebody in it may go on talking there.
    select h.kind, h.started_at, h.hung_up, least(h.ended_at, call.ended_at) as ended_at, a.number as agent,
      x.number as extension
    from call join holds h on h.node = call.node and h.call = call.uniqueid and h.team_id = call.team_id
    left join agents a on a.id = h.agent_id join extensions x on x.id = h.extension_id
    where call.ended_at is null or h.started_at < call.ended_at
  ), part as (
    select a.number as agent, x.number as extension, coalesce(s.call_kind, 'queue') as kind,
      s.started_at as "startedAt", s.ended_at as "endedAt",
      round(extract(epoch from coalesce(s.ended_at, greatest(s.started_at, now())) - s.started_at))::integer as seconds,
      h.hold as "holdSeconds", h.consult as "consultSeconds", s.id
    from call join agent_states s on s.call_uniqueid = call.uniqueid and s.state = 'talking' and s.team_id = call.team_id
    join agents a on a.id = s.agent_id join sign_ins i on i.id = s.sign_in_id join extensions x on x.id = i.extension_id
    left join lateral (
      ${heldWithin('h.node = call.node and h.channel = s.offer_id', 's.started_at', 'least(coalesce(s.ended_at, now()), call.ended_at)')}) h on true
  ), entry as (
    select arrived_at as at, 'arrived' as kind, jsonb_build_object('did', did, 'caller', caller) as facts from call
    where direction <> 'out' and not clicked
    union all
    select k.began_at, 'click', jsonb_build_object('agent', a.number, 'extension', x.number, 'to', call.dialled, 'by', k.given_by)
    from call join clicks k on k.call_id = call.id join agents a on a.id = k.agent_id join extensions x on x.id = k.extension_id
    union all
    select k.agent_ringing_at, 'click-rings', '{}'::jsonb from call join clicks k on k.call_id = call.id
    where k.agent_ringing_at is not null
    union all
    select k.agent_ended_at, 'click-' || case k.agent_result when 'answered' then 'answered' else 'missed' end,
      jsonb_build_object('agent', a.number, 'extension', x.number, 'why', k.agent_result)
    from call join clicks k on k.call_id = call.id join agents a on a.id = k.agent_id join extensions x on x.id = k.extension_id
    where k.agent_ended_at is not null
    union all
    select coalesce(k.agent_answered_at, call.arrived_at), 'dialled', jsonb_build_object('extension', x.number, 'agent', a.number, 'dialled', call.dialled,
      'number', call.number, 'class', call.class, 'refused', call.refused)
    from call left join extensions x on x.id = call.from_extension_id left join agents a on a.id = call.from_agent_id
    left join clicks k on k.call_id = call.id
    where direction = 'out' and (k.call_id is null or k.agent_answered_at is not null)
    union all
    select y.at, 'tried', jsonb_build_object('trunk', y.trunk, 'sent', y.sent, 'result', y.outcome, 'code', y.code,
      'cause', y.cause, 'milliseconds', y.milliseconds)
    from call join call_tries y on y.call_id = call.id and y.team_id = call.team_id
    union all
    select ringing_at, 'rings', '{}'::jsonb from call where ringing_at is not null
    union all
    -- What was decided at the same moment is in the order in which it was told.
    (select s.at, s.kind, s.facts from call join call_steps s on s.call_id = call.id order by s.id)
    union all
    select v.joined_at, 'joined', jsonb_build_object('group', g.name, 'position', v.position)
    from call join queue_visits v on v.call_id = call.id left join agent_groups g on g.id = v.group_id
    union all
    select o.offered_at, 'offered', jsonb_build_object('agent', a.number, 'extension', x.number,
      'group', nullif(g.name, vg.name), 'result', coalesce(o.result, case when o.ended_at is null then 'open' else 'unknown' end),
      'seconds', round(extract(epoch from o.ended_at - o.offered_at)))
    from call join queue_visits v on v.call_id = call.id join offers o on o.visit_id = v.id
    left join agents a on a.id = o.agent_id left join extensions x on x.id = o.extension_id
    left join agent_groups g on g.id = o.group_id left join agent_groups vg on vg.id = v.group_id
    where o.result is distinct from 'answered'
    union all
    select o.offered_at, 'asked', jsonb_build_object('agent', a.number, 'extension', x.number,
      'result', coalesce(o.result, case when o.ended_at is null then 'open' else 'unknown' end),
      'seconds', round(extract(epoch from coalesce(o.answered_at, o.ended_at) - o.offered_at)),
      'talked', round(extract(epoch from o.ended_at - o.answered_at)))
    from call join offers o on o.node = call.node and o.call = call.uniqueid and o.team_id = call.team_id
    left join agents a on a.id = o.agent_id left join extensions x on x.id = o.extension_id
    union all
    select v.answered_at, 'answered', jsonb_build_object('agent', a.number, 'extension', x.number, 'group', g.name,
      'waited', round(extract(epoch from v.answered_at - v.joined_at)))
    from call join queue_visits v on v.call_id = call.id left join agents a on a.id = v.agent_id
    left join agent_groups g on g.id = v.group_id
    left join offers o on o.visit_id = v.id and o.uniqueid = v.offer_id left join extensions x on x.id = o.extension_id
    where v.answered_at is not null
    union all
    select v.left_at, 'left', jsonb_build_object('group', g.name, 'agent', a.number, 'outcome', v.outcome,
      'talked', round(extract(epoch from v.left_at - v.answered_at)),
      'held', nullif(h.hold, 0), 'consulted', nullif(h.consult, 0),
      'waited', case when v.answered_at is null then round(extract(epoch from v.left_at - v.joined_at)) end)
    from call join queue_visits v on v.call_id = call.id left join agents a on a.id = v.agent_id
    left join agent_groups g on g.id = v.group_id
    left join lateral (
      ${heldWithin('v.answered_at is not null and h.node = v.node and h.channel = v.offer_id', 'v.answered_at', 'v.left_at')}) h on true
    where v.left_at is not null
    union all
    select h.started_at, case h.kind when 'hold' then 'held' else 'consults' end,
      jsonb_build_object('agent', h.agent, 'extension', h.extension)
    from held h
    union all
    select h.ended_at, case h.kind when 'hold' then 'resumed' else 'consulted' end,
      jsonb_build_object('agent', h.agent, 'extension', h.extension, 'leaves', case when h.hung_up then 'yes' end,
        'seconds', round(extract(epoch from h.ended_at - h.started_at)))
    from held h where h.ended_at is not null
    union all
    -- It begins when the phone has answered, a moment before the two are joined, which is what is told of that.
    select coalesce((
        select max(a.at) from (select answered_at as at from queue_visits where call_id = call.id
          union all select call.answered_at) a
        where a.at between r.started_at and r.started_at + interval '2 seconds'), r.started_at), 'recorded', jsonb_build_object('file', r.file, 'deleted', r.deleted_at,
      'seconds', round(extract(epoch from r.ended_at - r.started_at)))
    from call join recordings r on r.call_id = call.id
    union all
    select s.began_at, 'supervised', jsonb_build_object('user', u.username, 'from', f.number, 'agent', a.number,
      'extension', x.number, 'announced', case when s.announced then 'yes' end,
      'seconds', round(extract(epoch from s.ended_at - s.began_at)), 'listened', round(s.listened_ms / 1000.0),
      'whispered', round(s.whispered_ms / 1000.0), 'barged', round(s.barged_ms / 1000.0))
    from call join supervisions s on s.node = call.node and s.call_uniqueid = call.uniqueid and s.team_id = call.team_id
    join users u on u.id = s.user_id join extensions f on f.id = s.from_extension_id
    join extensions x on x.id = s.extension_id left join agents a on a.id = s.agent_id
    union all
    select ended_at, 'ended', jsonb_build_object('outcome', outcome, 'seconds', round(extract(epoch from ended_at - arrived_at)),
      'outside', case when direction = 'out' then 'yes' end, 'by', ended_by, 'cause', cause,
      'talked', case when direction = 'out' then round(extract(epoch from ended_at - answered_at)) end,
      'held', nullif(seconds."holdSeconds", 0), 'consulted', nullif(seconds."consultSeconds", 0))
    from call left join seconds on true where ended_at is not null
  )
  select call.id, call.uniqueid, t.identity as team, t.time_zone as "timeZone", call.node, call.direction,
    call.caller, call.did, call.dialled, call.number, call.class, call.refused, call.trunk, u.username as payer,
    ug.name as "userGroup", call.ringing_at as "ringingAt", s."talkSeconds", s."holdSeconds", s."consultSeconds",
    call.ended_by as "endedBy", call.cause,
    coalesce((select json_agg(json_build_object('trunk', y.trunk, 'sent', y.sent, 'at', y.at, 'milliseconds', y.milliseconds,
      'code', y.code, 'cause', y.cause, 'outcome', y.outcome) order by y.at, y.position, y.id) from call_tries y
      where y.call_id = call.id and y.team_id = call.team_id), '[]') as tries,
    coalesce((select json_agg(json_build_object('agent', p.agent, 'extension', p.extension, 'kind', p.kind,
      'startedAt', p."startedAt", 'endedAt', p."endedAt",
      'talkSeconds', greatest(0, p.seconds - p."holdSeconds" - p."consultSeconds"),
      'holdSeconds', p."holdSeconds", 'consultSeconds', p."consultSeconds") order by p.id) from part p), '[]') as agents,
    call.arrived_at as "arrivedAt", call.answered_at as "answeredAt", call.ended_at as "endedAt", call.outcome,
    coalesce(ax.number, x.number) as extension, a.number as agent, call.answered_number as outside,
    (select count(*) from queue_visits v where v.call_id = call.id)::integer as visits,
    coalesce((select json_agg(json_build_object('file', r.file, 'startedAt', r.started_at, 'endedAt', r.ended_at,
      'deletedAt', r.deleted_at) order by r.id) from recordings r where r.call_id = call.id), '[]') as recordings,
    (select json_agg(entry) from entry) as entries
  from call join teams t on t.id = call.team_id left join seconds s on true left join extensions x on x.id = call.extension_id
  left join users u on u.id = call.user_id left join user_groups ug on ug.id = call.user_group_id
  left join extensions ax on ax.id = call.answered_extension_id left join agents a on a.id = call.answered_agent_id`;
