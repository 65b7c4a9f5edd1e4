/**
 * Agents and users log in to the HTTP API with a password (spec 28), and machines get tokens of administrators and tokens of
 * some groups. Wrong passwords are counted apart from wrong PINs. Dynamic agents sign in at the phone of their own
 * address (spec 22), for which the server that has the node's Asterisk is asked.
 */
export const up = `
alter table agents
  add column password_hash text,
  drop constraint agents_removed_has_no_pin,
  add constraint agents_removed_has_no_secret
    check (removed_at is null or (pin_hash is null and password_hash is null));
comment on column agents.password_hash is 'scrypt, as users.password_hash: for the HTTP API alone, no phone asks for it. Null: no login.';

alter table api_tokens
  drop constraint api_tokens_role_known,
  add constraint api_tokens_role_known check (role in ('reader', 'supervisor', 'administrator')),
  alter column name drop not null,
  alter column role drop not null,
  add column agent_id integer,
  add column user_id integer,
  add column limited boolean not null default false,
  add constraint api_tokens_team_id_id_key unique (team_id, id),
  add constraint api_tokens_agent_fkey foreign key (team_id, agent_id) references agents (team_id, id) on delete cascade,
  add constraint api_tokens_user_fkey foreign key (team_id, user_id) references users (team_id, id) on delete cascade,
  add constraint api_tokens_holder check (num_nonnulls(name, agent_id, user_id) = 1 and (name is null) = (role is null)),
  add constraint api_tokens_limited check (not limited or role in ('reader', 'supervisor')),
  add constraint api_tokens_login_ends check (name is not null or expires_at is not null);
create index api_tokens_agent_idx on api_tokens (team_id, agent_id) where agent_id is not null;
create index api_tokens_user_idx on api_tokens (team_id, user_id) where user_id is not null;
comment on table api_tokens is
  'Tokens of the HTTP API of a team: of programs, by name, also those that were revoked; of agents and users, each a login.';
comment on column api_tokens.role is
  'Of a program. reader: sees the team; supervisor: also does with agents and calls what star64 agent and star64 call do; '
  'administrator: also provisions. Null: of a person, whose rights are looked up with each request.';
comment on column api_tokens.limited is 'It sees and does only what belongs to its groups (api_token_groups), which may be none.';
comment on column api_tokens.expires_at is 'That of a login moves on while it is used.';

create table api_token_groups (
  team_id integer not null,
  token_id integer not null,
  group_id integer not null,
  constraint api_token_groups_pkey primary key (token_id, group_id),
  constraint api_token_groups_token_fkey foreign key (team_id, token_id) references api_tokens (team_id, id) on delete cascade,
  constraint api_token_groups_group_fkey foreign key (team_id, group_id) references agent_groups (team_id, id) on delete cascade
);
create index api_token_groups_token_idx on api_token_groups (team_id, token_id);
create index api_token_groups_group_idx on api_token_groups (team_id, group_id);
comment on table api_token_groups is 'The groups of a limited token.';

create table login_failures (
  door text not null constraint login_failures_door_known check (door in ('web')),
  team text not null,
  account text not null,
  address text not null,
  failures integer not null,
  failed_at timestamptz not null,
  locked_until timestamptz,
  constraint login_failures_pkey primary key (door, team, account, address),
  constraint login_failures_about check (account <> '' or address <> '')
);
create index login_failures_failed_idx on login_failures (failed_at);
comment on table login_failures is
  'Wrong passwords in a row, apart from wrong PINs (sign_in_failures). Names are as they were typed, of whom there need be nobody: '
  'a guess at an account that does not exist is counted like any other, so that nobody learns which exist.';
comment on column login_failures.door is 'Where: a lock of one door is none of another.';
comment on column login_failures.account is '"agent 1001" or "user anna" from an address, or, without address, from wherever.';
comment on column login_failures.address is 'Without account (and team): whatever account was tried from it.';

create table phone_questions (
  id bigint generated always as identity primary key,
  team_id integer not null,
  agent_id integer not null,
  node text not null constraint phone_questions_node_fkey references nodes on update cascade on delete cascade,
  asked_at timestamptz not null default clock_timestamp(),
  expires_at timestamptz not null,
  phones jsonb,
  constraint phone_questions_agent_fkey foreign key (team_id, agent_id) references agents (team_id, id) on delete cascade
);
create index phone_questions_agent_idx on phone_questions (team_id, agent_id);
create index phone_questions_node_idx on phone_questions (node, id);
comment on table phone_questions is
  'From where the phones of an agent have registered, asked of the server that leads the node, which asks Asterisk at that moment: '
  'nothing is kept of registrations, of which there are as many as there are phones, every few minutes. Who asked takes the row away.';
comment on column phone_questions.phones is 'The answer: the addresses of each extension of the agent''s user that is registered.';
create function tell_phone_question() returns trigger language plpgsql as $$
begin
  perform pg_notify('star64_phone_questions', new.node);
  return null;
end $$;
create trigger phone_questions_tell after insert on phone_questions for each row execute function tell_phone_question();

do $$
declare
  fixed constant text := 'join teams t on t.id = (r.content->>''team_id'')::integer and r.content->>''extension_id'' is not null';
  event record;
begin
  for event in select * from (values
    ('insert', 'new table as new_rows'),
    ('update', 'new table as new_rows old table as old_rows'),
    ('delete', 'old table as old_rows')
  ) as v (name, rows) loop
    execute format('drop trigger agents_files_%1$s on agents', event.name);
    -- A password is in no file.
    execute format('create trigger agents_files_%1$s after %1$s on agents referencing %2$s for each statement
      execute function note_file_change(%3$L, %4$L)', event.name, event.rows, fixed, '{user_id,pin_hash,password_hash}');
  end loop;
end $$;
`;
