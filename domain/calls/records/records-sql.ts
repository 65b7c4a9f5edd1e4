/** The statements of `CallRecords`, one for each thing that happens to a call. */

/** The group that a queue is, if its team lives on this node. */
const queue = `
  q as (
    select g.team_id, g.id as group_id, g.wrap_up_seconds from agent_groups g join teams t on t.id = g.team_id
    where t.node = :node and t.identity = :team and g.name = :group
      and (g.removed_at is null or g.leaving_since is not null)
  )`;

/**
 * The visit that is meant: by the channel, or by the call whose place another channel has taken; the one that still waits
 * before one that does not, the newest first. `fits` narrows it. With `lock` the call stays as it is until the statement is
 * committed: whoever changes a visit and its call takes the call first, then an offer, then the visit.
 */
const theCall = 'for no key update of c';
const visitWhere = (fits: string, lock: typeof theCall | '' = ''): string => `
  visit as (
    select v.id, v.call_id, v.answered_at, c.uniqueid as call, c.ended_at from q
    join calls c on c.node = :node and c.uniqueid in (:uniqueid, :linkedid) and c.team_id = q.team_id
    join queue_visits v on v.call_id = c.id and v.group_id = q.group_id
    where ${fits}
    order by v.left_at is null desc, v.uniqueid = :uniqueid desc, v.id desc limit 1 ${lock}
  )`;

export const joined = `
  with ${queue}, known as (
    select c.id from calls c join q on q.team_id = c.team_id
    where c.node = :node and c.uniqueid = :linkedid and :linkedid::text <> :uniqueid
  ), made as (
    insert into calls (team_id, node, uniqueid, caller, group_id, arrived_at)
    select team_id, :node, :uniqueid, :number, group_id, clock_timestamp() - make_interval(secs => :waitedSeconds)
    from q where not exists (select from known)
    -- An update that changes little: it yields the row, also one that is being written in this moment.
    on conflict (node, uniqueid) do update set group_id = coalesce(calls.group_id, excluded.group_id)
      where calls.team_id = excluded.team_id
    returning id
  ), call as (
    select id from known union all select id from made
  ), elsewhere as (
    -- A channel stands in one queue: that it left the other one was not seen.
    update queue_visits v set left_at = greatest(clock_timestamp(), v.joined_at), outcome = coalesce(v.outcome, 'unknown')
    from q where v.node = :node and v.uniqueid = :uniqueid and v.group_id <> q.group_id
      and v.left_at is null and v.answered_at is null
  ), adopted as (
    -- Its call waits there already, and this channel has taken the place of the other one.
    update queue_visits v set uniqueid = :uniqueid from q, known
    where v.call_id = known.id and v.group_id = q.group_id and v.left_at is null and v.answered_at is null returning v.id
  )
  insert into queue_visits (team_id, node, call_id, uniqueid, group_id, position, joined_at)
  select q.team_id, :node, call.id, :uniqueid, q.group_id, :position::integer,
    clock_timestamp() - make_interval(secs => :waitedSeconds)
  from q, call where not exists (select from adopted)
  on conflict do nothing`;

export const left = `
  with told as (
    select * from json_to_recordset(:callers::json) as told (team text, "group" text, uniqueid text, linkedid text)
  )
  update queue_visits v set left_at = greatest(clock_timestamp(), v.joined_at), outcome = coalesce(v.outcome, 'unknown')
  from told join teams t on t.identity = told.team and t.node = :node
  join agent_groups g on g.team_id = t.id and g.name = told."group"
    and (g.removed_at is null or g.leaving_since is not null)
  join calls c on c.node = :node and c.uniqueid in (told.uniqueid, told.linkedid)
  where v.call_id = c.id and v.group_id = g.id and v.left_at is null and v.answered_at is null`;

export const abandoned = `
  with ${queue}, ${visitWhere("v.answered_at is null and coalesce(v.outcome, 'unknown') = 'unknown'", theCall)}, visited as (
    update queue_visits v set outcome = 'abandoned', left_at = coalesce(v.left_at, greatest(clock_timestamp(), v.joined_at))
    from visit where v.id = visit.id and v.answered_at is null returning v.call_id
  )
  -- Whom one queue has sent on to this one has not been served there; here they have given up.
  update calls c set outcome = 'abandoned' from visited
  -- Of one that an agent has called, and sent on to it, the call to the outside has an outcome of its own.
  where c.id = visited.call_id and c.direction <> 'out'
    and coalesce(c.outcome, 'unknown') in ('unknown', 'nobody', 'timeout', 'full')`;

