/** What an agent keys within a call: each team has all of them, may change or disable each, and none begins another. */
export const up = `
-- The keys of a team as stretches of one line: a digit to the base of 13 for each of 0 to 9, * and #, none before them all. What
-- begins with another lies in its stretch. Five keys and any team fit into a bigint.
create function call_keys_range(team integer, keys text) returns int8range
  language sql immutable strict parallel safe as $$
  with places as (
    select sum(strpos('0123456789*#', substr(keys, n, 1)) * (13 ^ (5 - n))::bigint)::bigint as lowest
    from generate_series(1, length(keys)) n
  )
  select int8range(team * 371293::bigint + lowest, team * 371293::bigint + lowest + (13 ^ (5 - length(keys)))::bigint)
  from places
$$;

create table call_keys (
  id integer generated always as identity primary key,
  team_id integer not null references teams on delete cascade,
  created_at timestamptz not null default now(),
  action text not null constraint call_keys_action_known check (action in
    ('transfer', 'consult', 'conference', 'back', 'swap', 'complete', 'hold', 'record', 'drop', 'end')),
  keys text not null constraint call_keys_keys_form check (keys ~ '^[*#][0-9*#]{1,4}$'),
  enabled boolean not null default true,
  constraint call_keys_action_key unique (team_id, action),
  constraint call_keys_space exclude using gist (call_keys_range(team_id, keys) with &&) where (enabled)
);
comment on table call_keys is 'What agents of a team key within a call, and what follows. Each team has each action once.';
comment on constraint call_keys_space on call_keys is 'Of the keys of a team that are enabled none begins another.';

create function give_default_call_keys() returns trigger language plpgsql as $$
begin
  insert into call_keys (team_id, action, keys) values
    (new.id, 'transfer', '*1'), (new.id, 'consult', '*2'), (new.id, 'conference', '*3'), (new.id, 'back', '*4'),
    (new.id, 'swap', '*5'), (new.id, 'complete', '*6'), (new.id, 'hold', '*7'), (new.id, 'record', '*8'),
    (new.id, 'drop', '*9'), (new.id, 'end', '*0');
  return null;
end $$;
create trigger teams_call_keys after insert on teams for each row execute function give_default_call_keys();
insert into call_keys (team_id, action, keys)
  select t.id, d.action, d.keys from teams t, (values ('transfer', '*1'), ('consult', '*2'), ('conference', '*3'),
    ('back', '*4'), ('swap', '*5'), ('complete', '*6'), ('hold', '*7'), ('record', '*8'), ('drop', '*9'), ('end', '*0'))
    as d (action, keys) order by t.id, d.keys;

do $$
declare
  event record;
begin
  for event in select * from (values
    ('insert', 'new table as new_rows'),
    ('update', 'new table as new_rows old table as old_rows'),
    ('delete', 'old table as old_rows')
  ) as v (name, rows) loop
    execute format('create trigger call_keys_notify_%1$s after %1$s on call_keys referencing %2$s for each statement
      execute function notify_teams(''team_id'')', event.name, event.rows);
    execute format('create trigger call_keys_files_%1$s after %1$s on call_keys referencing %2$s for each statement
      execute function note_file_change(''join teams t on t.id = (r.content->>''''team_id'''')::integer'', ''{}'')',
      event.name, event.rows);
  end loop;
end $$;
`;
