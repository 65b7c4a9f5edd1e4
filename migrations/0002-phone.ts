/**
 * What an agent can do at the telephone beyond signing in: feature codes and pause reasons of each team, work modes,
 * a phone PIN, and signing out by itself at the end of a shift.
 */
export const up = `
create type work_mode as enum ('all', 'inbound', 'outbound');
create type group_work_mode as enum ('all', 'inbound', 'outbound', 'choice');
create type feature as enum ('sign-in', 'sign-out', 'pause', 'ready', 'work-mode', 'current-group', 'status');
create type pause_end as enum ('ready', 'sign-out');

-- A text rather than a type: a new value of a type cannot be used in the transaction that adds it.
drop trigger extensions_keep_number on extensions;
drop trigger agent_groups_keep_number on agent_groups;
alter table numbers alter column kind type text;
alter table numbers add constraint numbers_kind_known check (kind in ('extension', 'queue', 'feature-code'));
drop type number_kind;

create or replace function keep_number() returns trigger language plpgsql as $$
begin
  if tg_op <> 'INSERT' then
    delete from numbers where team_id = old.team_id and number = to_jsonb(old) ->> tg_argv[1] and kind = tg_argv[0];
  end if;
  if tg_op <> 'DELETE' then
    insert into numbers (team_id, number, kind)
    select new.team_id, to_jsonb(new) ->> tg_argv[1], tg_argv[0] where to_jsonb(new) ->> tg_argv[1] is not null;
  end if;
  return null;
end $$;
create trigger extensions_keep_number after insert or delete or update of team_id, number on extensions
  for each row execute function keep_number('extension', 'number');
create trigger agent_groups_keep_number after insert or delete or update of team_id, number on agent_groups
  for each row execute function keep_number('queue', 'number');

create function check_code_prefix() returns trigger language plpgsql as $$
begin
  -- One at a time for a team: two numbers added in the same moment must see each other.
  perform from teams where id = new.team_id for no key update;
  if exists (select from numbers n where n.team_id = new.team_id and n.number <> new.number and (
      (n.kind = 'feature-code' and starts_with(new.number, n.number))
      or (new.kind = 'feature-code' and starts_with(n.number, new.number)))) then
    raise exception 'number % begins with a feature code, or is a feature code with which another number begins', new.number
      using errcode = 'unique_violation', constraint = 'numbers_code_prefix', table = 'numbers';
  end if;
  return null;
end $$;
create trigger numbers_check_code_prefix after insert or update on numbers
  for each row execute function check_code_prefix();

create table feature_codes (
  team_id integer not null references teams on delete cascade,
  code text not null constraint feature_codes_code_form check (code ~ '^[*]{0,2}[0-9]{1,6}$'),
  feature feature not null,
  constraint feature_codes_pkey primary key (team_id, code)
);
comment on table feature_codes is
  'What the phones of a team dial for what; digits may follow the code. Two codes for one feature are aliases, none disables it.';
create trigger feature_codes_keep_number after insert or delete or update of team_id, code on feature_codes
  for each row execute function keep_number('feature-code', 'code');
create trigger feature_codes_notify after insert or update or delete on feature_codes
  for each statement execute function notify_provisioning();

create function give_default_feature_codes() returns trigger language plpgsql as $$
begin
  insert into feature_codes (team_id, code, feature) values
    (new.id, '*64', 'sign-in'), (new.id, '*65', 'sign-out'), (new.id, '*66', 'pause'), (new.id, '*67', 'ready'),
    (new.id, '*62', 'work-mode'), (new.id, '*63', 'current-group'), (new.id, '*60', 'status');
  return null;
end $$;
create trigger teams_give_default_feature_codes after insert on teams
  for each row execute function give_default_feature_codes();
insert into feature_codes (team_id, code, feature)
  select t.id, code, feature::feature from teams t, (values ('*64', 'sign-in'), ('*65', 'sign-out'), ('*66', 'pause'),
    ('*67', 'ready'), ('*62', 'work-mode'), ('*63', 'current-group'), ('*60', 'status')) as d (code, feature);

create table pause_reasons (
  team_id integer not null references teams on delete cascade,
  digit text not null constraint pause_reasons_digit_form check (digit ~ '^[1-9]$'),
  name text not null,
  max_seconds integer constraint pause_reasons_max_seconds_range check (max_seconds between 1 and 86400),
  at_end pause_end not null default 'ready',
  constraint pause_reasons_pkey primary key (team_id, digit),
  constraint pause_reasons_name_key unique (team_id, name)
);
comment on table pause_reasons is 'Why agents of a team may pause; the digit is keyed after *66. Digit 0 is a pause without a reason.';
comment on column pause_reasons.max_seconds is 'Longest pause; null: no limit.';
comment on column pause_reasons.at_end is 'What becomes of an agent who pauses longer: ready again, or signed out.';

alter table teams
  add column time_zone text not null default 'UTC',
  add column phone_pin boolean not null default false;
comment on column teams.time_zone is 'IANA name; hours of the team are meant in it.';
comment on column teams.phone_pin is 'Whether *64 asks for the PIN of the agent.';

alter table agents add column pin_hash text;
comment on column agents.pin_hash is 'scrypt, as users.password_hash; null: he cannot sign in by phone while the team demands a PIN.';

alter table agent_groups
  add column work_mode group_work_mode not null default 'all',
  add column sign_out_at time,
  add column idle_sign_out_seconds integer
    constraint agent_groups_idle_sign_out_seconds_range check (idle_sign_out_seconds between 60 and 86400),
  add column announce_agent boolean not null default false,
  add column announce_call boolean not null default false;
comment on column agent_groups.work_mode is
  'What its agents do: queue calls (inbound), calls to the outside (outbound), both, or what each chooses with *62.';
comment on column agent_groups.sign_out_at is 'End of the shift, in the time zone of the team: whoever has this as current group is signed out, never in a call.';
comment on column agent_groups.idle_sign_out_seconds is 'Whoever has this as current group and has been idle for so long is signed out.';
comment on column agent_groups.announce_agent is 'Whether the caller hears the number of the agent who answers (spec 27).';
comment on column agent_groups.announce_call is 'Whether the agent hears the number of the queue and how long the caller has waited.';

alter table sign_ins add column work_mode work_mode not null default 'all';
comment on column sign_ins.work_mode is 'The choice of the agent; counts in groups whose work mode is choice.';

alter table agent_states
  add column pause_digit text,
  add column at_deadline pause_end not null default 'ready';
comment on column agent_states.at_deadline is 'What becomes of the agent at the deadline: idle, or signed out.';
comment on column agent_states.reason is 'Name of the pause reason, as it was then.';
comment on column agent_states.pause_digit is 'Digit of the pause reason, as it was then; 0: none was given.';

create table sign_in_failures (
  team_id integer not null references teams on delete cascade,
  kind text not null constraint sign_in_failures_kind_known check (kind in ('agent', 'phone')),
  number text not null,
  failures integer not null,
  failed_at timestamptz not null,
  locked_until timestamptz,
  constraint sign_in_failures_pkey primary key (team_id, kind, number)
);
comment on table sign_in_failures is
  'Wrong agent numbers and PINs in a row, of an agent and of a phone. Five lock it for a time that doubles; a success forgets them.';
`;
