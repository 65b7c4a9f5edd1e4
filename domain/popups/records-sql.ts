/** The statements of `PopupRecords`. */

/** The phone `x` of what was told. */
const phone = `-- Each has an index of its own; put together they have none.
    left join teams t on t.identity = told.team and t.node = :node
    left join extensions n on n.team_id = t.id and n.number = told.extension and n.removed_at is null
    left join extensions e on e.endpoint_node = :node and e.endpoint = told.endpoint and e.removed_at is null
    join extensions x on x.id = coalesce(n.id, e.id)`;

/**
 * The conditions, by kind. Outbound: agent mode on, signed in (a fixed agent is by nature), the current group has an
 * application. Direct: agent mode on, and a binding held when the call arrived. Queue: somebody is signed in, or there were no
 * offer; the application is that of the binding, and without one that of the group whose queue it is.
 */
export const due = `
  with told as (
    select r.*, clock_timestamp() - make_interval(secs => r."secondsAgo") as at
    from json_to_recordset(:due::json) as r(channel text, call text, kind text, team text, extension text, endpoint text,
      caller text, arrives boolean, final boolean, "secondsAgo" double precision)
  ), phone as (
    select told.*, x.id as extension_id, x.team_id, x.number as x_number, x.agent_mode, u.username,
      i.agent_id as signed_in_agent_id, i.current_group_id
    from told
    ${phone}
    join users u on u.id = x.user_id
    left join lateral (
      select s.agent_id, s.current_group_id from sign_ins s
      where s.extension_id = x.id and s.signed_in_at <= told.at and (s.signed_out_at is null or s.signed_out_at > told.at)
      order by s.id desc limit 1) i on true
  ), seen as (
    select p.*, c.id as call_id, c.arrived_at, c.direction, coalesce(c.caller, p.caller) as number_of_caller, c.did, c.number,
      c.class, c.binding, c.application as bound, c.link as bound_link, g.id as group_id, g.name as group_name,
      g.application as of_group, g.link as group_link, case p.kind when 'queue' then o.agent_id else p.signed_in_agent_id end as agent_id
    from phone p
    left join calls c on c.node = :node and c.uniqueid = p.call and c.team_id = p.team_id
    left join offers o on p.kind = 'queue' and o.node = :node and o.uniqueid = p.channel and o.team_id = p.team_id
    left join agent_groups g on g.team_id = p.team_id
      and g.id = case p.kind when 'queue' then o.group_id when 'outbound' then p.current_group_id end
    where case p.kind
      when 'outbound' then p.final or c.number is not null
      -- A call has come to a queue before anybody has said by which number it arrived.
      when 'direct' then p.final or c.id is not null and (c.did is not null or not p.arrives)
      else o.id is not null and (p.final or c.id is not null and (c.did is not null or not p.arrives)) end
  ), wanted as (
    select s.*, case when s.kind = 'outbound' or s.kind = 'queue' and s.bound is null then s.of_group else s.bound end as application,
      case when s.kind = 'outbound' or s.kind = 'queue' and s.bound is null then s.group_link else s.bound_link end as template,
      case when s.kind <> 'outbound' then s.binding end as of_binding
    from seen s
    where case s.kind
      when 'outbound' then s.agent_mode and s.agent_id is not null and s.of_group is not null and s.number is not null
        and s.class is distinct from 'emergency'
      when 'direct' then s.agent_mode and s.bound is not null
      else s.agent_id is not null and coalesce(s.bound, s.of_group) is not null end
  ), opened as (
    insert into popups (team_id, node, channel, call, call_id, kind, application, binding, link, extension_id, agent_id, username,
      group_id, caller, number, opened_at)
    select w.team_id, :node, w.channel, w.call, w.call_id, w.kind, w.application, w.of_binding,
      filled_link(w.template, json_build_object('team', t.identity, 'group', w.group_name, 'agent', a.number,
        'extension', w.x_number, 'caller', f.caller, 'did', f.number,
        'number', case when w.kind = 'outbound' then f.number else f.caller end, 'call', w.call,
        'direction', case when w.kind = 'outbound' then 'outbound' else 'inbound' end)),
      w.extension_id, w.agent_id, w.username, w.group_id, f.caller, f.number, w.at
    from wanted w join teams t on t.id = w.team_id left join agents a on a.id = w.agent_id
    -- Who sends a caller on to a number outside is no caller, and that number is none that was called.
    cross join lateral (select case when w.kind <> 'outbound' then w.number_of_caller end as caller,
      case when w.kind = 'outbound' then w.number else w.did end as number) f
    order by w.channel
    on conflict (node, channel) do nothing
  )
  -- Also of what another one has opened in this moment, which this statement does not see yet.
  select s.channel, exists (select from wanted w where w.channel = s.channel)
    -- Another server has written it, or this one before.
    or exists (select from popups p where p.node = :node and p.channel = s.channel) as open
  from seen s`;

