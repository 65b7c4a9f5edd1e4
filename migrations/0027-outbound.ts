/**
 * Calls to the outside: trunk groups, user groups, who may call what, and what is recorded of such a call. A team calls nobody
 * outside until it has an outside prefix.
 */
export const up = `
alter table trunks
  add column channels integer constraint trunks_channels_range check (channels between 1 and 10000),
  add column number_format text not null default 'e164'
    constraint trunks_number_format_known check (number_format in ('e164', 'plain', 'international', 'national')),
  add column next_on text constraint trunks_next_on_form check (next_on ~ '^[3-6]([0-9]{2}|xx)(,[3-6]([0-9]{2}|xx))*$'),
  add column reply_seconds integer not null default 6 constraint trunks_reply_seconds_range check (reply_seconds between 1 and 32),
  add column caller_id text constraint trunks_caller_id_form check (caller_id ~ '^[+]?[0-9]{2,20}$');
comment on column trunks.channels is 'The most calls at a time that star64 sends over it; null: any number.';
comment on column trunks.number_format is
  'How it is sent numbers: +4930…; 4930…; 004930…; or as its country dials them, 030… at home.';
comment on column trunks.next_on is
  'The SIP answers after which the next trunk is tried, 403,488,5xx; null: those that are about the trunk and not about who is called.';
comment on column trunks.reply_seconds is 'How long a trunk may say nothing before the next one is tried.';
comment on column trunks.caller_id is 'The number of the team that is shown over it where nothing nearer to the caller says one.';

create table trunk_groups (
  id integer generated always as identity primary key,
  team_id integer references teams on delete restrict,
  name text not null constraint trunk_groups_name_form check (name ~ '^[a-z][a-z0-9_-]{0,31}$'),
  strategy text not null default 'priority'
    constraint trunk_groups_strategy_known check (strategy in ('priority', 'round-robin', 'random')),
  created_at timestamptz not null default now(),
  constraint trunk_groups_team_id_id_key unique (team_id, id)
);
create unique index trunk_groups_name_in_team_key on trunk_groups (team_id, name) where team_id is not null;
create unique index trunk_groups_name_of_every_team_key on trunk_groups (name) where team_id is null;
comment on table trunk_groups is 'Trunks of which one carries a call; the next one is tried where it fails.';
comment on column trunk_groups.team_id is 'As trunks.team_id.';

create table trunk_group_members (
  id integer generated always as identity primary key,
  trunk_group_id integer not null constraint trunk_group_members_group_fkey references trunk_groups on delete cascade,
  trunk_id integer not null constraint trunk_group_members_trunk_fkey references trunks on delete restrict,
  position integer not null,
  constraint trunk_group_members_position_key unique (trunk_group_id, position),
  constraint trunk_group_members_trunk_key unique (trunk_group_id, trunk_id)
);
create index trunk_group_members_trunk_idx on trunk_group_members (trunk_id);
comment on table trunk_group_members is 'Which trunks are in which groups, in their order.';

create table trunk_group_rules (
  id integer generated always as identity primary key,
  trunk_group_id integer not null constraint trunk_group_rules_group_fkey references trunk_groups on delete cascade,
  beginning text not null constraint trunk_group_rules_beginning_form check (beginning ~ '^([+]?[0-9]{1,15})?$'),
  refused boolean not null default false,
  strip integer not null default 0 constraint trunk_group_rules_strip_range check (strip between 0 and 20),
  added text not null default '' constraint trunk_group_rules_added_form check (added ~ '^[+]?[0-9]{0,15}$'),
  constraint trunk_group_rules_beginning_key unique (trunk_group_id, beginning),
  constraint trunk_group_rules_refused_alone check (not refused or strip = 0 and added = '')
);
comment on table trunk_group_rules is
  'What is done with numbers that begin so, as star64 keeps them: +49…. The longest beginning holds; an empty one is every number.';
comment on column trunk_group_rules.strip is 'Characters that are taken away in front, a + included, before those of added are put there. Such a number is sent as it is then.';

alter table teams
  add column trunk_group_id integer references trunk_groups on delete restrict,
  add constraint teams_one_way_out check (num_nonnulls(trunk_id, trunk_group_id) <= 1),
  add column country text constraint teams_country_form check (country ~ '^[A-Z]{2}$'),
  add column area text constraint teams_area_form check (area ~ '^[0-9]{1,8}$'),
  add column outside_prefix text constraint teams_outside_prefix_form check (outside_prefix ~ '^[0-9]{0,3}$'),
  add column caller_id text constraint teams_caller_id_form check (caller_id ~ '^[+]?[0-9]{2,20}$'),
  add column may_call text not null default 'national,mobile'
    constraint teams_may_call_form check (may_call ~ '^((national|mobile|international|premium)(,|$))*$');
create index teams_trunk_group_idx on teams (trunk_group_id) where trunk_group_id is not null;
comment on column teams.trunk_group_id is 'Default for calls to the outside where it is no single trunk (spec 6).';
comment on column teams.country is 'In which its phones dial, ISO 3166; null: that of its trunks.';
comment on column teams.area is 'The area code that is put before a number without one, with no 0 in front: 30.';
comment on column teams.outside_prefix is
  'What its phones dial before a number outside; empty: nothing; null: they call nobody outside but emergency numbers.';
comment on column teams.caller_id is 'One of its DIDs, shown to who is called where nothing nearer to the caller says another.';
comment on column teams.may_call is 'Classes of numbers that its phones may call; of others nobody has to think, they are closed.';

create table user_groups (
  id integer generated always as identity primary key,
  team_id integer not null references teams on delete restrict,
  name text not null constraint user_groups_name_form check (name ~ '^[a-z][a-z0-9_]{1,31}$'),
  position integer not null constraint user_groups_position_range check (position between 1 and 1000000),
  trunk_id integer references trunks on delete restrict,
  trunk_group_id integer references trunk_groups on delete restrict,
  may_call text constraint user_groups_may_call_form
    check (may_call ~ '^((national|mobile|international|premium)(,|$))*$'),
  caller_id text constraint user_groups_caller_id_form check (caller_id ~ '^[+]?[0-9]{2,20}$'),
  hours_id integer,
  created_at timestamptz not null default now(),
  removed_at timestamptz,
  constraint user_groups_team_id_id_key unique (team_id, id),
  constraint user_groups_one_way_out check (num_nonnulls(trunk_id, trunk_group_id) <= 1),
  constraint user_groups_hours_fkey foreign key (team_id, hours_id) references hours (team_id, id) on delete restrict
);
create unique index user_groups_name_key on user_groups (team_id, name) where removed_at is null;
create unique index user_groups_position_key on user_groups (team_id, position) where removed_at is null;
create index user_groups_trunk_idx on user_groups (trunk_id) where trunk_id is not null;
create index user_groups_trunk_group_idx on user_groups (trunk_group_id) where trunk_group_id is not null;
create index user_groups_hours_idx on user_groups (team_id, hours_id) where hours_id is not null;
comment on table user_groups is 'Users who call out over the same trunks and may call the same numbers (spec 11, 12).';
comment on column user_groups.position is
  'Of several groups of a user the lowest position that has a trunk, a right, a caller ID, says it.';
comment on column user_groups.may_call is 'As teams.may_call; null: as the team says.';
comment on column user_groups.hours_id is 'When its users may call out; null: at any time.';
comment on column user_groups.removed_at is 'As users.removed_at.';

create table user_group_members (
  team_id integer not null,
  user_group_id integer not null,
  user_id integer not null,
  constraint user_group_members_pkey primary key (user_group_id, user_id),
  constraint user_group_members_group_fkey foreign key (team_id, user_group_id) references user_groups (team_id, id)
    on delete cascade,
  constraint user_group_members_user_fkey foreign key (team_id, user_id) references users (team_id, id) on delete cascade
);
create index user_group_members_group_idx on user_group_members (team_id, user_group_id);
create index user_group_members_user_idx on user_group_members (team_id, user_id);
comment on table user_group_members is 'Which users are in which user groups.';

alter table extensions add column caller_id text constraint extensions_caller_id_form check (caller_id ~ '^[+]?[0-9]{2,20}$');
comment on column extensions.caller_id is 'One of the DIDs of its team, shown to who is called; null: as its user group says.';
alter table agent_groups add column may_call text constraint agent_groups_may_call_form
  check (may_call ~ '^((national|mobile|international|premium)(,|$))*$');
comment on column agent_groups.may_call is
  'Whoever has it as current group may call these classes at most; null: it takes nothing away.';

create table number_classes (
  id integer generated always as identity primary key,
  team_id integer not null references teams on delete restrict,
  beginning text not null constraint number_classes_beginning_form check (beginning ~ '^[+]?[0-9]{1,15}$'),
  class text not null constraint number_classes_class_known check (class in ('national', 'mobile', 'international', 'premium')),
  created_at timestamptz not null default now(),
  constraint number_classes_beginning_key unique (team_id, beginning)
);
comment on table number_classes is
  'Which class numbers have that begin so, where a team knows better than the numbering plan. The longest beginning holds.';

create function check_ways_out() returns trigger language plpgsql as $$
declare
  other integer;
begin
  -- Locked: what is being given to another team in the same moment must be seen.
  if tg_table_name = 'trunk_group_members' then
    select team_id into other from trunk_groups where id = new.trunk_group_id;
    perform from trunks where id = new.trunk_id and (team_id is null or team_id = other) for share;
    if not found then
      raise exception 'a trunk group has trunks of its own team, or of every team'
        using errcode = 'foreign_key_violation', constraint = 'trunk_of_group_of_team', table = tg_table_name;
    end if;
    return null;
  end if;
  if tg_table_name = 'teams' then other := new.id; else other := new.team_id; end if;
  perform from trunks where id = new.trunk_id and (team_id is null or team_id = other) for share;
  if new.trunk_id is not null and not found then
    raise exception 'calls cannot go out over a trunk of another team'
      using errcode = 'foreign_key_violation', constraint = 'trunk_of_team', table = tg_table_name;
  end if;
  perform from trunk_groups where id = new.trunk_group_id and (team_id is null or team_id = other) for share;
  if new.trunk_group_id is not null and not found then
    raise exception 'calls cannot go out over a trunk group of another team'
      using errcode = 'foreign_key_violation', constraint = 'trunk_group_of_team', table = tg_table_name;
  end if;
  return null;
end $$;
comment on function check_ways_out() is 'Calls of a team go out over its own trunks and groups of them, or those for every team.';
create trigger teams_way_out after insert or update of trunk_group_id on teams
  for each row execute function check_ways_out();
create trigger user_groups_way_out after insert or update of team_id, trunk_id, trunk_group_id on user_groups
  for each row execute function check_ways_out();
create trigger trunk_group_members_way_out after insert or update on trunk_group_members
  for each row execute function check_ways_out();

create function check_way_keeps_users() returns trigger language plpgsql as $$
begin
  if tg_table_name = 'trunks' and (exists (select from user_groups where trunk_id = new.id and team_id <> new.team_id)
      or exists (select from trunk_group_members m join trunk_groups g on g.id = m.trunk_group_id
        where m.trunk_id = new.id and g.team_id is distinct from new.team_id))
    or tg_table_name = 'trunk_groups' and (exists (select from user_groups where trunk_group_id = new.id and team_id <> new.team_id)
      or exists (select from teams where trunk_group_id = new.id and id <> new.team_id)
      or exists (select from trunk_group_members m join trunks k on k.id = m.trunk_id
        where m.trunk_group_id = new.id and k.team_id is not null and k.team_id is distinct from new.team_id)) then
    raise exception 'another team calls out over it'
      using errcode = 'foreign_key_violation', constraint = 'way_out_keeps_users', table = tg_table_name;
  end if;
  return null;
end $$;
comment on function check_way_keeps_users() is 'A trunk or trunk group is not taken from those who call out over it.';
create trigger trunks_way_keeps_users after update of team_id on trunks
  for each row when (new.team_id is not null) execute function check_way_keeps_users();
create trigger trunk_groups_way_keeps_users after update of team_id on trunk_groups
  for each row execute function check_way_keeps_users();

alter table calls
  add column direction text not null default 'in',
  add column dialled text,
  add column number text,
  add column class text,
  add column trunk text,
  add column refused text,
  add column from_extension_id integer,
  add column from_agent_id integer,
  add column user_id integer,
  add column user_group_id integer,
  add column ringing_at timestamptz,
  add column hold_seconds integer,
  add column ended_by text,
  add column cause integer,
  -- Not valid: these columns are new, so no row of before can break them, and millions are not read for that.
  add constraint calls_direction_known check (direction in ('in', 'out', 'internal')) not valid,
  add constraint calls_ended_by_known check (ended_by in ('caller', 'callee', 'system')) not valid,
  add constraint calls_from_extension_fkey foreign key (team_id, from_extension_id) references extensions (team_id, id)
    on delete restrict not valid,
  add constraint calls_from_agent_fkey foreign key (team_id, from_agent_id) references agents (team_id, id)
    on delete restrict not valid,
  add constraint calls_user_fkey foreign key (user_id) references users on delete restrict not valid,
  add constraint calls_user_group_fkey foreign key (team_id, user_group_id) references user_groups (team_id, id)
    on delete restrict not valid;
create index calls_from_extension_idx on calls (from_extension_id, arrived_at) where from_extension_id is not null;
create index calls_from_agent_idx on calls (from_agent_id, arrived_at) where from_agent_id is not null;
create index calls_user_idx on calls (user_id, arrived_at) where user_id is not null;
create index calls_user_group_idx on calls (user_group_id, arrived_at) where user_group_id is not null;
comment on column calls.direction is
  'Of a call to a team from outside, of its phones to the outside, or between them. From outside to outside is one that came in.';
comment on column calls.dialled is 'What the phone dialled, of a call to the outside; number: that in the form in which numbers are kept.';
comment on column calls.class is 'The class of the number: national, mobile, international, premium, emergency.';
comment on column calls.trunk is 'The trunk that took it, by its name of then.';
comment on column calls.refused is 'Why it was not let out: a right, a limit, no trunk. Null: it was.';
comment on column calls.from_extension_id is 'The extension that called, and who was signed in there.';
comment on column calls.user_id is 'Who is billed: the user who owns the extension that called out. Null: the team.';
comment on column calls.user_group_id is 'Whose trunk, right or limit decided.';
comment on column calls.ringing_at is 'When the number that was called began to ring.';
comment on column calls.ended_by is 'Who hung up: who called, who was called, or neither.';
comment on column calls.cause is 'Why it ended, as Q.850 numbers it.';

create table call_tries (
  id bigint generated always as identity primary key,
  team_id integer not null,
  call_id bigint not null,
  position integer not null,
  trunk text not null,
  sent text,
  at timestamptz not null,
  milliseconds integer,
  code integer,
  cause integer,
  outcome text not null,
  key text not null,
  constraint call_tries_key unique (call_id, key),
  constraint call_tries_call_fkey foreign key (team_id, call_id) references calls (team_id, id) on delete cascade
);
create index call_tries_call_idx on call_tries (team_id, call_id);
comment on table call_tries is 'Each trunk that was tried for a call to the outside. Goes with its call.';
comment on column call_tries.position is
  'In the order in which trunks were tried for one number. A call that is sent on to several begins at 1 each time.';
comment on column call_tries.key is 'What is told twice has it twice, and is one try: when it began, by Asterisk, position and number.';
comment on column call_tries.sent is 'The number as the trunk was sent it.';
comment on column call_tries.code is 'The SIP answer; null: there was none.';
comment on column call_tries.outcome is
  'answered, ended (by who was called or called), failed (the trunk), full, unavailable, set-aside.';

-- A trunk can now be reached by groups: what changes of it is in the files of everyone who may use it.
drop trigger trunks_files_insert on trunks;
drop trigger trunks_files_update on trunks;
drop trigger trunks_files_delete on trunks;

do $$
declare
  one record;
  event record;
begin
  for one in select * from (values
    ('user_groups', true, 'join teams t on t.id = (r.content->>''team_id'')::integer'),
    ('user_group_members', true, 'join teams t on t.id = (r.content->>''team_id'')::integer'),
    ('number_classes', true, 'join teams t on t.id = (r.content->>''team_id'')::integer'),
    ('trunks', null, 'join teams t on t.id = coalesce((r.content->>''team_id'')::integer, t.id)'),
    ('trunk_groups', false, 'join teams t on t.id = coalesce((r.content->>''team_id'')::integer, t.id)'),
    ('trunk_group_members', false, 'join trunk_groups g on g.id = (r.content->>''trunk_group_id'')::integer
      join teams t on t.id = coalesce(g.team_id, t.id)'),
    ('trunk_group_rules', false, 'join trunk_groups g on g.id = (r.content->>''trunk_group_id'')::integer
      join teams t on t.id = coalesce(g.team_id, t.id)')
  ) as v (name, of_team, teams) loop
    for event in select * from (values
      ('insert', 'new table as new_rows'),
      ('update', 'new table as new_rows old table as old_rows'),
      ('delete', 'old table as old_rows')
    ) as v (name, rows) loop
      if one.of_team then
        execute format('create trigger %I after %s on %I referencing %s for each statement
          execute function notify_teams(%L)', one.name || '_notify_' || event.name, event.name, one.name, event.rows, 'team_id');
      end if;
      execute format('create trigger %I after %s on %I referencing %s for each statement
        execute function note_file_change(%L, %L)', one.name || '_files_' || event.name, event.name, one.name, event.rows,
        one.teams, '{}');
    end loop;
    if one.of_team = false then
      execute format('create trigger %I after insert or update or delete on %I for each statement
        execute function notify_provisioning()', one.name || '_notify', one.name);
    end if;
  end loop;
end $$;
`;
