/** The statements of `CallOutRecords`. */

const ago = (seconds: string): string => `clock_timestamp() - make_interval(secs => ${seconds})`;

/** Who is signed in at the phone at that moment, for a call of which no server has said it. */
const signInThen = `
  select i.agent_id, i.current_group_id from sign_ins i
  where i.extension_id = x.id and i.signed_in_at <= m.at and (i.signed_out_at is null or i.signed_out_at > m.at)
  order by i.id desc limit 1`;

/** The user group that has a say in how such a user calls out. */
const groupOfUser = `
  select g.id from user_group_members m join user_groups g on g.id = m.user_group_id
  where m.user_id = x.user_id and g.team_id = t.id and g.removed_at is null
  order by num_nonnulls(g.trunk_id, g.trunk_group_id) = 0, g.position limit 1`;

/** A call that came in stays what it was when it is refused to be sent on. */
const taken = `(calls.direction = 'out' or excluded.refused is null)`;

/** The first word stays, and a later one adds what was not known. */
const kept = (column: string): string =>
  `${column} = case when ${taken} then coalesce(calls.${column}, excluded.${column}) else calls.${column} end`;

/** A server's word over a guess, also where it says that there is none. */
const decidedFirst = (column: string): string =>
  `${column} = case when not ${taken} or calls.decided then calls.${column}
      when excluded.decided then excluded.${column} else coalesce(calls.${column}, excluded.${column}) end`;

export const begun = `
  with told as (
    select distinct on (r.uniqueid) r.*
    from json_to_recordset(:calls::json) as r(uniqueid text, team text, dialled text, number text, class text, refused text,
      extension text, endpoint text, agent text, "userGroup" text, decided boolean, "secondsAgo" double precision)
    order by r.uniqueid, r.decided desc, r."secondsAgo" desc
  ), written as (
  insert into calls (team_id, node, uniqueid, direction, dialled, number, class, refused, from_extension_id, from_agent_id,
    user_id, user_group_id, group_id, arrived_at, ended_at, outcome,
    decided)
  select t.id, :node::text, r.uniqueid, 'out', r.dialled, r.number,
    -- Nobody has decided about an emergency call.
    coalesce(r.class, case when r.number = any(string_to_array(t.emergency, ',')) then 'emergency' end), r.refused, x.id,
    case when r.decided then a.id else i.agent_id end, x.user_id,
    case when r.decided then g.id else (${groupOfUser}) end, i.current_group_id, m.at,
    case when r.refused is not null then m.at end, case when r.refused is not null then 'refused' end, r.decided
  from told r
  join teams t on t.identity = r.team
  cross join lateral (select ${ago('r."secondsAgo"')} as at) m
  -- Each has an index of its own; put together they have none.
  left join extensions n on n.team_id = t.id and n.number = r.extension and n.removed_at is null
  left join extensions e on e.endpoint_node = :node and e.endpoint = r.endpoint and e.team_id = t.id and e.removed_at is null
  left join lateral (select coalesce(n.id, e.id) as id, coalesce(n.user_id, e.user_id) as user_id) x on true
  left join lateral (${signInThen}) i on true
  left join agents a on a.team_id = t.id and a.number = r.agent and a.removed_at is null
  left join user_groups g on g.team_id = t.id and g.name = r."userGroup" and g.removed_at is null
  order by r.uniqueid
  -- Of another team it is another call's, and stays.
  on conflict (node, uniqueid) do update set
    ${['dialled', 'number', 'class', 'from_extension_id', 'user_id'].map(kept).join(', ')},
    ${['from_agent_id', 'user_group_id'].map(decidedFirst).join(', ')},
    decided = calls.decided or (excluded.decided and ${taken}),
    -- A call that came in is of the agent group that it came to, whoever sends it on.
    group_id = case when calls.direction = 'out' then coalesce(calls.group_id, excluded.group_id) else calls.group_id end,
    arrived_at = least(calls.arrived_at, excluded.arrived_at),
    refused = case when calls.direction = 'out' then coalesce(calls.refused, excluded.refused) end,
    ended_at = case when calls.direction = 'out' then coalesce(calls.ended_at, excluded.ended_at) else calls.ended_at end,
    outcome = case when calls.direction = 'out' then coalesce(calls.outcome, excluded.outcome) else calls.outcome end
  where calls.team_id = excluded.team_id
  returning id, team_id, uniqueid, direction, arrived_at
  ), refused as (
    insert into call_steps (team_id, call_id, at, key, kind, facts)
    select w.team_id, w.id, greatest(${ago('r."secondsAgo"')}, w.arrived_at),
      'sent-on-refused-' || left(regexp_replace(r.dialled, '[^0-9]', '', 'g'), 20), 'sent-on-refused',
      jsonb_strip_nulls(jsonb_build_object('agent', r.agent, 'extension', coalesce(r.extension, r.endpoint),
        'number', coalesce(r.number, r.dialled), 'class', r.class, 'refused', r.refused))
    from written w join told r on r.uniqueid = w.uniqueid
    where w.direction <> 'out' and r.refused is not null
    on conflict (call_id, key) do nothing
  )
  select uniqueid from written`;

