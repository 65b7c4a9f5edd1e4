/** Which generated files an Asterisk has been given, and which changes no generated file has yet. */
export const up = `
create table generations (
  node text not null,
  name text not null,
  made_at timestamptz not null default now(),
  constraint generations_pkey primary key (node, name)
);
comment on table generations is 'The last generations of files that were put in force for an Asterisk.';
comment on column generations.name is 'Names the content; the loaded dialplan has it as an extension of the context star64-generation.';

create table file_changes (
  id bigint generated always as identity constraint file_changes_pkey primary key,
  node text not null
);
create index file_changes_node_idx on file_changes (node);
comment on table file_changes is
  'Changes of what generated files are made of, until files are generated from a snapshot that has them. Rows are only added and taken away, so that commands and calls do not wait for each other.';

-- An update counts if it changes a column that is not named as one that no file has.
create function note_file_change() returns trigger language plpgsql as $$
declare
  ignored text[] := tg_argv[1]::text[];
begin
  execute format('insert into file_changes (node) select distinct t.node from (%s) as r %s',
    case tg_op
      when 'INSERT' then 'select id, to_jsonb(n) as content from new_rows n'
      when 'DELETE' then 'select id, to_jsonb(o) as content from old_rows o'
      else format('(select id, to_jsonb(n) - %1$L::text[] as content from new_rows n
          except select id, to_jsonb(o) - %1$L::text[] from old_rows o)
        union all (select id, to_jsonb(o) - %1$L::text[] as content from old_rows o
          except select id, to_jsonb(n) - %1$L::text[] from new_rows n)', ignored)
    end, tg_argv[0]);
  return null;
end $$;
comment on function note_file_change() is
  'Notes for which Asterisk a change of generated files is due. Arguments: how a row leads to its teams, and the columns that no file has.';

do $$
declare
  of_team constant text := 'join teams t on t.id = (r.content->>''team_id'')::integer';
  noun record;
  event record;
begin
  for noun in select * from (values
    ('teams', ', lateral (select r.content->>''node'' as node) as t', '{name,time_zone,phone_pin}'),
    ('extensions', of_team, '{user_id,agent_mode,endpoint_guarded}'),
    ('agent_groups', of_team,
      '{wrap_up_seconds,work_mode,sign_out_at,idle_sign_out_seconds,missed_limit,application,link}'),
    ('dids', of_team, '{}'),
    ('feature_codes', of_team, '{}'),
    ('trunks', 'join teams t on t.trunk_id = r.id
        or t.id = coalesce((r.content->>''team_id'')::integer, t.id)
          and ((r.content->>''trusted_caller_id'')::boolean or r.content->>''country'' is not null)', '{name}')
  ) as v (name, teams, ignored) loop
    for event in select * from (values
      ('insert', 'new table as new_rows'),
      ('update', 'new table as new_rows old table as old_rows'),
      ('delete', 'old table as old_rows')
    ) as v (name, rows) loop
      execute format('create trigger %I after %s on %I referencing %s for each statement
        execute function note_file_change(%L, %L)',
        noun.name || '_files_' || event.name, event.name, noun.name, event.rows, noun.teams, noun.ignored);
    end loop;
  end loop;
end $$;

-- The files of the version before this one are not what this one writes.
insert into file_changes (node) select distinct node from teams;
`;
