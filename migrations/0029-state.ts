/** Agents in calls that no queue gives them: which kind of call it is, the pause that it interrupts, what their group says of it. */
export const up = `
alter table agent_groups add column direct_calls text not null default 'none'
  constraint agent_groups_direct_calls_known check (direct_calls in ('none', 'talking', 'wrap-up'));
comment on column agent_groups.direct_calls is
  'What calls to and from the phone of whoever has it as current group do to them, that neither a queue gives them nor lead '
  'outside: nothing, make them talking, or have its wrap-up after them, too.';

alter table agent_states
  add column call_kind text constraint agent_states_call_kind_known check (call_kind in ('out', 'direct', 'internal')),
  add column interrupts bigint;
comment on column agent_states.call_kind is
  'Whether it is a call to the outside, from there to the phone, or between phones of the team. Null: a queue''s, or none at all.';
comment on column agent_states.interrupts is
  'The interval of the pause that the call interrupts; a pause of the same reason follows. In Asterisk it goes on all the while.';
comment on column agent_states.offer_id is
  'Uniqueid of the channel of the agent''s phone: that of the queue''s offer, or of any other call that it has.';

create or replace function tell_agent_state() returns trigger language plpgsql as $$
declare
  -- What the two tables have in common: a state that has begun, or the end of a sign-in.
  ends boolean := tg_table_name = 'sign_ins';
  entered integer;
  call text;
  told json;
begin
  if ends then entered := new.id; else entered := new.sign_in_id; call := new.call_uniqueid; end if;
  select json_build_object(
    'id', case when ends then 'sign-out-' else 'state-' end || new.id,
    'team', t.identity, 'agent', a.number, 'name', u.name, 'extension', x.number,
    'state', case when ends then 'signed-out' else to_json(new) ->> 'state' end,
    'previous_state', coalesce(p.state::text, 'signed-out'), 'previous_since', p.started_at,
    'reason', to_json(new) -> 'reason', 'until', to_json(new) -> 'deadline_at', 'group', g.name,
    'call', call, 'caller', c.caller, 'call_kind', case when not ends and to_json(new) ->> 'state' in ('ringing', 'talking', 'wrap-up')
      then coalesce(to_json(new) ->> 'call_kind', 'queue') end,
    'by', case when ends then i.signed_out_by when p.state is null then i.signed_in_by end)
  into told
  from sign_ins i
  join teams t on t.id = i.team_id
  join agents a on a.id = i.agent_id
  join users u on u.id = a.user_id
  join extensions x on x.id = i.extension_id
  left join agent_groups g on g.id = (to_json(new) ->> 'group_id')::integer
  left join calls c on c.node = t.node and c.uniqueid = call and c.team_id = i.team_id
  left join lateral (
    select s.state, s.started_at from agent_states s
    where s.sign_in_id = entered and (ends or s.id < new.id) order by s.id desc limit 1) p on true
  where i.id = entered;
  if ends then
    perform write_event(new.team_id, 'agent-' || new.agent_id, 'agent.state', new.signed_out_at, told);
  else
    perform write_event(new.team_id, 'agent-' || new.agent_id, 'agent.state', new.started_at, told);
  end if;
  return null;
end $$;
`;
