/** What a call went through, beside its visits and offers; recordings; and calls found by what people ask for. */
export const up = `
create table call_steps (
  id bigint generated always as identity primary key,
  team_id integer not null,
  call_id bigint not null,
  at timestamptz not null,
  key text not null constraint call_steps_key_form check (key ~ '^[a-z0-9-]{1,36}$'),
  kind text not null constraint call_steps_kind_form check (kind ~ '^[a-z][a-z-]{0,31}$'),
  facts jsonb not null default '{}' constraint call_steps_facts_object check (jsonb_typeof(facts) = 'object'),
  constraint call_steps_key unique (call_id, key),
  constraint call_steps_call_fkey foreign key (team_id, call_id) references calls (team_id, id) on delete cascade
);
create index call_steps_call_idx on call_steps (call_id, at);
comment on table call_steps is
  'What happened to a call that its visits and offers do not say: which rule sent it where, hours, menus, transfers. Goes with its call.';
comment on column call_steps.key is 'What is told twice has it twice, and is one step: a word within its call, or a UUID.';
comment on column call_steps.facts is 'Words by name, for people; what names things in it are their names of then.';

create table recordings (
  id bigint generated always as identity primary key,
  team_id integer not null,
  call_id bigint not null,
  file text collate "C" not null constraint recordings_file_form
    check (file ~ '^star64/[a-z0-9]+/[0-9]{4}-[0-9]{2}-[0-9]{2}/[A-Za-z0-9._-]{1,200}$'),
  started_at timestamptz not null,
  ended_at timestamptz,
  deleted_at timestamptz,
  constraint recordings_file_key unique (team_id, file),
  constraint recordings_call_fkey foreign key (team_id, call_id) references calls (team_id, id) on delete cascade,
  constraint recordings_order check (ended_at >= started_at)
);
create index recordings_call_idx on recordings (call_id);
-- By team and day: those whose days are over.
create index recordings_kept_idx on recordings (team_id, file) where deleted_at is null;
comment on table recordings is 'Conversations of a call that Asterisk recorded, each in a file of its own.';
comment on column recordings.file is 'Below Asterisk''s directory of recordings (<astspooldir>/monitor): star64/<team>/<day, UTC>/<node>-<call>-<channel>.wav.';
comment on column recordings.deleted_at is 'When the file was deleted, since its days were over.';

alter table teams
  add column record text not null default 'never' constraint teams_record_known check (record in ('never', 'always')),
  add column keep_recordings_days integer not null default 90
    constraint teams_keep_recordings_days_range check (keep_recordings_days between 0 and 3650);
comment on column teams.record is 'Whether calls from outside that an extension answers are recorded, unless the extension says otherwise.';
comment on column teams.keep_recordings_days is 'Days after which a recording is deleted; 0: never.';
alter table agent_groups
  add column record text not null default 'never' constraint agent_groups_record_known check (record in ('never', 'always'));
comment on column agent_groups.record is 'Whether the conversations of its queue are recorded.';
alter table extensions
  add column record text constraint extensions_record_known check (record in ('never', 'always'));
comment on column extensions.record is 'As teams.record, of this extension; null: as the team says.';
alter table ring_groups
  add column record text constraint ring_groups_record_known check (record in ('never', 'always'));
comment on column ring_groups.record is 'As teams.record, of calls that it has rung; null: as the team says.';

-- For how long recordings are kept stands in no generated file.
do $$
declare
  found record;
begin
  for found in
    select tgname, pg_get_triggerdef(oid) as definition from pg_trigger
    where tgrelid = 'teams'::regclass and tgname like 'teams\\_files\\_%'
  loop
    execute format('drop trigger %I on teams', found.tgname);
    execute replace(found.definition, '{name,', '{keep_recordings_days,name,');
  end loop;
end $$;

-- Newest first, by each of what people ask for.
drop index calls_team_arrived_idx, calls_group_idx;
create index calls_team_arrived_idx on calls (team_id, arrived_at, id);
create index calls_group_idx on calls (group_id, arrived_at, id);
create index calls_did_idx on calls (team_id, did, arrived_at, id);
create index calls_caller_idx on calls (team_id, caller, arrived_at, id);
create index calls_outcome_idx on calls (team_id, outcome, arrived_at, id);
`;
