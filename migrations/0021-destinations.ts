/**
 * One kind of destination: where a call goes next is an edge from a slot of its owner (`closed` of hours, `key-1` of a
 * menu, `to` of a DID) to one thing of the same team. Announcements and menus; hours and ring groups by name and number.
 */
export const up = `
create table announcements (
  id integer generated always as identity primary key,
  team_id integer not null references teams on delete restrict,
  name text not null constraint announcements_name_form check (name ~ '^[a-z][a-z0-9_]{1,31}$'),
  sound text not null constraint announcements_sound_form check (sound ~ '^[A-Za-z0-9_/][A-Za-z0-9_/-]{0,119}$'),
  times integer not null default 1 constraint announcements_times_range check (times between 1 and 10),
  created_at timestamptz not null default now(),
  constraint announcements_team_id_id_key unique (team_id, id),
  constraint announcements_name_key unique (team_id, name)
);
comment on table announcements is 'A sound file of the operator that a caller hears before the call goes on, or ends.';

create table menus (
  id integer generated always as identity primary key,
  team_id integer not null references teams on delete restrict,
  name text not null constraint menus_name_form check (name ~ '^[a-z][a-z0-9_]{1,31}$'),
  sound text not null constraint menus_sound_form check (sound ~ '^[A-Za-z0-9_/][A-Za-z0-9_/-]{0,119}$'),
  seconds integer not null default 5 constraint menus_seconds_range check (seconds between 1 and 60),
  tries integer not null default 3 constraint menus_tries_range check (tries between 1 and 10),
  created_at timestamptz not null default now(),
  constraint menus_team_id_id_key unique (team_id, id),
  constraint menus_name_key unique (team_id, name)
);
comment on table menus is 'A sound file of the operator that offers keys, and where each key leads.';
comment on column menus.seconds is 'How long a key is waited for after the sound.';
comment on column menus.tries is 'How often the sound is played in all to a caller who presses none, or a wrong one.';

create table hours (
  id integer generated always as identity primary key,
  team_id integer not null references teams on delete restrict,
  name text not null constraint hours_name_form check (name ~ '^[a-z][a-z0-9_]{1,31}$'),
  number text constraint hours_number_form check (number ~ '^[0-9]{1,4}$'),
  created_at timestamptz not null default now(),
  constraint hours_team_id_id_key unique (team_id, id),
  constraint hours_name_key unique (team_id, name),
  constraint hours_number_key unique (team_id, number)
);
comment on table hours is 'When a team is open.';

create table ring_groups (
  id integer generated always as identity primary key,
  team_id integer not null references teams on delete restrict,
  number text not null constraint ring_groups_number_form check (number ~ '^[0-9]{2,10}$'),
  name text not null,
  created_at timestamptz not null default now(),
  removed_at timestamptz,
  constraint ring_groups_team_id_id_key unique (team_id, id)
);
create unique index ring_groups_number_key on ring_groups (team_id, number) where removed_at is null;
comment on table ring_groups is 'Phones that ring for a call without a queue.';
comment on column ring_groups.removed_at is 'As users.removed_at.';
create trigger ring_groups_keep_number after insert or delete or update of team_id, number, removed_at on ring_groups
  for each row execute function keep_number('ring-group', 'number');
alter table numbers drop constraint numbers_kind_known,
  add constraint numbers_kind_known check (kind in ('extension', 'queue', 'feature-code', 'ring-group'));

alter table dids add constraint dids_team_id_id_key unique (team_id, id);

create table destinations (
  id integer generated always as identity primary key,
  team_id integer not null references teams on delete cascade,
  from_team_id integer,
  from_did_id integer,
  from_group_id integer,
  from_hours_id integer,
  from_ring_group_id integer,
  from_announcement_id integer,
  from_menu_id integer,
  slot text not null constraint destinations_slot_form check (slot ~ '^[a-z][a-z0-9-]{1,31}$'),
  to_extension_id integer,
  to_agent_id integer,
  to_ring_group_id integer,
  to_group_id integer,
  to_hours_id integer,
  to_announcement_id integer,
  to_menu_id integer,
  to_number text constraint destinations_to_number_form check (to_number ~ '^[+]?[0-9]{2,20}$'),
  to_cause text constraint destinations_to_cause_known
    check (to_cause in ('normal', 'busy', 'unanswered', 'rejected', 'unknown', 'congestion')),
  to_feature text constraint destinations_to_feature_known
    check (to_feature in ('sign-in', 'sign-out', 'pause', 'ready', 'work-mode', 'current-group', 'status', 'waiting')),
  constraint destinations_one_owner check (num_nonnulls(from_team_id, from_did_id, from_group_id, from_hours_id,
    from_ring_group_id, from_announcement_id, from_menu_id) = 1),
  constraint destinations_one_target check (num_nonnulls(to_extension_id, to_agent_id, to_ring_group_id, to_group_id,
    to_hours_id, to_announcement_id, to_menu_id, to_number, to_cause, to_feature) = 1),
  constraint destinations_own_team check (from_team_id = team_id),
  constraint destinations_from_did_fkey foreign key (team_id, from_did_id) references dids (team_id, id) on delete cascade,
  constraint destinations_from_group_fkey foreign key (team_id, from_group_id)
    references agent_groups (team_id, id) on delete cascade,
  constraint destinations_from_hours_fkey foreign key (team_id, from_hours_id) references hours (team_id, id) on delete cascade,
  constraint destinations_from_ring_group_fkey foreign key (team_id, from_ring_group_id)
    references ring_groups (team_id, id) on delete cascade,
  constraint destinations_from_announcement_fkey foreign key (team_id, from_announcement_id)
    references announcements (team_id, id) on delete cascade,
  constraint destinations_from_menu_fkey foreign key (team_id, from_menu_id) references menus (team_id, id) on delete cascade,
  constraint destinations_to_extension_fkey foreign key (team_id, to_extension_id)
    references extensions (team_id, id) on delete restrict,
  constraint destinations_to_agent_fkey foreign key (team_id, to_agent_id) references agents (team_id, id) on delete restrict,
  constraint destinations_to_ring_group_fkey foreign key (team_id, to_ring_group_id)
    references ring_groups (team_id, id) on delete restrict,
  constraint destinations_to_group_fkey foreign key (team_id, to_group_id)
    references agent_groups (team_id, id) on delete restrict,
  constraint destinations_to_hours_fkey foreign key (team_id, to_hours_id) references hours (team_id, id) on delete restrict,
  constraint destinations_to_announcement_fkey foreign key (team_id, to_announcement_id)
    references announcements (team_id, id) on delete restrict,
  constraint destinations_to_menu_fkey foreign key (team_id, to_menu_id) references menus (team_id, id) on delete restrict
);
comment on table destinations is
  'Where calls go next: from a slot of one thing, or of the team itself, to another of the same team. Never in a circle.';
comment on column destinations.to_number is 'A number outside, over the team''s trunk, as an administrator typed it.';
create index destinations_team_idx on destinations (team_id);
do $$
declare
  one text;
begin
  foreach one in array array['team', 'did', 'group', 'hours', 'ring_group', 'announcement', 'menu'] loop
    execute format('create unique index destinations_of_%1$s_key on destinations (from_%1$s_id, slot)
      where from_%1$s_id is not null', one);
  end loop;
  foreach one in array array['extension', 'agent', 'ring_group', 'group', 'hours', 'announcement', 'menu'] loop
    execute format('create index destinations_to_%1$s_idx on destinations (to_%1$s_id) where to_%1$s_id is not null', one);
  end loop;
  for one in select unnest(array['destinations', 'announcements', 'menus', 'hours', 'ring_groups']) loop
    execute format('create trigger %1$I after insert on %2$I referencing new table as new_rows
      for each statement execute function notify_teams(%3$L)', one || '_notify_insert', one, 'team_id');
    execute format('create trigger %1$I after update on %2$I referencing new table as new_rows old table as old_rows
      for each statement execute function notify_teams(%3$L)', one || '_notify_update', one, 'team_id');
    execute format('create trigger %1$I after delete on %2$I referencing old table as old_rows
      for each statement execute function notify_teams(%3$L)', one || '_notify_delete', one, 'team_id');
    execute format('create trigger %1$I after insert on %2$I referencing new table as new_rows
      for each statement execute function note_file_change(%3$L, %4$L)', one || '_files_insert', one,
      'join teams t on t.id = (r.content->>''team_id'')::integer', '{}');
    execute format('create trigger %1$I after update on %2$I referencing new table as new_rows old table as old_rows
      for each statement execute function note_file_change(%3$L, %4$L)', one || '_files_update', one,
      'join teams t on t.id = (r.content->>''team_id'')::integer', '{}');
    execute format('create trigger %1$I after delete on %2$I referencing old table as old_rows
      for each statement execute function note_file_change(%3$L, %4$L)', one || '_files_delete', one,
      'join teams t on t.id = (r.content->>''team_id'')::integer', '{}');
  end loop;
end $$;

create view destination_targets as
  select d.id, d.team_id, d.slot, d.from_team_id, d.from_did_id, d.from_group_id, d.from_hours_id, d.from_ring_group_id,
    d.from_announcement_id, d.from_menu_id,
    case when to_extension_id is not null then 'extension' when to_agent_id is not null then 'agent'
      when to_ring_group_id is not null then 'ring-group' when to_group_id is not null then 'group'
      when to_hours_id is not null then 'hours' when to_announcement_id is not null then 'announcement'
      when to_menu_id is not null then 'menu' when to_number is not null then 'outside'
      when to_cause is not null then 'hangup' else 'feature' end as kind,
    coalesce(x.number, a.number, r.number, g.name, h.name, n.name, m.name, to_number, to_cause, to_feature) as name
  from destinations d
  left join extensions x on x.id = d.to_extension_id
  left join agents a on a.id = d.to_agent_id
  left join ring_groups r on r.id = d.to_ring_group_id
  left join agent_groups g on g.id = d.to_group_id
  left join hours h on h.id = d.to_hours_id
  left join announcements n on n.id = d.to_announcement_id
  left join menus m on m.id = d.to_menu_id;
comment on view destination_targets is 'Destinations by kind and name, as they are typed.';

insert into destinations (team_id, from_did_id, slot, to_group_id, to_extension_id, to_feature)
  select team_id, id, 'to', group_id, extension_id, feature from dids order by id;
alter table dids drop column group_id, drop column extension_id, drop column feature;
`;
