/**
 * Holds, consultations and transfers are told to followers: a hold by its row, whom an agent asks and to whom a call is sent
 * by the step in its story. Whose it is of a step is who has the call on hold, or else who talked in it last.
 */
export const up = `
create function write_handling_event(team integer, call_row bigint, linked text, node_of text, key text, what text,
  moment timestamptz, who integer, phone integer, more jsonb) returns void language plpgsql as $$
begin
  perform write_event(team, case when call_row is null then 'call-' || node_of || '-' || linked else 'call-' || call_row end,
    what, moment, (
      select jsonb_build_object('id', key, 'team', t.identity, 'call', linked, 'caller', c.caller, 'agent', a.number,
        'extension', x.number, 'group', g.name) || more
      from teams t left join calls c on c.id = call_row left join agents a on a.id = who left join extensions x on x.id = phone
      left join lateral (
        select s.group_id from agent_states s
        where s.agent_id = who and s.call_uniqueid = linked and s.state = 'talking' order by s.id desc limit 1) s on true
      left join agent_groups g on g.id = coalesce(s.group_id, case when who is null then c.group_id end)
      where t.id = team)::json);
end $$;

create function tell_hold() returns trigger language plpgsql as $$
declare
  call_row bigint;
begin
  select c.id into call_row from calls c where c.node = new.node and c.uniqueid = new.call and c.team_id = new.team_id;
  if tg_op = 'INSERT' then
    perform write_handling_event(new.team_id, call_row, new.call, new.node, 'hold-' || new.id, 'call.held', new.started_at,
      new.agent_id, new.extension_id, '{}');
  end if;
  if new.kind = 'consult' and (tg_op = 'INSERT' or old.kind <> 'consult') then
    perform write_handling_event(new.team_id, call_row, new.call, new.node, 'hold-' || new.id || '-answered', 'consult.answered',
      clock_timestamp(), new.agent_id, new.extension_id, '{}');
  end if;
  if new.ended_at is null or tg_op = 'UPDATE' and old.ended_at is not null then
    return null;
  end if;
  if new.kind = 'consult' then
    perform write_handling_event(new.team_id, call_row, new.call, new.node, 'hold-' || new.id || '-asked', 'consult.ended',
      new.ended_at, new.agent_id, new.extension_id,
      jsonb_build_object('outcome', case when new.hung_up then 'left' else 'back' end));
  end if;
  -- A phone that has left with its call on hold has not come back to it: the state of its agent and the end of the call say so.
  if not new.hung_up then
    perform write_handling_event(new.team_id, call_row, new.call, new.node, 'hold-' || new.id || '-ended', 'call.resumed',
      new.ended_at, new.agent_id, new.extension_id, '{}');
  end if;
  return null;
end $$;
create trigger holds_tell after insert on holds for each row execute function tell_hold();
create trigger holds_tell_more after update of kind, ended_at on holds for each row
  when (old.kind <> new.kind or old.ended_at is null and new.ended_at is not null) execute function tell_hold();

create function tell_step() returns trigger language plpgsql as $$
declare
  linked text;
  node_of text;
  who integer;
  phone integer;
begin
  select c.uniqueid, c.node into linked, node_of from calls c where c.id = new.call_id;
  select h.agent_id, h.extension_id into who, phone from holds h
  where h.node = node_of and h.call = linked and h.team_id = new.team_id and h.ended_at is null order by h.id desc limit 1;
  if phone is null then
    select s.agent_id, i.extension_id into who, phone
    from agent_states s join sign_ins i on i.id = s.sign_in_id
    where s.call_uniqueid = linked and s.team_id = new.team_id and s.state = 'talking' order by s.id desc limit 1;
  end if;
  perform write_handling_event(new.team_id, new.call_id, linked, node_of, 'step-' || new.id,
    case new.kind when 'consult' then 'consult.began' when 'consult-failed' then 'consult.ended' else 'call.transferred' end,
    new.at, who, phone, jsonb_build_object('number', new.facts ->> 'to') || case new.kind
      when 'consult-failed' then jsonb_build_object('outcome', coalesce(new.facts ->> 'why', 'unknown'))
      when 'transferred' then jsonb_build_object('how', new.facts ->> 'how') else '{}' end);
  return null;
end $$;
create trigger call_steps_tell after insert on call_steps for each row
  when (new.kind in ('consult', 'consult-failed', 'transferred')) execute function tell_step();
`;