export const unserved = `
  with ${queue}, ${visitWhere("v.answered_at is null and coalesce(v.outcome, 'unknown') in ('unknown', 'abandoned')", theCall)}, visited as (
    update queue_visits v set outcome = :outcome::text, left_at = coalesce(v.left_at, greatest(clock_timestamp(), v.joined_at))
    from visit where v.id = visit.id and v.answered_at is null returning v.call_id
  )
  -- A call that goes on by the caller's own wish has no outcome yet.
  update calls c set outcome = case when :outcome::text not in ('again', 'key') then :outcome::text end from visited
  where c.id = visited.call_id and c.direction <> 'out'
    and coalesce(c.outcome, 'unknown') in ('unknown', 'abandoned', 'nobody', 'timeout', 'full')`;

export const offered = `
  with ${queue}, ${visitWhere('v.answered_at is null')}, made as (
    insert into offers (team_id, node, uniqueid, visit_id, group_id, agent_id, extension_id, sign_in_id)
    select q.team_id, :node, :offerId, visit.id, q.group_id, i.agent_id, i.extension_id, i.id
    from q join sign_ins i on i.team_id = q.team_id and i.id = :signInId left join visit on true
    on conflict do nothing
  )
  select q.team_id as "teamId", q.group_id as "groupId", q.wrap_up_seconds as "wrapUpSeconds", visit.call
  from q left join visit on true`;

/**
 * The end of a short call may be written in the same moment, by another connection. So that one of the two sees the other, the
 * call is locked, as `callsEnded` does by its update, before it is read whether it is over; and the offer is written, which
 * waits for `offersEnded`, before that is read of it.
 */
export const answered = `
  with ${queue}, ${visitWhere('v.answered_at is null or v.offer_id = :offerId', theCall)}, agent as (
    select a.id from agents a join q on q.team_id = a.team_id and a.number = :agent and a.removed_at is null
  ), offered as (
    insert into offers as o (team_id, node, uniqueid, visit_id, group_id, agent_id, extension_id, sign_in_id, offered_at,
      answered_at, result)
    select q.team_id, :node, :offerId, visit.id, q.group_id, agent.id, i.extension_id, i.id, now.at, now.at, 'answered'
    from q cross join (select clock_timestamp() as at) as now left join visit on true left join agent on true
    left join sign_ins i on i.agent_id = agent.id and i.signed_out_at is null
    on conflict (node, uniqueid) do update set result = 'answered',
      -- The visit that is answered, also where another stay of the same caller in this queue was meant when it was offered.
      visit_id = case when o.answered_at is null then coalesce(excluded.visit_id, o.visit_id)
        else coalesce(o.visit_id, excluded.visit_id) end,
      answered_at = coalesce(o.answered_at, least(greatest(excluded.answered_at, o.offered_at), o.ended_at))
    where o.answered_at is null or o.visit_id is null and excluded.visit_id is not null
    returning o.ended_at
  ), gone as (
    -- Over already, where its events came in another order.
    select coalesce((select ended_at from visit), (select ended_at from offered),
      (select ended_at from offers where node = :node and uniqueid = :offerId)) as at
  ), visited as (
    update queue_visits v set outcome = 'answered', answered_at = greatest(clock_timestamp(), v.joined_at),
      agent_id = (select id from agent), offer_id = :offerId,
      left_at = case when gone.at is not null then greatest(clock_timestamp(), v.joined_at) end
    from visit, gone where v.id = visit.id and v.answered_at is null returning v.call_id
  ), called as (
    update calls c set outcome = 'answered', answered_at = coalesce(c.answered_at, greatest(clock_timestamp(), c.arrived_at))
    from visited where c.id = visited.call_id
  )
  select q.team_id as "teamId", q.group_id as "groupId", q.wrap_up_seconds as "wrapUpSeconds", visit.call,
    visit.id is not null as visit,
    -- It was over before anybody had said what became of it.
    exists (select from offered where ended_at is not null) and not exists (
      select from offers where node = :node and uniqueid = :offerId and result is not null) as settled
  from q left join visit on true`;

