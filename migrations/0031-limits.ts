/**
 * Limits of calls to the outside per team, user group and extension, so that a stolen password does not cost a fortune. What
 * is made from now on has some; what is there already has none until somebody says so.
 */
export const up = `
do $$
declare
  owner text;
begin
  foreach owner in array array['teams', 'user_groups', 'extensions'] loop
    execute format('alter table %I
      add column calls_at_once integer constraint %1$s_calls_at_once_range check (calls_at_once between 1 and 10000),
      add column calls_per_hour integer constraint %1$s_calls_per_hour_range check (calls_per_hour between 0 and 1000000),
      add column calls_per_day integer constraint %1$s_calls_per_day_range check (calls_per_day between 0 and 1000000),
      add column minutes_per_hour integer
        constraint %1$s_minutes_per_hour_range check (minutes_per_hour between 0 and 1000000),
      add column minutes_per_day integer
        constraint %1$s_minutes_per_day_range check (minutes_per_day between 0 and 1000000)', owner);
    execute format('comment on column %I.calls_at_once is %L', owner,
      'The most calls to the outside at a time, counted in Asterisk; null: any number.');
    execute format('comment on column %I.calls_per_hour is %L', owner,
      'The most calls to the outside in any 60 minutes; null: any number. Emergency calls never count.');
    execute format('comment on column %I.calls_per_day is %L', owner, 'The same from midnight to midnight of the team.');
    execute format('comment on column %I.minutes_per_hour is %L', owner,
      'Minutes of talk in any 60 minutes after which no further call to the outside begins; null: any number.');
    execute format('comment on column %I.minutes_per_day is %L', owner, 'The same from midnight to midnight of the team.');
  end loop;
end $$;

-- Defaults of columns that are there already: they hold for new rows only.
alter table teams
  alter column calls_at_once set default 100,
  alter column calls_per_hour set default 2000,
  alter column calls_per_day set default 10000,
  add column night_share integer constraint teams_night_share_range check (night_share between 0 and 100),
  add column night text constraint teams_night_form
    check (night ~ '^([01][0-9]|2[0-3]):[0-5][0-9]-([01][0-9]|2[0-3]):[0-5][0-9]$' and left(night, 5) <> right(night, 5)),
  add column night_hours_id integer,
  add constraint teams_night_hours_fkey foreign key (id, night_hours_id) references hours (team_id, id) on delete restrict;
create index teams_night_hours_idx on teams (id, night_hours_id) where night_hours_id is not null;
comment on column teams.night_share is
  'How much of every limit of the team, its user groups and extensions may be used at night, in per cent; null: all of it.';
comment on column teams.night is 'Night for night_share, 20:00-06:00 in the time zone of the team.';
comment on column teams.night_hours_id is 'It is also night for night_share while these hours are closed.';
alter table extensions
  alter column calls_at_once set default 5,
  alter column calls_per_hour set default 120,
  alter column calls_per_day set default 600,
  alter column minutes_per_day set default 600;

-- What is counted by servers stands in no generated file. Calls at a time are counted in Asterisk.
do $$
declare
  found record;
begin
  for found in
    select tgname, tgrelid::regclass as owner, pg_get_triggerdef(oid) as definition from pg_trigger
    where tgrelid in ('teams'::regclass, 'extensions'::regclass, 'user_groups'::regclass) and tgname like '%\\_files\\_update'
  loop
    execute format('drop trigger %I on %s', found.tgname, found.owner);
    execute replace(regexp_replace(found.definition, '''{([^{}]*)}''\\)$',
      '''{\\1,calls_per_hour,calls_per_day,minutes_per_hour,minutes_per_day,night_share,night,night_hours_id}'')'), '{,', '{');
  end loop;
end $$;

create table limits_reached (
  id bigint generated always as identity primary key,
  team_id integer not null references teams on delete cascade,
  of text not null constraint limits_reached_of_known check (of in ('team', 'user-group', 'extension')),
  name text not null,
  "limit" text not null,
  most integer not null,
  at_night boolean not null default false,
  reached_at timestamptz not null,
  last_at timestamptz not null,
  refused integer not null,
  over_at timestamptz
);
create unique index limits_reached_open_key on limits_reached (team_id, of, name, "limit") where over_at is null;
create index limits_reached_team_idx on limits_reached (team_id);
create index limits_reached_over_idx on limits_reached (over_at) where over_at is not null;
comment on table limits_reached is
  'Each time that a limit has stopped calls to the outside, from the first call refused until there is room again.';
comment on column limits_reached.name is 'Of the team, user group or extension then; limit: calls-per-hour and so on.';
comment on column limits_reached.refused is 'How many calls were refused, the last one at last_at.';
comment on column limits_reached.over_at is 'When calls were let out again; null: the limit is reached still.';

create function tell_limit() returns trigger language plpgsql as $$
declare
  told json;
begin
  select json_build_object('id', 'limit-' || new.id || case when new.over_at is null then '' else '-over' end,
    'team', t.identity, 'of', new.of, 'name', new.name, 'limit', new."limit", 'most', new.most, 'at_night', new.at_night,
    'reached', new.reached_at, 'refused', new.refused)
  into told from teams t where t.id = new.team_id;
  perform write_event(new.team_id, 'limit-' || new.id, case when new.over_at is null then 'limit.reached' else 'limit.over' end,
    coalesce(new.over_at, new.reached_at), told);
  return null;
end $$;
create trigger limits_reached_tell after insert on limits_reached for each row execute function tell_limit();
create trigger limits_reached_tell_end after update of over_at on limits_reached for each row
  when (old.over_at is null and new.over_at is not null) execute function tell_limit();
`;
