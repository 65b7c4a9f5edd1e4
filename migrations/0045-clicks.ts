/**
 * Calls that software starts for an agent, whose phone is rung first; administrators who listen by command; commands that
 * name no call, and what they were refused with. What happens on each leg of such a call is an event.
 */
export const up = `
alter table call_commands
  alter column call_id drop not null,
  add constraint call_commands_team_fkey foreign key (team_id) references teams on delete restrict,
  add column request text constraint call_commands_request_form check (request ~ '^[!-~]{1,100}$'),
  add column code text constraint call_commands_code_form check (code ~ '^[a-z][a-z_]{0,39}$'),
  add column facts jsonb;
do $$
declare
  known text;
begin
  select string_agg(quote_literal(m[1]), ', ') into known
  from pg_constraint c, regexp_matches(pg_get_constraintdef(c.oid), '''([a-z-]+)''::text', 'g') m
  where c.conname = 'call_commands_kind_known' and c.conrelid = 'call_commands'::regclass;
  alter table call_commands drop constraint call_commands_kind_known;
  execute format('alter table call_commands add constraint call_commands_kind_known check (kind in (%s, %s))', known,
    '''resume'', ''back'', ''originate'', ''supervise''');
end $$;
alter table call_commands add constraint call_commands_call_there
  check (call_id is not null or kind in ('originate', 'supervise'));
create unique index call_commands_request_key on call_commands (team_id, request) where request is not null;
comment on column call_commands.call_id is 'Null: a call that is not there yet, or that the server looks for.';
comment on column call_commands.request is
  'The id that who gave it has made up: given again it is the same command, and nothing is done a second time.';
comment on column call_commands.code is 'Of a refused one: the code of the error that who gave it is told, with its facts.';

alter table calls add column clicked boolean not null default false;
comment on column calls.clicked is 'Software has started it for an agent: see clicks.';

create table clicks (
  call_id bigint primary key,
  team_id integer not null,
  agent_id integer not null,
  extension_id integer not null,
  auto_answer boolean not null,
  given_by text not null,
  began_at timestamptz not null default clock_timestamp(),
  agent_ringing_at timestamptz,
  agent_answered_at timestamptz,
  agent_ended_at timestamptz,
  agent_result text constraint clicks_agent_result_known
    check (agent_result in ('answered', 'busy', 'rejected', 'no-answer', 'unreachable', 'unknown')),
  constraint clicks_end check ((agent_ended_at is null) = (agent_result is null)),
  constraint clicks_call_fkey foreign key (team_id, call_id) references calls (team_id, id) on delete cascade,
  constraint clicks_agent_fkey foreign key (team_id, agent_id) references agents (team_id, id) on delete restrict,
  constraint clicks_extension_fkey foreign key (team_id, extension_id) references extensions (team_id, id) on delete restrict
);
create index clicks_call_idx on clicks (team_id, call_id);
create index clicks_agent_idx on clicks (agent_id);
create index clicks_extension_idx on clicks (extension_id);
comment on table clicks is 'Click to call (spec 41-44): calls that software has started, with what became of the agent''s phone, which is rung first.';
comment on column clicks.agent_result is 'What became of ringing the agent''s phone; null: it is rung. Nobody outside is called before they answer.';

-- More words, whatever a migration before this one has added.
do $$
declare
  definition text;
begin
  select replace(pg_get_constraintdef(k.oid), ' NOT VALID', '') into definition from pg_constraint k
  where k.conname = 'calls_outcome_known';
  -- Not valid: what is there has met the one before, which knew less.
  execute format('alter table calls drop constraint calls_outcome_known, add constraint calls_outcome_known %s not valid',
    replace(definition, '''unreachable''::text', '''unreachable''::text, ''no-agent''::text'));
end $$;

create function write_click_event(call bigint, what text, moment timestamptz) returns void language plpgsql as $$
declare
  told json;
  team integer;
begin
  select c.team_id, json_build_object('id', replace(what, '.', '-') || '-' || c.id, 'team', t.identity, 'call', c.uniqueid,
    'agent', a.number, 'extension', x.number, 'dialled', c.dialled, 'number', c.number, 'by', k.given_by,
    'agent_result', k.agent_result, 'outcome', c.outcome, 'refused', c.refused)
  into team, told
  from clicks k join calls c on c.id = k.call_id join teams t on t.id = c.team_id join agents a on a.id = k.agent_id
  join extensions x on x.id = k.extension_id
  where k.call_id = call;
  if told is not null then
    perform write_event(team, 'call-' || call, what, moment, told);
  end if;
end $$;

create function tell_click() returns trigger language plpgsql as $$
begin
  if tg_op = 'INSERT' then
    perform write_click_event(new.call_id, 'click.began', new.began_at);
    return null;
  end if;
  if old.agent_ringing_at is null and new.agent_ringing_at is not null then
    perform write_click_event(new.call_id, 'click.agent_ringing', new.agent_ringing_at);
  end if;
  if old.agent_ended_at is null and new.agent_ended_at is not null then
    perform write_click_event(new.call_id,
      case new.agent_result when 'answered' then 'click.agent_answered' else 'click.agent_missed' end, new.agent_ended_at);
  end if;
  return null;
end $$;
create trigger clicks_tell after insert or update on clicks for each row execute function tell_click();

create function tell_clicked_call() returns trigger language plpgsql as $$
begin
  -- That it has rung is no news of a call that was answered since.
  if old.ringing_at is null and new.ringing_at is not null and old.answered_at is null then
    perform write_click_event(new.id, 'click.customer_ringing', new.ringing_at);
  end if;
  if old.answered_at is null and new.answered_at is not null then
    perform write_click_event(new.id, 'click.customer_answered', new.answered_at);
  end if;
  if old.ended_at is null and new.ended_at is not null then
    -- What became of ringing them was not seen.
    update clicks set agent_ended_at = greatest(new.ended_at, began_at), agent_result = 'unknown'
    where call_id = new.id and agent_ended_at is null;
    perform write_click_event(new.id, 'click.ended', new.ended_at);
  end if;
  return null;
end $$;
create trigger calls_tell_click after update on calls for each row when (new.clicked) execute function tell_clicked_call();
`;
