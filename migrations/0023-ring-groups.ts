/** Ring groups: who rings, in which order, and who answered a call that no queue gave to them. */
export const up = `
alter table ring_groups
  add column strategy text not null default 'ring-all' constraint ring_groups_strategy_known
    check (strategy in ('ring-all', 'in-order', 'round-robin', 'random', 'longest-idle', 'fewest-calls')),
  add column ring_seconds integer not null default 20
    constraint ring_groups_ring_seconds_range check (ring_seconds between 3 and 300),
  add column prefix text constraint ring_groups_prefix_form
    check (prefix ~ '^[A-Za-z0-9]([A-Za-z0-9 _.+:/*-]{0,18}[A-Za-z0-9_.+:/*-])?$'),
  add column hears text not null default 'ringing' constraint ring_groups_hears_known check (hears in ('ringing', 'music'));
comment on column ring_groups.ring_seconds is 'How long a step rings.';
comment on column ring_groups.prefix is 'Stands before the caller''s name on the phones that ring.';

create table ring_group_members (
  id bigint generated always as identity constraint ring_group_members_pkey primary key,
  team_id integer not null,
  ring_group_id integer not null,
  position integer not null,
  extension_id integer,
  agent_id integer,
  outside text constraint ring_group_members_outside_form check (outside ~ '^[+]?[0-9]{2,20}$'),
  outside_key text,
  constraint ring_group_members_position_key unique (ring_group_id, position),
  constraint ring_group_members_one check (num_nonnulls(extension_id, agent_id, outside) = 1),
  constraint ring_group_members_outside_key_there check (outside_key is not distinct from ltrim(outside, '+')),
  constraint ring_group_members_ring_group_fkey foreign key (team_id, ring_group_id)
    references ring_groups (team_id, id) on delete cascade,
  constraint ring_group_members_extension_fkey foreign key (team_id, extension_id)
    references extensions (team_id, id) on delete restrict,
  constraint ring_group_members_agent_fkey foreign key (team_id, agent_id) references agents (team_id, id) on delete restrict,
  constraint ring_group_members_extension_key unique (ring_group_id, extension_id),
  constraint ring_group_members_agent_key unique (ring_group_id, agent_id),
  constraint ring_group_members_outside_key unique (ring_group_id, outside_key)
);
create index ring_group_members_extension_idx on ring_group_members (extension_id) where extension_id is not null;
create index ring_group_members_agent_idx on ring_group_members (agent_id) where agent_id is not null;
comment on table ring_group_members is 'Who is rung, in their order: an extension, an agent where they are signed in, or a number outside.';
comment on column ring_group_members.outside_key is 'The number without the +: one number is one member.';

do $$
declare
  event record;
begin
  for event in select * from (values
    ('insert', 'new table as new_rows'),
    ('update', 'new table as new_rows old table as old_rows'),
    ('delete', 'old table as old_rows')
  ) as v (name, rows) loop
    execute format('create trigger %I after %s on ring_group_members referencing %s for each statement
      execute function notify_teams(%L)', 'ring_group_members_notify_' || event.name, event.name, event.rows, 'team_id');
    execute format('create trigger %I after %s on ring_group_members referencing %s for each statement
      execute function note_file_change(%L, %L)', 'ring_group_members_files_' || event.name, event.name, event.rows,
      'join teams t on t.id = (r.content->>''team_id'')::integer', '{}');
  end loop;
end $$;

alter table calls
  add column ring_group_id integer,
  add column answered_extension_id integer,
  add column answered_agent_id integer,
  add column answered_number text,
  add constraint calls_ring_group_fkey foreign key (team_id, ring_group_id) references ring_groups (team_id, id)
    on delete restrict,
  add constraint calls_answered_extension_fkey foreign key (team_id, answered_extension_id)
    references extensions (team_id, id) on delete set null (answered_extension_id),
  add constraint calls_answered_agent_fkey foreign key (team_id, answered_agent_id) references agents (team_id, id)
    on delete set null (answered_agent_id);
create index calls_ring_group_idx on calls (ring_group_id) where ring_group_id is not null;
create index calls_answered_extension_idx on calls (answered_extension_id, answered_at) where answered_extension_id is not null;
create index calls_answered_agent_idx on calls (answered_agent_id, answered_at) where answered_agent_id is not null;
create index calls_answered_number_idx on calls (team_id, answered_number, answered_at) where answered_number is not null;
comment on column calls.ring_group_id is 'The ring group that it reached last.';
comment on column calls.answered_extension_id is
  'The extension that answered first, where no queue had offered the call to it; else see queue_visits.';
comment on column calls.answered_agent_id is 'Who was signed in there.';
comment on column calls.answered_number is 'The number outside that answered first, without a +.';

-- Whoever was idle for longest, and who had fewest calls, is looked up while a caller waits.
drop index offers_extension_idx;
create index offers_extension_idx on offers (extension_id, offered_at);
`;
