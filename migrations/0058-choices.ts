/**
 * What an agent has chosen is told to followers: the work mode (`*62`) and the current group (`*63`), by whatever way they
 * were changed, within a sign-in. A trigger of a row's change: nothing of the tables is looked through.
 */
export const up = `
create function tell_choice() returns trigger language plpgsql as $$
declare
  who jsonb;
begin
  select jsonb_build_object('team', t.identity, 'agent', a.number, 'name', u.name, 'extension', x.number) into who
  from teams t join agents a on a.id = new.agent_id join users u on u.id = a.user_id join extensions x on x.id = new.extension_id
  where t.id = new.team_id;
  if who is null then
    return null;
  end if;
  if old.work_mode <> new.work_mode then
    perform write_event(new.team_id, 'agent-' || new.agent_id, 'agent.work_mode_changed', clock_timestamp(),
      (who || jsonb_build_object('id', 'work-mode-' || new.id || '-' || pg_current_xact_id(),
        'work_mode', new.work_mode, 'previous_work_mode', old.work_mode))::json);
  end if;
  if old.current_group_id is distinct from new.current_group_id then
    perform write_event(new.team_id, 'agent-' || new.agent_id, 'agent.group_changed', clock_timestamp(),
      (who || jsonb_build_object('id', 'current-group-' || new.id || '-' || pg_current_xact_id(),
        'group', (select g.name from agent_groups g where g.id = new.current_group_id),
        'previous_group', (select g.name from agent_groups g where g.id = old.current_group_id)))::json);
  end if;
  return null;
end $$;
comment on function tell_choice() is 'Of one who is signed in: what they begin with is in the state of the agent, and no change.';
create trigger sign_ins_tell_choice after update of work_mode, current_group_id on sign_ins for each row
  when (new.signed_out_at is null
    and (old.work_mode <> new.work_mode or old.current_group_id is distinct from new.current_group_id))
  execute function tell_choice();
`;
