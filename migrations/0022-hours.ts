/**
 * Hours: rules by days of the week and by dates, in the team's time zone, and a switch. Calls to DIDs, groups and ring
 * groups that have hours go elsewhere while these are closed. The feature code `*61` switches; a team gets it where the
 * number is free.
 */
export const up = `
alter table hours add column position text not null default 'automatic'
  constraint hours_position_known check (position in ('automatic', 'day', 'night'));
comment on column hours.position is
  'The switch: as the rules say, or open (day) or closed (night) until somebody switches again.';

create table hours_rules (
  id integer generated always as identity primary key,
  team_id integer not null references teams on delete cascade,
  hours_id integer not null,
  days text constraint hours_rules_days_form
    check (days ~ '^(mon|tue|wed|thu|fri|sat|sun)([,-](mon|tue|wed|thu|fri|sat|sun)){0,6}$'),
  first_date text constraint hours_rules_first_date_form check (first_date ~ '^([0-9]{4}-)?[0-9]{2}-[0-9]{2}$'),
  last_date text,
  ranges text not null
    constraint hours_rules_ranges_form check (ranges ~ '^([0-9]{2}:[0-9]{2}-[0-9]{2}:[0-9]{2}(,|$))*$'),
  constraint hours_rules_kind check (case when days is null then first_date is not null and last_date is not null
    and length(first_date) = length(last_date) and last_date ~ '^([0-9]{4}-)?[0-9]{2}-[0-9]{2}$'
    else first_date is null and last_date is null and ranges <> '' end),
  constraint hours_rules_dates_key unique (hours_id, first_date, last_date),
  constraint hours_rules_hours_fkey foreign key (team_id, hours_id) references hours (team_id, id) on delete cascade
);
create index hours_rules_hours_idx on hours_rules (team_id, hours_id);
comment on table hours_rules is 'When hours are open: days of the week, or dates, which win over these.';
comment on column hours_rules.first_date is '2026-12-24, or 12-24 of every year, to last_date.';
comment on column hours_rules.ranges is '09:00-12:00,13:00-17:30; one that ends before it begins ends on the next day; empty: closed.';

alter table teams add column hours_id integer,
  add constraint teams_hours_fkey foreign key (id, hours_id) references hours (team_id, id) on delete restrict;
create index teams_hours_idx on teams (id, hours_id) where hours_id is not null;
comment on column teams.hours_id is 'The hours that *61 without a number switches.';
alter table dids add column hours_id integer,
  add constraint dids_hours_fkey foreign key (team_id, hours_id) references hours (team_id, id) on delete restrict;
create index dids_hours_idx on dids (team_id, hours_id) where hours_id is not null;
alter table agent_groups add column hours_id integer,
  add constraint agent_groups_hours_fkey foreign key (team_id, hours_id) references hours (team_id, id) on delete restrict;
create index agent_groups_hours_idx on agent_groups (team_id, hours_id) where hours_id is not null;
alter table ring_groups add column hours_id integer,
  add constraint ring_groups_hours_fkey foreign key (team_id, hours_id) references hours (team_id, id) on delete restrict;
create index ring_groups_hours_idx on ring_groups (team_id, hours_id) where hours_id is not null;

do $$
declare
  of_team constant text := 'join teams t on t.id = (r.content->>''team_id'')::integer';
begin
  execute 'create trigger hours_rules_notify_insert after insert on hours_rules referencing new table as new_rows
    for each statement execute function notify_teams(''team_id'')';
  execute 'create trigger hours_rules_notify_delete after delete on hours_rules referencing old table as old_rows
    for each statement execute function notify_teams(''team_id'')';
  execute format('create trigger hours_rules_files_insert after insert on hours_rules referencing new table as new_rows
    for each statement execute function note_file_change(%L, %L)', of_team, '{}');
  execute format('create trigger hours_rules_files_delete after delete on hours_rules referencing old table as old_rows
    for each statement execute function note_file_change(%L, %L)', of_team, '{}');
  -- The switch is in no file, and the team's zone is in one now.
  drop trigger hours_files_update on hours;
  execute format('create trigger hours_files_update after update on hours referencing new table as new_rows old table as old_rows
    for each statement execute function note_file_change(%L, %L)', of_team, '{position}');
  drop trigger teams_files_update on teams;
  execute format('create trigger teams_files_update after update on teams referencing new table as new_rows old table as old_rows
    for each statement execute function note_file_change(%L, %L)',
    ', lateral (select r.content->>''node'' as node) as t', '{name,phone_pin,hours_id}');
end $$;

alter table feature_codes drop constraint feature_codes_feature_known;
alter table feature_codes add constraint feature_codes_feature_known check (feature in
  ('sign-in', 'sign-out', 'pause', 'ready', 'work-mode', 'current-group', 'status', 'waiting', 'hours-switch'));
alter table destinations drop constraint destinations_to_feature_known;
alter table destinations add constraint destinations_to_feature_known check (to_feature in
  ('sign-in', 'sign-out', 'pause', 'ready', 'work-mode', 'current-group', 'status', 'waiting', 'hours-switch'));

create or replace function give_default_feature_codes() returns trigger language plpgsql as $$
begin
  insert into feature_codes (team_id, code, feature) values
    (new.id, '*64', 'sign-in'), (new.id, '*65', 'sign-out'), (new.id, '*66', 'pause'), (new.id, '*67', 'ready'),
    (new.id, '*62', 'work-mode'), (new.id, '*63', 'current-group'), (new.id, '*60', 'status'), (new.id, '*69', 'waiting'),
    (new.id, '*61', 'hours-switch');
  return null;
end $$;

-- Free: no code that *61 begins with, and nothing that begins with *61.
insert into feature_codes (team_id, code, feature)
  select t.id, '*61', 'hours-switch' from teams t where not exists (
    select from numbers n where n.team_id = t.id and (starts_with(n.number, '*61')
      or n.kind = 'feature-code' and starts_with('*61', n.number)));
`;

/** What stands in the way of it, for whoever migrates: a line for each team that has not got it. */
export const remarks = `
select format('team %s has %s already, so the new feature code *61 (the switch of hours) was not added: star64 feature-code add ''<code>'' --feature hours-switch --team %1$s adds one of your own',
  t.identity, (select string_agg(n.number, ', ' order by n.number) from numbers n where n.team_id = t.id
    and (starts_with(n.number, '*61') or n.kind = 'feature-code' and starts_with('*61', n.number)))) as remark
from teams t where not exists (select from feature_codes c where c.team_id = t.id and c.feature = 'hours-switch')
order by t.identity`;
