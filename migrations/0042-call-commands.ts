/**
 * Commands to a call from outside it: a row that the server which leads the node claims once, and that nobody carries out
 * after it has expired.
 */
export const up = `
create table call_commands (
  id bigint generated always as identity primary key,
  team_id integer not null,
  node text not null constraint call_commands_node_fkey references nodes on update cascade on delete restrict,
  call_id bigint not null,
  kind text not null constraint call_commands_kind_known check (kind in ('hangup', 'transfer', 'hold', 'consult', 'conference')),
  arguments jsonb not null default '{}',
  given_by text not null,
  given_at timestamptz not null default clock_timestamp(),
  expires_at timestamptz not null,
  claimed_by text,
  claimed_at timestamptz,
  finished_at timestamptz,
  result text constraint call_commands_result_known check (result in ('done', 'refused', 'expired', 'unknown')),
  reason text,
  constraint call_commands_call_fkey foreign key (team_id, call_id) references calls (team_id, id) on delete cascade,
  constraint call_commands_claim check ((claimed_by is null) = (claimed_at is null)),
  constraint call_commands_end check ((finished_at is null) = (result is null))
);
create index call_commands_call_idx on call_commands (team_id, call_id);
create index call_commands_node_idx on call_commands (node, given_at);
create index call_commands_open_idx on call_commands (node, id) where result is null;
comment on table call_commands is 'Each command to a call, what became of it, and who gave it.';
comment on column call_commands.expires_at is 'Who has not claimed it by then never carries it out.';
comment on column call_commands.claimed_by is 'The server that carries it out, by its name among those of the node; null: nobody yet.';
comment on column call_commands.result is
  'done; refused, with the reason; expired: no server claimed it in time; unknown: the server that had claimed it ended before it '
  'said what became of it. Nobody tries a second time.';

alter table nodes add column manager_lacks text[] not null default '{}';
comment on column nodes.manager_lacks is
  'Classes of write= in manager.conf that the user of the servers lacks for commands to calls, and for callbacks, as the leader has found.';

create function tell_call_command() returns trigger language plpgsql as $$
begin
  perform pg_notify('star64_call_commands', new.node);
  return null;
end $$;
create trigger call_commands_tell after insert on call_commands for each row execute function tell_call_command();
`;
