/**
 * Callbacks: as many at a time as a group allows, their time in minutes, whoever waits again is not called back as well, and
 * what becomes of them is told as events.
 */
export const up = `
alter table agent_groups
  add column callback_minutes integer not null default 240
    constraint agent_groups_callback_minutes_range check (callback_minutes between 1 and 10080),
  add column callback_limit integer not null default 50
    constraint agent_groups_callback_limit_range check (callback_limit between 1 and 1000);
update agent_groups set callback_minutes = 60 * callback_hours where callback_hours <> 4;
alter table agent_groups drop column callback_hours;
comment on column agent_groups.callback_minutes is 'After so many minutes a callback has expired, and also when the group closes.';
comment on column agent_groups.callback_limit is 'As many are to be called back at a time; nobody else is offered it.';

-- A server knows these: they stand in no generated file.
do $$
declare
  found record;
begin
  for found in
    select tgname, pg_get_triggerdef(oid) as definition from pg_trigger
    where tgrelid = 'agent_groups'::regclass and tgname = 'agent_groups_files_update'
  loop
    execute format('drop trigger %I on agent_groups', found.tgname);
    execute regexp_replace(found.definition, '''{([^{}]*)}''\\)$', '''{\\1,callback_tries,callback_minutes,callback_limit}'')');
  end loop;
end $$;

alter table callbacks
  add column kept_at timestamptz not null default clock_timestamp(),
  add column called_put integer not null default 0,
  add column called_agent_id integer,
  add constraint callbacks_called_agent_fkey foreign key (team_id, called_agent_id) references agents (team_id, id)
    on delete set null (called_agent_id),
  drop constraint callbacks_outcome_known,
  add constraint callbacks_outcome_known
    check (outcome in ('answered', 'unreached', 'expired', 'closed', 'refused', 'removed', 'back'));
create index callbacks_called_agent_idx on callbacks (called_agent_id);
comment on column callbacks.kept_at is 'When they asked, the last time.';
comment on column callbacks.called_put is 'The put of which an agent called them last.';
comment on column callbacks.called_agent_id is 'Who called them last.';
comment on column callbacks.outcome is
  'answered; unreached: as often as the group calls; expired; closed: the group; refused: it may not be called; removed by an '
  'administrator; back: they wait again in the call in which they had asked.';

create function tell_callback() returns trigger language plpgsql as $$
declare
  told json;
  what text := case when tg_op = 'INSERT' then 'kept' when new.ended_at is null then 'called'
    when new.outcome = 'answered' then 'answered' else 'expired' end;
begin
  select json_build_object(
    'id', 'callback-' || new.id || '-' || case what when 'called' then what || '-' || new.called_put else what end,
    'team', t.identity, 'callback', new.id, 'group', g.name, 'number', new.number, 'call', c.uniqueid, 'arrived', new.arrived_at,
    'expires', new.expires_at, 'tries', new.tries, 'agent', a.number, 'outcome', new.outcome)
  into told
  from teams t join agent_groups g on g.id = new.group_id left join calls c on c.id = new.call_id
  left join agents a on a.id = new.called_agent_id
  where t.id = new.team_id;
  perform write_event(new.team_id, 'callback-' || new.id, 'callback.' || what, coalesce(new.ended_at, clock_timestamp()), told);
  return null;
end $$;
create trigger callbacks_tell after insert on callbacks for each row execute function tell_callback();
create trigger callbacks_tell_call after update of called_put on callbacks for each row
  when (new.called_put > old.called_put and new.ended_at is null) execute function tell_callback();
create trigger callbacks_tell_end after update of ended_at on callbacks for each row
  when (old.ended_at is null and new.ended_at is not null) execute function tell_callback();
`;