export const told = `
  with told as (
    select r.channel, r.outcome, clock_timestamp() - make_interval(secs => r."answeredAgo") as answered,
      clock_timestamp() - make_interval(secs => r."closedAgo") as closed
    from json_to_recordset(:told::json) as r(channel text, "answeredAgo" double precision, "closedAgo" double precision, outcome text)
  )
  update popups p set answered_at = m.answered_at,
    closed_at = case when told.closed is not null then greatest(told.closed, p.opened_at, m.answered_at) end,
    outcome = case when told.closed is not null then case
      when m.answered_at is not null then 'answered'
      -- Whoever signs out while the phone rings has not missed the call: it is taken back.
      when told.outcome in ('missed', 'rejected') and p.agent_id is not null and not exists (
        select from sign_ins i where i.agent_id = p.agent_id and i.extension_id = p.extension_id and i.signed_out_at is null)
        then 'cancelled'
      else coalesce(told.outcome, 'unknown') end end
  from told
  join popups b on b.node = :node and b.channel = told.channel
  cross join lateral (select coalesce(b.answered_at,
    case when told.answered is not null then greatest(told.answered, b.opened_at) end) as answered_at) m
  where p.id = b.id and p.closed_at is null and (told.closed is not null or p.answered_at is null and m.answered_at is not null)`;

export const missing = `
  select o.uniqueid as channel, c.uniqueid as call, 'queue' as kind, t.identity as team, x.number as extension, c.caller,
    false as arrives, true as final, extract(epoch from clock_timestamp() - o.offered_at)::double precision as "secondsAgo"
  from offers o
  join teams t on t.id = o.team_id
  join extensions x on x.id = o.extension_id
  join queue_visits v on v.id = o.visit_id
  join calls c on c.id = v.call_id
  where o.node = :node and o.kind = 'queue' and o.ended_at is null and o.answered_at is null
    -- Whoever has seen it begin has had the time to write it, and waits for a binding.
    and o.offered_at < clock_timestamp() - case when c.did is null then interval '12 seconds' else interval '1 second' end
    and (c.binding is not null or exists (select from agent_groups g where g.id = o.group_id and g.application is not null))
    and not exists (select from popups p where p.node = :node and p.channel = o.uniqueid)`;

export const missingOf = `
  select told.channel
  from json_to_recordset(:ringing::json) as told(channel text, call text, team text, extension text, endpoint text)
    ${phone}
    join calls c on c.node = :node and c.uniqueid = told.call and c.team_id = x.team_id
  where x.agent_mode and x.kind = 'sip' and c.application is not null
    and not exists (select from popups p where p.node = :node and p.channel = told.channel)`;

export const forget = `
  delete from popups where id in (
    select id from popups where call_id is null and done_at is null
      and closed_at < clock_timestamp() - interval '30 days' order by closed_at limit 1000)
  returning id`;
