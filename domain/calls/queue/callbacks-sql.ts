/** The statements of `Callbacks`. */

const group = `
  g as (
    select g.team_id, g.id, g.callback_minutes, g.callback_limit from agent_groups g join teams t on t.id = g.team_id
    where t.node = :node and t.identity = :team and g.name = :group and g.removed_at is null
      and g.callback_key is not null
  )`;

/** How many are to be called back in a group `g`. */
const openOf = `(select count(*) from callbacks o where o.team_id = g.team_id and o.group_id = g.id and o.ended_at is null)`;
/** Somebody of that number is among them already. */
const isKept = `exists (select from callbacks o where o.team_id = g.team_id and o.group_id = g.id and o.number = :number
  and o.ended_at is null)`;

export const offers = `with ${group} select 1 from g where ${openOf} < g.callback_limit or ${isKept}`;

export const full = `
  select t.identity as team, g.name as "group" from agent_groups g join teams t on t.id = g.team_id
  where t.node = :node and g.callback_key is not null and g.removed_at is null and ${openOf} >= g.callback_limit`;

export const anywhere = `
  select exists (select from agent_groups g join teams t on t.id = g.team_id
    where t.node = :node and g.callback_key is not null and g.removed_at is null) as there`;

export const keep = `
  with ${group}, asked as (
    select c.id, c.team_id, c.did, min(v.joined_at) as joined_at
    from g join calls c on c.node = :node and c.uniqueid = :call and c.team_id = g.team_id
    left join queue_visits v on v.call_id = c.id and v.group_id = g.id
    group by c.id, c.team_id, c.did
  ), kept as (
    insert into callbacks as k (team_id, group_id, call_id, number, did, arrived_at, priority, expires_at)
    select g.team_id, g.id, asked.id, :number, asked.did, coalesce(asked.joined_at, clock_timestamp()), :priority::integer,
      clock_timestamp() + make_interval(mins => g.callback_minutes)
    from g left join asked on true where ${openOf} < g.callback_limit or ${isKept}
    on conflict (team_id, group_id, number) where ended_at is null do update set
      arrived_at = least(k.arrived_at, excluded.arrived_at), priority = greatest(k.priority, excluded.priority),
      call_id = excluded.call_id, did = coalesce(excluded.did, k.did), expires_at = excluded.expires_at,
      kept_at = excluded.kept_at
    returning k.id, k.group_id, k.call_id
  ), visited as (
    update queue_visits v set outcome = 'callback', left_at = coalesce(v.left_at, greatest(clock_timestamp(), v.joined_at))
    from kept where v.id = (select l.id from queue_visits l where l.call_id = kept.call_id and l.group_id = kept.group_id
      and l.answered_at is null order by l.id desc limit 1)
  ), called as (
    update calls c set outcome = 'callback' from kept where c.id = kept.call_id and c.answered_at is null
  )
  select id from kept`;

const columns = `
  k.id, t.identity as team, g.name as "group", k.number, k.did, c.uniqueid as call,
  extract(epoch from k.arrived_at)::double precision as "arrivedAt", k.priority, k.puts, k.tries,
  k.next_at <= clock_timestamp() as due, h.name as hours,
  -- An event of their wait before may come late, but not so late.
  case when exists (select from queue_visits v where v.call_id = k.call_id and v.joined_at > k.kept_at
      and (v.answered_at is not null or v.left_at is null and v.joined_at < clock_timestamp() - interval '10 seconds')) then 'back'
    when g.removed_at is not null or g.callback_key is null then 'closed'
    when k.expires_at <= clock_timestamp() then 'expired' end as over`;
const from = `
  from callbacks k join teams t on t.id = k.team_id join agent_groups g on g.id = k.group_id
  left join hours h on h.id = g.hours_id left join calls c on c.id = k.call_id
  where t.node = :node and k.ended_at is null`;

export const open = `select ${columns} ${from} order by k.arrived_at, k.id`;
export const find = `select ${columns} ${from} and t.identity = :team and k.id = :id::bigint`;

export const claim = `
  update callbacks set puts = puts + 1 where id = :id and puts = :puts and ended_at is null returning id`;

export const later = `
  update callbacks set next_at = clock_timestamp() + make_interval(secs => :seconds)
  where id = :id and ended_at is null returning id`;

/**
 * Whoever was reached has been answered; the others are among the calls that nobody returned. Of one who waits again the queue
 * says what becomes of them.
 */
const callOf = (ended: string): string => `
  update calls c set outcome = case when ${ended}.outcome <> 'back' then 'not-called-back'
    when c.ended_at is not null then 'unknown' end
  from ${ended} where c.id = ${ended}.call_id and ${ended}.outcome <> 'answered' and c.outcome = 'callback'`;

export const end = `
  with ended as (
    update callbacks set ended_at = clock_timestamp(), outcome = :outcome::text where id = :id and ended_at is null
    returning id, call_id, outcome
  ), called as (${callOf('ended')})
  select id from ended`;

export const back = `
  with ended as (
    update callbacks k set ended_at = clock_timestamp(), outcome = 'back' from calls c
    where c.node = :node and c.uniqueid = :call and k.team_id = c.team_id and k.call_id = c.id and k.ended_at is null
    returning k.id, k.call_id, k.outcome
  ), called as (${callOf('ended')})
  select id from ended`;