export const asked = `
  insert into offers (team_id, node, uniqueid, kind, call, agent_id, extension_id, sign_in_id)
  select i.team_id, :node, :offerId, 'consult', :call, i.agent_id, i.extension_id, i.id from sign_ins i where i.id = :signInId
  on conflict do nothing`;

export const askedAnswered = `
  update offers set result = 'answered', answered_at = least(greatest(clock_timestamp(), offered_at), ended_at)
  where node = :node and uniqueid = :offerId and kind = 'consult' and answered_at is null and result is null`;

export const offersEnded = `
  with told as (
    select * from json_to_recordset(:ended::json) as told ("offerId" text, result text)
  ), ended as (
    update offers o set ended_at = coalesce(o.ended_at, greatest(clock_timestamp(), o.offered_at, o.answered_at)),
      result = coalesce(o.result, case
        -- Whoever signs out while the phone rings has not missed the call: it is taken back.
        when told.result in ('missed', 'rejected') and exists (
          select from sign_ins i where i.id = o.sign_in_id and i.signed_out_at is not null) then 'cancelled'
        else told.result end)
    from told where o.node = :node and o.uniqueid = told."offerId"
      and (o.ended_at is null or o.result is null and told.result is not null)
    returning o.uniqueid, o.visit_id, o.team_id, o.group_id, o.result, o.kind
  ), parted as (
    -- Also of offers that were over before: their visit may have been left open. A visit that is being answered in this moment
    -- has no offer_id yet in this snapshot: it is taken by the result of its offer, waited for, and looked at again then. If it
    -- is not this offer's after all, it stays as it is.
    update queue_visits v set left_at = case when v.offer_id = o.uniqueid
      then greatest(clock_timestamp(), v.joined_at, v.answered_at) else v.left_at end
    from told join offers o on o.node = :node and o.uniqueid = told."offerId" left join ended on ended.uniqueid = o.uniqueid
    where v.id = coalesce(ended.visit_id, o.visit_id)
      and (v.offer_id = o.uniqueid and v.left_at is null or ended.result = 'answered' and v.answered_at is null)
  )
  -- Offers of queues are counted; who was asked by a colleague is none.
  select ended.uniqueid, t.identity as team, g.name as "group", case when ended.kind = 'queue' then ended.result end as result
  from ended join teams t on t.id = ended.team_id left join agent_groups g on g.id = ended.group_id`;

/** That the caller of a call by a DID has hung up, though nobody says so. Whoever leaves a queue says it themselves. */
const gaveUp = `(told.unanswered and (c.extension_id is not null or c.ring_group_id is not null)
  or c.did is not null and c.arrived_at >= clock_timestamp() - make_interval(secs => told."watchedSeconds"))`;

/** That a call, or its visits, are over. What nobody has told of it is unknown; a better word may come later. */
export const callsEnded = `
  with told as (
    select * from json_to_recordset(:ended::json)
      as told (uniqueid text, outcome text, unanswered boolean, "letGo" boolean, "watchedSeconds" double precision)
  ), ended as (
    update calls c set ended_at = coalesce(c.ended_at, greatest(clock_timestamp(), arrived_at)),
      leg_ended_at = case when c.leg_answered_at is not null
        then coalesce(c.leg_ended_at, greatest(clock_timestamp(), c.leg_answered_at)) end,
      outcome = coalesce(nullif(c.outcome, 'unknown'), told.outcome,
        case when ${gaveUp} then 'abandoned' else 'unknown' end),
      ended_by = coalesce(c.ended_by, case when told."letGo" then 'system' end)
    -- One to the outside lasts as long as the channel to the trunk: see calls-out-sql.ts.
    from told where c.node = :node and c.uniqueid = told.uniqueid and c.direction <> 'out'
      and (c.ended_at is null or c.outcome = 'unknown' and (told.outcome is not null or ${gaveUp}))
    returning c.id, c.uniqueid, c.ended_at
  ), parted as (
    -- Also of calls that were over before, and also visits that were left without an answer: one may be given it in this
    -- moment, which opens it again; it is waited for, and looked at again then. No visit is longer
    -- than its call, and the call is changed before it.
    update queue_visits v set
      left_at = coalesce(v.left_at, greatest(coalesce(ended.ended_at, c.ended_at, clock_timestamp()), v.joined_at,
        v.answered_at)),
      outcome = coalesce(v.outcome, 'unknown')
    from told join calls c on c.node = :node and c.uniqueid = told.uniqueid and c.direction <> 'out'
    left join ended on ended.id = c.id
    where v.call_id = c.id and (v.left_at is null or v.answered_at is null)
  ), recorded as (
    update recordings r set ended_at = greatest(clock_timestamp(), r.started_at) from ended
    where r.call_id = ended.id and r.ended_at is null
  )
  select uniqueid from ended`;

