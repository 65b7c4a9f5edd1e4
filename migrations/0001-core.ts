/**
 * Teams and what they own, who is signed in where, which state every agent was in, and every call.
 * Three rules live here rather than in code: a reference never crosses a team (composite foreign keys on
 * `(team_id, id)`), a number that a phone can dial means one thing in a team (table `numbers`), and an agent or
 * an extension has at most one open sign-in (partial unique indexes).
 */
export const up = `
create type extension_kind as enum ('sip', 'phone');
create type agent_kind as enum ('fixed', 'adaptive', 'dynamic');
create type wrap_up_mode as enum ('ring', 'answer', 'off');
create type queue_strategy as enum
  ('ringall', 'leastrecent', 'fewestcalls', 'random', 'rrmemory', 'rrordered', 'linear', 'wrandom');
create type agent_state as enum ('idle', 'ringing', 'talking', 'wrap-up', 'paused');
create type number_kind as enum ('extension', 'queue');
create type call_outcome as enum ('answered', 'abandoned', 'unanswered', 'lost');

create table teams (
  id integer generated always as identity primary key,
  identity text not null constraint teams_identity_form check (identity ~ '^[a-z][a-z0-9]{1,19}$'),
  name text not null,
  created_at timestamptz not null default now(),
  constraint teams_identity_key unique (identity)
);
comment on table teams is 'A team is a system of its own; nothing in it refers to another team.';
comment on column teams.identity is 'First word of every name that reaches Asterisk, for example astercc-5000. Never changes.';

create table users (
  id integer generated always as identity primary key,
  team_id integer references teams on delete restrict,
  username text not null constraint users_username_form check (username ~ '^[a-z0-9][a-z0-9._@-]{0,63}$'),
  name text not null,
  password_hash text,
  administrator boolean not null default false,
  created_at timestamptz not null default now(),
  constraint users_team_id_id_key unique (team_id, id),
  constraint users_administrator_has_team check (not administrator or team_id is not null)
);
create unique index users_username_in_team_key on users (team_id, username) where team_id is not null;
create unique index users_username_in_system_key on users (username) where team_id is null;
create unique index users_one_administrator_key on users (team_id) where administrator;
comment on table users is 'A login and billing unit, of the system (no team) or of one team.';
comment on column users.password_hash is 'scrypt$N$r$p$salt$hash; null: no login.';
comment on column users.administrator is 'The single administrator of the team.';

create table extensions (
  id integer generated always as identity primary key,
  team_id integer not null references teams on delete restrict,
  number text not null constraint extensions_number_form check (number ~ '^[0-9]{2,10}$'),
  user_id integer not null,
  kind extension_kind not null default 'sip',
  secret text,
  telephone_number text constraint extensions_telephone_number_form check (telephone_number ~ '^[+]?[0-9]{2,20}$'),
  created_at timestamptz not null default now(),
  constraint extensions_team_id_id_key unique (team_id, id),
  constraint extensions_number_key unique (team_id, number),
  constraint extensions_user_fkey foreign key (team_id, user_id) references users (team_id, id) on delete restrict,
  constraint extensions_kind_fields check
    (case kind when 'sip' then secret is not null and telephone_number is null
               else secret is null and telephone_number is not null end)
);
create index extensions_user_idx on extensions (user_id);
comment on table extensions is 'A SIP device that registers as <team>-<number>, or a telephone number.';
comment on column extensions.secret is
  'SIP secret in clear: devices are provisioned with it and other digest algorithms need it. Generated files carry a digest only.';

create table agents (
  id integer generated always as identity primary key,
  team_id integer not null references teams on delete restrict,
  number text not null constraint agents_number_form check (number ~ '^[0-9]{1,10}$'),
  user_id integer not null,
  kind agent_kind not null default 'adaptive',
  extension_id integer,
  created_at timestamptz not null default now(),
  constraint agents_team_id_id_key unique (team_id, id),
  constraint agents_number_key unique (team_id, number),
  constraint agents_user_fkey foreign key (team_id, user_id) references users (team_id, id) on delete restrict,
  constraint agents_extension_fkey foreign key (team_id, extension_id) references extensions (team_id, id) on delete restrict,
  constraint agents_fixed_has_extension check ((kind = 'fixed') = (extension_id is not null))
);
create index agents_user_idx on agents (user_id);
create unique index agents_fixed_extension_key on agents (extension_id) where extension_id is not null;
comment on table agents is 'Who takes queue calls. The number is keyed after *64 and is the member name in every queue.';
comment on column agents.extension_id is 'The only phone of a fixed agent.';

create table agent_groups (
  id integer generated always as identity primary key,
  team_id integer not null references teams on delete restrict,
  name text not null constraint agent_groups_name_form check (name ~ '^[a-z][a-z0-9_]{0,31}$'),
  number text constraint agent_groups_number_form check (number ~ '^[0-9]{2,10}$'),
  strategy queue_strategy not null default 'rrmemory',
  ring_seconds integer not null default 15 constraint agent_groups_ring_seconds_range check (ring_seconds between 3 and 300),
  wrap_up_mode wrap_up_mode not null default 'answer',
  wrap_up_seconds integer not null default 30 constraint agent_groups_wrap_up_seconds_range check (wrap_up_seconds between 0 and 86400),
  created_at timestamptz not null default now(),
  leaving_since timestamptz,
  constraint agent_groups_team_id_id_key unique (team_id, id),
  constraint agent_groups_name_key unique (team_id, name),
  constraint agent_groups_number_key unique (team_id, number)
);
comment on table agent_groups is 'An agent group is one Asterisk queue, <team>-<name>.';
comment on column agent_groups.wrap_up_mode is 'After which offers wrap-up begins: any that rang, answered ones, none.';
comment on column agent_groups.wrap_up_seconds is 'Longest wrap-up in seconds; 0: until the agent ends it.';
comment on column agent_groups.leaving_since is
  'Removed, but still generated: a queue that leaves the file orphans its callers. Deleted once it is empty in Asterisk.';

create table agent_group_members (
  team_id integer not null,
  group_id integer not null,
  agent_id integer not null,
  position integer not null default 1,
  penalty integer not null default 0 constraint agent_group_members_penalty_range check (penalty between 0 and 1000),
  primary key (group_id, agent_id),
  constraint agent_group_members_group_fkey foreign key (team_id, group_id) references agent_groups (team_id, id) on delete restrict,
  constraint agent_group_members_agent_fkey foreign key (team_id, agent_id) references agents (team_id, id) on delete cascade
);
create index agent_group_members_agent_idx on agent_group_members (agent_id);
comment on table agent_group_members is 'Which agents take the calls of which groups.';
comment on column agent_group_members.position is 'Order of the agent''s groups; the lowest is the current group at sign-in.';

create table dids (
  id integer generated always as identity primary key,
  team_id integer not null references teams on delete restrict,
  number text not null constraint dids_number_form check (number ~ '^[+]?[0-9]{2,20}$'),
  group_id integer,
  extension_id integer,
  created_at timestamptz not null default now(),
  constraint dids_number_key unique (number),
  constraint dids_group_fkey foreign key (team_id, group_id) references agent_groups (team_id, id) on delete restrict,
  constraint dids_extension_fkey foreign key (team_id, extension_id) references extensions (team_id, id) on delete restrict,
  constraint dids_one_destination check (num_nonnulls(group_id, extension_id) = 1)
);
create index dids_group_idx on dids (group_id);
create index dids_extension_idx on dids (extension_id);
comment on table dids is 'A number of the public network and where its calls go. Unique over all teams: it exists once in the world.';

create table numbers (
  team_id integer not null references teams on delete cascade,
  number text not null,
  kind number_kind not null,
  constraint numbers_pkey primary key (team_id, number)
);
comment on table numbers is 'Every number that a phone of a team can dial; kept by triggers so that no number means two things.';

create function keep_number() returns trigger language plpgsql as $$
begin
  if tg_op <> 'INSERT' and old.number is not null then
    delete from numbers where team_id = old.team_id and number = old.number and kind = tg_argv[0]::number_kind;
  end if;
  if tg_op <> 'DELETE' and new.number is not null then
    insert into numbers (team_id, number, kind) values (new.team_id, new.number, tg_argv[0]::number_kind);
  end if;
  return null;
end $$;
create trigger extensions_keep_number after insert or delete or update of team_id, number on extensions
  for each row execute function keep_number('extension');
create trigger agent_groups_keep_number after insert or delete or update of team_id, number on agent_groups
  for each row execute function keep_number('queue');

create function check_agent_has_group() returns trigger language plpgsql as $$
declare
  checked integer;
begin
  if tg_table_name = 'agents' then checked := new.id; else checked := old.agent_id; end if;
  if exists (select from agents where id = checked)
    and not exists (select from agent_group_members where agent_id = checked) then
    raise exception 'agent % is in no agent group', checked
      using errcode = 'check_violation', constraint = 'agents_in_a_group', table = 'agents';
  end if;
  return null;
end $$;
create constraint trigger agents_in_a_group after insert on agents
  deferrable initially deferred for each row execute function check_agent_has_group();
create constraint trigger agent_group_members_keep_one after delete or update of agent_id on agent_group_members
  deferrable initially deferred for each row execute function check_agent_has_group();

create table sign_ins (
  id integer generated always as identity primary key,
  team_id integer not null,
  agent_id integer not null,
  extension_id integer not null,
  current_group_id integer,
  signed_in_at timestamptz not null default clock_timestamp(),
  signed_in_by text,
  signed_out_at timestamptz,
  signed_out_by text,
  constraint sign_ins_team_id_id_key unique (team_id, id),
  constraint sign_ins_agent_fkey foreign key (team_id, agent_id) references agents (team_id, id) on delete cascade,
  constraint sign_ins_extension_fkey foreign key (team_id, extension_id) references extensions (team_id, id) on delete cascade,
  constraint sign_ins_group_fkey foreign key (team_id, current_group_id) references agent_groups (team_id, id)
    on delete set null (current_group_id),
  constraint sign_ins_order check (signed_out_at >= signed_in_at)
);
create unique index sign_ins_open_agent_key on sign_ins (agent_id) where signed_out_at is null;
create unique index sign_ins_open_extension_key on sign_ins (extension_id) where signed_out_at is null;
create index sign_ins_agent_idx on sign_ins (agent_id, signed_in_at);
create index sign_ins_extension_idx on sign_ins (extension_id, signed_in_at);
comment on table sign_ins is 'An agent at a phone, from sign-in to sign-out. Queue members are a projection of the open ones.';
comment on column sign_ins.signed_in_by is 'What did it: the uniqueid of the call, or the name of the command. A question asked twice is recognised by it.';
comment on column sign_ins.signed_out_by is 'As signed_in_by.';

create table calls (
  id bigint generated always as identity primary key,
  team_id integer not null references teams on delete restrict,
  uniqueid text not null,
  did text,
  caller text,
  group_id integer,
  extension_id integer,
  agent_id integer,
  arrived_at timestamptz not null default clock_timestamp(),
  queued_at timestamptz,
  answered_at timestamptz,
  ended_at timestamptz,
  outcome call_outcome,
  constraint calls_uniqueid_key unique (uniqueid),
  constraint calls_team_id_id_key unique (team_id, id),
  constraint calls_group_fkey foreign key (team_id, group_id) references agent_groups (team_id, id) on delete set null (group_id),
  constraint calls_extension_fkey foreign key (team_id, extension_id) references extensions (team_id, id) on delete set null (extension_id),
  constraint calls_agent_fkey foreign key (team_id, agent_id) references agents (team_id, id) on delete set null (agent_id)
);
create index calls_team_arrived_idx on calls (team_id, arrived_at);
create index calls_open_idx on calls (id) where ended_at is null;
comment on table calls is 'One row for each call that came in for a team.';
comment on column calls.uniqueid is 'Asterisk''s uniqueid of the caller''s channel.';
comment on column calls.caller is 'The caller''s number as the trunk gave it: attacker''s input, only ever shown.';
comment on column calls.outcome is 'lost: the end was not seen, because nobody watched when it came.';

create table agent_states (
  id bigint generated always as identity primary key,
  team_id integer not null,
  agent_id integer not null,
  sign_in_id integer not null,
  state agent_state not null,
  reason text,
  token text,
  call_uniqueid text,
  group_id integer,
  started_at timestamptz not null default clock_timestamp(),
  ended_at timestamptz,
  deadline_at timestamptz,
  constraint agent_states_sign_in_fkey foreign key (team_id, sign_in_id) references sign_ins (team_id, id) on delete cascade,
  constraint agent_states_agent_fkey foreign key (team_id, agent_id) references agents (team_id, id) on delete cascade,
  constraint agent_states_group_fkey foreign key (team_id, group_id) references agent_groups (team_id, id) on delete set null (group_id),
  constraint agent_states_order check (ended_at >= started_at)
);
create unique index agent_states_open_key on agent_states (sign_in_id) where ended_at is null;
create index agent_states_deadline_idx on agent_states (deadline_at) where ended_at is null and deadline_at is not null;
create index agent_states_agent_idx on agent_states (agent_id, started_at);
create index agent_states_sign_in_idx on agent_states (sign_in_id, id);
comment on table agent_states is 'Every state a signed-in agent is in, as an interval without gaps. Reports are sums over it.';
comment on column agent_states.token is 'Names one offer (the uniqueid of the member''s channel); the pause of a wrap-up carries it in Asterisk.';
comment on column agent_states.deadline_at is 'When a server ends this state. Null: only the agent does.';

create table watchers (
  node text primary key,
  holder text not null,
  expires_at timestamptz not null
);
comment on table watchers is
  'Which server follows the events of an Asterisk node. A lease, not an advisory lock: a server that hangs keeps its connection.';

create function notify_provisioning() returns trigger language plpgsql as $$
begin
  notify star64_provisioning;
  return null;
end $$;
create trigger teams_notify after insert or update or delete on teams for each statement execute function notify_provisioning();
create trigger extensions_notify after insert or update or delete on extensions for each statement execute function notify_provisioning();
create trigger agent_groups_notify after insert or update or delete on agent_groups for each statement execute function notify_provisioning();
create trigger agents_notify after insert or update or delete on agents for each statement execute function notify_provisioning();
create trigger agent_group_members_notify after insert or update or delete on agent_group_members
  for each statement execute function notify_provisioning();
create trigger dids_notify after insert or update or delete on dids for each statement execute function notify_provisioning();

insert into teams (identity, name) values ('astercc', 'astercc');
`;