/** So many seconds ago, but not before the call; null: it has not been told. */
const then = (seconds: string): string =>
  `case when ${seconds} is not null then greatest(${ago(seconds)}, c.arrived_at) end`;

/**
 * A call to the outside is over when the channel to the trunk is, if one has answered, and else with the one that called.
 * One that came in, and is sent on to a number outside, ends as others do.
 */
export const told = `
  with told as (
    select * from json_to_recordset(:told::json) as r(uniqueid text, team text, "ringingAgo" double precision,
      "answeredAgo" double precision, leg text, "legEndedAgo" double precision, "endedAgo" double precision, final boolean,
      talked integer, outcome text, refused text, cause integer, "endedBy" text, trunk text, tries json)
  ), call as (
    select c.id, c.team_id, c.arrived_at, r.refused, r.cause, r."endedBy", r.outcome, r.tries, r.leg, r.final,
      coalesce(k.name, r.trunk) as trunk, ${then('r."ringingAgo"')} as ringing_at, o.over_at,
      coalesce(${then('r."answeredAgo"')},
        case when r.talked > 0 or r.outcome = 'answered' then
          greatest(o.over_at - make_interval(secs => coalesce(r.talked, 0)), c.arrived_at) end) as answered_at
    from told r
    join teams t on t.identity = r.team
    join calls c on c.node = :node and c.uniqueid = r.uniqueid and c.team_id = t.id
    left join trunks k on k.endpoint = r.trunk
    cross join lateral (select case
      -- Not that of a number that answered later.
      when r."legEndedAgo" is not null and coalesce(c.leg, r.leg) = r.leg then ${then('r."legEndedAgo"')}
      when r.final or coalesce(r.leg, c.leg) is null then ${then('r."endedAgo"')} end as over_at) o
  ), tried as (
    insert into call_tries (team_id, call_id, position, trunk, sent, at, milliseconds, code, cause, outcome, key, leg)
    select c.team_id, c.id, y.position, coalesce(k.name, y.trunk), y.sent, ${then('y."secondsAgo"')}, y.milliseconds, y.code,
      y.cause, y.outcome, y.key, y.leg
    from call c cross join lateral json_to_recordset(c.tries) as y(position integer, trunk text, sent text,
      "secondsAgo" double precision, milliseconds integer, code integer, cause integer, outcome text, key text, leg text)
    left join trunks k on k.endpoint = y.trunk
    -- A line that the dialplan has left does not say when: what a server saw of it is there already.
    where y.key not like '.%' or not exists (select from call_tries o where o.call_id = c.id
      and o.trunk = coalesce(k.name, y.trunk) and o.outcome = y.outcome and o.key not like '.%')
    on conflict (call_id, key) do nothing
  )
  update calls c set
    ringing_at = coalesce(c.ringing_at, call.ringing_at),
    trunk = coalesce(c.trunk, call.trunk),
    leg = coalesce(c.leg, call.leg),
    leg_answered_at = coalesce(c.leg_answered_at, call.answered_at),
    leg_ended_at = case
      when c.leg_answered_at is null and call.answered_at is null then c.leg_ended_at
      when call.final and c.ended_by is null then call.over_at
      else coalesce(c.leg_ended_at, call.over_at) end,
    -- That one which came in is answered is told by who was called: a telephone that has to confirm has not done it yet.
    answered_at = case when c.direction = 'out' then coalesce(c.answered_at, call.answered_at) else c.answered_at end,
    ended_by = coalesce(c.ended_by, call."endedBy"),
    cause = coalesce(c.cause, call.cause),
    refused = case when c.direction = 'out' then coalesce(c.refused, call.refused) end,
    ended_at = case
      when c.direction <> 'out' then c.ended_at
      -- What the dialplan itself has left, over a guess of the reconciliation.
      when call.final and c.ended_by is null then call.over_at
      else coalesce(c.ended_at, call.over_at) end,
    outcome = case
      when c.direction <> 'out' then c.outcome
      when c.answered_at is not null or call.answered_at is not null then 'answered'
      when c.ended_at is not null or call.over_at is not null
        then coalesce(nullif(c.outcome, 'unknown'), call.outcome, 'unknown')
      end
  from call where c.id = call.id
  returning c.uniqueid`;