export const pickedUp = `
  with told as (
    select * from json_to_recordset(:told::json)
      as told (uniqueid text, "secondsAgo" double precision, extension text, endpoint text, outside text)
  ), called as (
    select c.id, c.uniqueid, told."secondsAgo", told.outside, x.id as extension_id, i.agent_id
    from told join calls c on c.node = :node and c.uniqueid = told.uniqueid
    -- Each has an index of its own; put together they have none.
    left join extensions n on n.team_id = c.team_id and n.number = told.extension and n.removed_at is null
    left join extensions e on e.endpoint_node = :node and e.endpoint = told.endpoint and e.team_id = c.team_id
      and e.removed_at is null
    left join lateral (select coalesce(n.id, e.id) as id) x on true
    left join sign_ins i on i.extension_id = x.id and i.signed_out_at is null
  )
  update calls c set outcome = 'answered',
    answered_at = coalesce(c.answered_at, greatest(clock_timestamp() - make_interval(secs => called."secondsAgo"), c.arrived_at)),
    -- The first who answered stays.
    answered_extension_id = case when c.answered_at is null then called.extension_id else c.answered_extension_id end,
    answered_agent_id = case when c.answered_at is null then called.agent_id else c.answered_agent_id end,
    answered_number = case when c.answered_at is null then called.outside else c.answered_number end
  from called where c.id = called.id returning c.uniqueid`;

export const ringGroupsReached = `
  with told as (
    select * from json_to_recordset(:told::json) as told (uniqueid text, team text, "ringGroup" text)
  )
  update calls c set ring_group_id = coalesce(r.id, c.ring_group_id)
  from told join teams t on t.identity = told.team
  left join ring_groups r on r.team_id = t.id and r.number = told."ringGroup" and r.removed_at is null
  where c.node = :node and c.uniqueid = told.uniqueid and c.team_id = t.id returning c.uniqueid`;

export const merged = `
  with into_call as (
    select id, team_id from calls where node = :node and uniqueid = :into
  ), from_call as (
    select c.id, c.did from calls c join into_call i on i.team_id = c.team_id where c.node = :node and c.uniqueid = :from
  ), moved as (
    update queue_visits v set call_id = into_call.id, uniqueid = case when v.answered_at is null then :channel else v.uniqueid end
    from into_call, from_call where v.call_id = from_call.id and v.left_at is null
    returning v.answered_at
  )
  update calls c set outcome = 'answered', answered_at = coalesce(c.answered_at, moved.answered_at)
  from into_call, moved where c.id = into_call.id and moved.answered_at is not null`;

/** Conversations that go on, as the database has it. */
const talking = 'queue_visits v where v.node = :node and v.left_at is null and v.answered_at is not null';

export const open = `
  select
    coalesce((
      select json_agg(uniqueid order by id) from (
        select uniqueid, id from calls where node = :node and ended_at is null and direction <> 'out'
        union
        select uniqueid, id from calls where id in (select v.call_id from ${talking}) and direction <> 'out'
      ) as c), '[]') as calls,
    coalesce((
      select json_agg(uniqueid order by id) from (
        select uniqueid, id from offers where node = :node and ended_at is null
        union
        select o.uniqueid, o.id from (select v.id, v.offer_id from ${talking}) as v
        join offers o on o.node = :node and o.uniqueid = v.offer_id and o.visit_id = v.id
      ) as o), '[]') as offers,
    coalesce((
      select json_agg(json_build_object('uniqueid', v.uniqueid, 'queue', t.identity || '-' || g.name) order by v.id)
      from queue_visits v join teams t on t.id = v.team_id left join agent_groups g on g.id = v.group_id
      where v.node = :node and v.left_at is null and v.answered_at is null), '[]') as waiting`;
