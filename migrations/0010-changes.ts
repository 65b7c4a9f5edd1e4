/**
 * A change of provisioning tells its table and its team, so that a server reads again only what has changed. Where
 * something is told without them, as by a trigger that executes notify_provisioning, everything is read.
 */
export const up = `
create function notify_teams() returns trigger language plpgsql as $$
declare
  changed text := case tg_op when 'INSERT' then 'new_rows' when 'DELETE' then 'old_rows'
    else '(select * from new_rows union all select * from old_rows) as r' end;
  team integer;
begin
  for team in execute format('select distinct %I from %s', tg_argv[0], changed) loop
    perform pg_notify('star64_provisioning', tg_table_name || ' ' || team);
  end loop;
  return null;
end $$;
comment on function notify_teams() is
  'Tells the servers which table of which teams has changed. Its argument is the column with the id of the team.';

do $$
declare
  noun text;
begin
  foreach noun in array array['teams', 'extensions', 'agent_groups', 'agents', 'agent_group_members', 'dids',
    'feature_codes', 'trunks'] loop
    execute format('drop trigger %I on %I', noun || '_notify', noun);
    execute format('create trigger %1$I after insert on %2$I referencing new table as new_rows
      for each statement execute function notify_teams(%3$L)',
      noun || '_notify_insert', noun, case noun when 'teams' then 'id' else 'team_id' end);
    execute format('create trigger %1$I after update on %2$I referencing new table as new_rows old table as old_rows
      for each statement execute function notify_teams(%3$L)',
      noun || '_notify_update', noun, case noun when 'teams' then 'id' else 'team_id' end);
    execute format('create trigger %1$I after delete on %2$I referencing old table as old_rows
      for each statement execute function notify_teams(%3$L)',
      noun || '_notify_delete', noun, case noun when 'teams' then 'id' else 'team_id' end);
  end loop;
end $$;
`;