export const legsEnded = `
  with told as (
    select * from json_to_recordset(:told::json) as r(leg text, "secondsAgo" double precision)
  ), call as (
    select c.id, greatest(${ago('r."secondsAgo"')}, c.leg_answered_at) as at
    from told r join calls c on c.node = :node and c.leg = r.leg and c.leg_ended_at is null
  )
  update calls c set leg_ended_at = call.at,
    ended_at = case when c.direction = 'out' then coalesce(c.ended_at, call.at) else c.ended_at end
  from call where c.id = call.id
  returning c.leg`;

/** The talk with numbers that answered after the first one of their call: each is counted once, whoever tells it. */
export const furtherEnded = `
  with told as (
    select * from json_to_recordset(:told::json) as r(leg text, "secondsAgo" double precision)
  ), tried as (
    update call_tries y set talk_seconds = round(greatest(0, extract(epoch from ${ago('r."secondsAgo"')} - y.at)
      - coalesce(y.milliseconds, 0) / 1000.0))
    from told r, calls c
    where y.leg = r.leg and y.talk_seconds is null and c.id = y.call_id and c.node = :node and c.leg <> y.leg
    returning y.call_id, y.talk_seconds
  ), call as (
    select call_id, sum(talk_seconds)::integer as seconds from tried group by call_id
  )
  update calls c set further_seconds = coalesce(c.further_seconds, 0) + call.seconds
  from call where c.id = call.call_id`;

export const endedUnseen = `
  with told as (
    select * from json_to_recordset(:told::json) as r(uniqueid text, at timestamptz)
  ), ended as (
    update calls c set ended_at = m.at, outcome = coalesce(nullif(c.outcome, 'unknown'), 'unknown'),
      leg_ended_at = case when c.leg_answered_at is not null then coalesce(c.leg_ended_at, m.at) end
    from told r
    cross join lateral (select least(r.at, clock_timestamp()) as at) u
    join calls k on k.node = :node and k.uniqueid = r.uniqueid
    cross join lateral (select greatest(k.arrived_at, k.answered_at, u.at) as at) m
    where c.id = k.id and c.direction = 'out' and c.ended_at is null
    returning c.id, c.ended_at
  )
  update recordings r set ended_at = greatest(ended.ended_at, r.started_at) from ended
  where r.call_id = ended.id and r.ended_at is null`;

export const open = `
  select c.uniqueid, coalesce(c.leg, c.uniqueid) as channel,
    case when c.arrived_at < l.unwatched_since then l.unwatched_since end::text as "unwatchedSince"
  from calls c left join leader_leases l on l.node = c.node
  where c.node = :node and c.ended_at is null and c.direction = 'out'
  order by c.id`;
