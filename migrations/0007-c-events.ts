/**
 * Events: what has changed, in the transaction that changed it, so that nobody who changes something need know of them.
 *
 * Their order is (era, xid, id). xid is that of the writer, or that of the last event of the same agent or call, if that
 * is newer. So (1) once every transaction below pg_snapshot_xmin() is over, no event below it can come any more, whoever
 * commits late; (2) of two changes of one agent, which the lock of the sign-in keeps apart, the later one comes later,
 * also when its transaction is the older one; (3) every xid is that of a writer who has committed, so that no cursor is
 * ahead of what a PostgreSQL that crashed goes on with. Transaction ids belong to one cluster: the era
 * is raised where a start finds ids that this cluster has not reached yet (domain/database/event-era.ts).
 */
export const up = `
create table event_log (
  one boolean primary key default true constraint event_log_one check (one),
  era integer not null default 1,
  removed_era integer not null default 0,
  removed_xid bigint not null default 0,
  removed_id bigint not null default 0,
  origin text
);
insert into event_log default values;
comment on table event_log is 'The one row of what is known of the events as a whole.';
comment on column event_log.origin is 'The cluster and its timeline at the last start, where PostgreSQL tells them.';
comment on column event_log.era is 'Raised when the rows are found in another cluster than the one that wrote them.';
comment on column event_log.removed_id is 'With era and xid: the last event that was removed for its age.';

create table events (
  era integer not null,
  xid bigint not null,
  id bigint not null generated always as identity,
  written_at timestamptz not null default clock_timestamp(),
  at timestamptz not null,
  team_id integer not null,
  subject text not null,
  type text not null,
  data json not null,
  constraint events_pkey primary key (era, xid, id)
);
create index events_team_idx on events (team_id, era, xid, id);
create index events_subject_idx on events (subject, era, xid);
create index events_written_idx on events (written_at);
comment on table events is
  'What has changed, for whoever follows: written by triggers, read below pg_snapshot_xmin, kept for days. Names are those of then.';
comment on column events.xid is 'Of the writer, or of the last event of the same subject, if that is newer.';
comment on column events.subject is 'What it happened to, agent-<id> or call-<id>.';
comment on column events.at is 'The moment that the change carries: what is found late is older than its event.';

create function write_event(team integer, whose text, kind text, moment timestamptz, told json) returns void language plpgsql as $$
begin
  insert into events (era, xid, team_id, subject, type, at, data)
  select l.era, greatest(pg_current_xact_id()::text::bigint, (
      select e.xid from events e where e.subject = whose and e.era = l.era order by e.xid desc limit 1)),
    team, whose, kind, moment, told
  from event_log l;
end $$;

create function tell_agent_state() returns trigger language plpgsql as $$
declare
  -- What the two tables have in common: a state that has begun, or the end of a sign-in.
  ends boolean := tg_table_name = 'sign_ins';
  entered integer;
  call text;
  told json;
begin
  if ends then entered := new.id; else entered := new.sign_in_id; call := new.call_uniqueid; end if;
  select json_build_object(
    'id', case when ends then 'sign-out-' else 'state-' end || new.id,
    'team', t.identity, 'agent', a.number, 'name', u.name, 'extension', x.number,
    'state', case when ends then 'signed-out' else to_json(new) ->> 'state' end,
    'previous_state', coalesce(p.state::text, 'signed-out'), 'previous_since', p.started_at,
    'reason', to_json(new) -> 'reason', 'until', to_json(new) -> 'deadline_at', 'group', g.name,
    'call', call, 'caller', c.caller,
    'by', case when ends then i.signed_out_by when p.state is null then i.signed_in_by end)
  into told
  from sign_ins i
  join teams t on t.id = i.team_id
  join agents a on a.id = i.agent_id
  join users u on u.id = a.user_id
  join extensions x on x.id = i.extension_id
  left join agent_groups g on g.id = (to_json(new) ->> 'group_id')::integer
  left join calls c on c.node = t.node and c.uniqueid = call and c.team_id = i.team_id
  left join lateral (
    select s.state, s.started_at from agent_states s
    where s.sign_in_id = entered and (ends or s.id < new.id) order by s.id desc limit 1) p on true
  where i.id = entered;
  if ends then
    perform write_event(new.team_id, 'agent-' || new.agent_id, 'agent.state', new.signed_out_at, told);
  else
    perform write_event(new.team_id, 'agent-' || new.agent_id, 'agent.state', new.started_at, told);
  end if;
  return null;
end $$;
create trigger agent_states_tell after insert on agent_states for each row execute function tell_agent_state();
create trigger sign_ins_tell after update of signed_out_at on sign_ins for each row
  when (old.signed_out_at is null and new.signed_out_at is not null) execute function tell_agent_state();

create function tell_call() returns trigger language plpgsql as $$
declare
  told json;
begin
  select json_build_object('id', 'call-' || new.id, 'team', t.identity, 'call', new.uniqueid, 'caller', new.caller,
    'did', new.did, 'group', g.name, 'extension', x.number, 'outcome', new.outcome)
  into told
  from teams t left join agent_groups g on g.id = new.group_id left join extensions x on x.id = new.extension_id
  where t.id = new.team_id;
  if tg_op = 'INSERT' then
    perform write_event(new.team_id, 'call-' || new.id, 'call.arrived', new.arrived_at, told);
  end if;
  if new.ended_at is not null then
    perform write_event(new.team_id, 'call-' || new.id, 'call.ended', new.ended_at, told);
  end if;
  return null;
end $$;
create trigger calls_tell_arrival after insert on calls for each row execute function tell_call();
create trigger calls_tell_end after update of ended_at on calls for each row
  when (old.ended_at is null and new.ended_at is not null) execute function tell_call();

create function tell_queue_visit() returns trigger language plpgsql as $$
declare
  told json;
begin
  select json_build_object('id', 'visit-' || new.id, 'team', t.identity, 'call', c.uniqueid, 'caller', c.caller,
    'group', g.name, 'position', new.position, 'joined', new.joined_at, 'answered', new.answered_at, 'agent', a.number,
    'outcome', new.outcome)
  into told
  from calls c join teams t on t.id = c.team_id left join agent_groups g on g.id = new.group_id
  left join agents a on a.id = new.agent_id
  where c.id = new.call_id;
  if tg_op = 'INSERT' then
    perform write_event(new.team_id, 'call-' || new.call_id, 'call.queued', new.joined_at, told);
  elsif old.outcome is distinct from new.outcome and new.outcome in ('answered', 'abandoned') then
    perform write_event(new.team_id, 'call-' || new.call_id, 'call.' || new.outcome, coalesce(new.answered_at, new.left_at), told);
  end if;
  return null;
end $$;
create trigger queue_visits_tell after insert or update of outcome on queue_visits for each row
  execute function tell_queue_visit();
`;