/** Of a put that another one has taken the place of, only that somebody was reached counts. */
export const settle = `
  with told as (
    select :result::text as result, clock_timestamp() - make_interval(secs => :secondsAgo) as at
  ), settled as (
    update callbacks k set settled = :put::integer, last_result = told.result,
      tries = k.tries + case when told.result = 'answered' then 0 else 1 end,
      next_at = told.at + make_interval(secs => :between),
      ended_at = case when told.result in ('answered', 'refused') or k.tries + 1 >= g.callback_tries then told.at end,
      outcome = case told.result when 'answered' then 'answered' when 'refused' then 'refused'
        else case when k.tries + 1 >= g.callback_tries then 'unreached' end end
    from told, agent_groups g
    where k.id = :id and k.settled < :put::integer and k.ended_at is null and g.id = k.group_id
      and (k.puts = :put::integer or told.result = 'answered')
    returning k.team_id, k.call_id, k.outcome
  ), called as (${callOf('settled')}), tried as (
    -- The agent's call to the outside, of which the end of the channel to the trunk tells the rest, if somebody answered there.
    update calls c set ended_at = greatest(told.at, c.arrived_at),
      outcome = case told.result when 'left' then 'abandoned' else told.result end,
      ended_by = case told.result when 'left' then 'caller' else 'callee' end
    from told where c.node = :node and c.uniqueid = :channel and c.ended_at is null and c.leg is null
      and told.result <> 'answered'
  )
  select settled.outcome, c.uniqueid as call from settled left join calls c on c.id = settled.call_id`;

export const connected = `
  with k as (
    select k.*, g.wrap_up_seconds from callbacks k join teams t on t.id = k.team_id and t.node = :node
    join agent_groups g on g.id = k.group_id where k.id = :id
  ), who as (
    -- It may be over already, where its events came in another order, or end in this moment.
    select o.extension_id, o.agent_id, o.ended_at from offers o where o.node = :node and o.uniqueid = :offerId
    for no key update
  ), agent as (
    select coalesce(who.agent_id, a.id) as id, who.extension_id from k
    left join who on true left join agents a on a.team_id = k.team_id and a.number = :agent and a.removed_at is null
  ), made as (
    insert into calls (team_id, node, uniqueid, direction, dialled, number, did, group_id, from_agent_id, from_extension_id,
      arrived_at, decided)
    select k.team_id, :node, :channel, 'out', k.number, k.number, null, k.group_id, agent.id, agent.extension_id,
      clock_timestamp(), true
    from k, agent
    -- Whoever was the first has called; the others have got it from them.
    on conflict (node, uniqueid) do update set group_id = coalesce(calls.group_id, excluded.group_id),
      from_agent_id = coalesce(calls.from_agent_id, excluded.from_agent_id),
      from_extension_id = coalesce(calls.from_extension_id, excluded.from_extension_id)
      where calls.team_id = excluded.team_id
    returning id, team_id
  ), visit as (
    insert into queue_visits (team_id, node, call_id, uniqueid, group_id, position, joined_at, answered_at, outcome, agent_id,
      offer_id, left_at)
    select k.team_id, :node, made.id, :channel, k.group_id, 1, k.arrived_at, now.at, 'answered', agent.id, :offerId,
      case when who.ended_at is not null then now.at end
    from k cross join made cross join agent cross join (select clock_timestamp() as at) as now left join who on true
    where not exists (select from queue_visits v where v.call_id = made.id)
    returning id
  ), offered as (
    update offers o set visit_id = visit.id, result = 'answered',
      answered_at = least(clock_timestamp(), o.ended_at)
    from visit where o.node = :node and o.uniqueid = :offerId and o.visit_id is null
  ), begun as (
    update callbacks o set called_put = :put::integer, called_agent_id = agent.id from agent
    where o.id = :id and o.called_put < :put::integer
  ), told as (
    insert into call_steps (team_id, call_id, at, key, kind, facts)
    select made.team_id, made.id, clock_timestamp(), 'callback', 'callback-of',
      jsonb_strip_nulls(jsonb_build_object('call', c.uniqueid, 'tries', k.tries + 1))
    from made, k left join calls c on c.id = k.call_id
    on conflict (call_id, key) do nothing
  )
  select k.team_id as "teamId", k.group_id as "groupId", k.wrap_up_seconds as "wrapUpSeconds",
    not exists (select from queue_visits v where v.call_id = made.id and v.offer_id is distinct from :offerId) as first
  from k, made`;

/** Only then there is a call of that uniqueid. */
export const isCalled = `select 1 from calls where node = :node and uniqueid = :channel`;

export const arrivals = `
  select c.uniqueid, extract(epoch from min(v.joined_at))::double precision as at
  from calls c join queue_visits v on v.call_id = c.id
  join agent_groups g on g.id = v.group_id join teams t on t.id = g.team_id
  where c.node = :node and c.uniqueid = any(:calls::text[]) and t.identity = :team and g.name = :group
  group by c.uniqueid`;

export const listed = `
  select k.id, g.name as "group", k.number, k.arrived_at as "arrivedAt", k.tries, k.last_result as "lastResult",
    case when k.next_at > clock_timestamp() then k.next_at end as "nextAt", k.expires_at as "expiresAt", c.uniqueid as call
  from callbacks k join agent_groups g on g.id = k.group_id left join calls c on c.id = k.call_id
  where k.team_id = :teamId and k.ended_at is null and (:group::text is null or g.name = :group)
  order by k.arrived_at, k.id`;
