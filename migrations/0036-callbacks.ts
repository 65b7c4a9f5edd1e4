/**
 * Callers who asked to be called back, and keep their place in the queue: since when they wait stands here, so that a restart
 * of Asterisk, or a time without a server, costs nobody their place.
 */
export const up = `
alter table agent_groups
  add column callback_key integer
    constraint agent_groups_callback_key_range check (callback_key between 0 and 9),
  add column callback_sound text
    constraint agent_groups_callback_sound_form check (callback_sound ~ '^[A-Za-z0-9_/][A-Za-z0-9_/-]{0,119}$'),
  add column callback_hours integer not null default 4
    constraint agent_groups_callback_hours_range check (callback_hours between 1 and 168),
  add column callback_tries integer not null default 3
    constraint agent_groups_callback_tries_range check (callback_tries between 1 and 10);
comment on column agent_groups.callback_key is
  'The key by which a caller who waits asks to be called back and hangs up; null: nobody is called back.';
comment on column agent_groups.callback_sound is 'A sound of the operator''s that offers it; null: Asterisk''s own words.';
comment on column agent_groups.callback_hours is 'After so many hours a callback has expired, and also when the group closes.';
comment on column agent_groups.callback_tries is 'How often who asked is called at most, 10 minutes apart.';

create table callbacks (
  id bigint generated always as identity primary key,
  team_id integer not null references teams on delete cascade,
  created_at timestamptz not null default clock_timestamp(),
  group_id integer not null,
  call_id bigint,
  number text not null constraint callbacks_number_form check (number ~ '^[+]?[0-9]{2,20}$'),
  did text,
  arrived_at timestamptz not null,
  priority integer not null default 0,
  expires_at timestamptz not null,
  next_at timestamptz not null default clock_timestamp(),
  puts integer not null default 0,
  settled integer not null default 0,
  tries integer not null default 0,
  last_result text constraint callbacks_last_result_form check (last_result ~ '^[a-z][a-z-]{0,31}$'),
  ended_at timestamptz,
  outcome text constraint callbacks_outcome_known
    check (outcome in ('answered', 'unreached', 'expired', 'closed', 'refused', 'removed')),
  constraint callbacks_ended check ((ended_at is null) = (outcome is null)),
  constraint callbacks_id_key unique (team_id, id),
  constraint callbacks_group_fkey foreign key (team_id, group_id) references agent_groups (team_id, id) on delete cascade,
  constraint callbacks_call_fkey foreign key (team_id, call_id) references calls (team_id, id) on delete cascade
);
create unique index callbacks_open_key on callbacks (team_id, group_id, number) where ended_at is null;
create index callbacks_group_idx on callbacks (team_id, group_id);
create index callbacks_call_idx on callbacks (team_id, call_id);
create index callbacks_open_idx on callbacks (arrived_at, id) where ended_at is null;
comment on table callbacks is 'Callers who left a queue and are to be called back: one at a time for each number and queue.';
comment on column callbacks.call_id is 'The call in which they asked; null: it was not recorded.';
comment on column callbacks.number is 'Whom to call, in the one form of numbers.';
comment on column callbacks.did is 'The number that they had dialled, which is shown to them if it is the team''s.';
comment on column callbacks.arrived_at is 'Since when they wait: when they came into the queue first. By it their place is found again.';
comment on column callbacks.priority is 'As QUEUE_PRIO of their call.';
comment on column callbacks.next_at is 'Before it they are not in the queue: they could not be reached a moment ago.';
comment on column callbacks.puts is 'How often somebody was put into the queue for them; the channel''s uniqueid has it.';
comment on column callbacks.settled is 'The last of those of which the result is known.';
comment on column callbacks.tries is 'How often they were called and not reached.';

-- More words, whatever a migration before this one has added.
do $$
declare
  found record;
begin
  for found in
    select k.conname, k.conrelid::regclass as child, pg_get_constraintdef(k.oid) as definition
    from pg_constraint k where k.conname in ('calls_outcome_known', 'queue_visits_outcome_known')
  loop
    execute format('alter table %s drop constraint %I', found.child, found.conname);
    -- Not valid: what is there has met the one before, which knew less.
    execute format('alter table %s add constraint %I %s not valid', found.child, found.conname,
      replace(replace(found.definition, ' NOT VALID', ''), '''timeout''::text', '''timeout''::text, ''callback''::text'
        || case found.conname when 'calls_outcome_known' then ', ''not-called-back''::text' else '' end));
  end loop;
end $$;
`;
