/**
 * History outlives people: agents, extensions, users and agent groups are hidden when they are removed, and nothing
 * that names them goes with them. Groups get administrators and an application, extensions an agent mode, users a PIN.
 * A number is checked against the feature codes without a scan of the team's numbers.
 */
export const up = `
alter table users
  add column removed_at timestamptz,
  add column pin_hash text;
comment on column users.removed_at is 'Hidden since then: history names the row, nothing else finds it. Its name is free.';
comment on column users.pin_hash is 'scrypt, as password_hash: asked for by codes that want to know at any phone which user it is. Null: none.';
drop index users_username_in_team_key;
drop index users_username_in_system_key;
drop index users_one_administrator_key;
create unique index users_username_in_team_key on users (team_id, username) where team_id is not null and removed_at is null;
create unique index users_username_in_system_key on users (username) where team_id is null and removed_at is null;
create unique index users_one_administrator_key on users (team_id) where administrator;
alter table users add constraint users_removed_has_no_secret
  check (removed_at is null or (password_hash is null and pin_hash is null and not administrator));

alter table extensions
  add column removed_at timestamptz,
  add column agent_mode boolean not null default false,
  drop constraint extensions_number_key,
  drop constraint extensions_kind_fields,
  add constraint extensions_kind_fields check
    (case when removed_at is not null then secret is null
          when kind = 'sip' then secret is not null and telephone_number is null
          else secret is null and telephone_number is not null end);
create unique index extensions_number_key on extensions (team_id, number) where removed_at is null;
drop index extensions_telephone_number_key;
create unique index extensions_telephone_number_key on extensions (team_id, ltrim(telephone_number, '+')) where removed_at is null;
comment on column extensions.removed_at is 'As users.removed_at.';
comment on column extensions.agent_mode is
  'Whether calls of an agent at it get a popup and can be ordered by a web page (spec 32, 36).';

alter table agents
  add column removed_at timestamptz,
  drop constraint agents_number_key,
  add constraint agents_removed_has_no_pin check (removed_at is null or pin_hash is null);
create unique index agents_number_key on agents (team_id, number) where removed_at is null;
drop index agents_fixed_extension_key;
create unique index agents_fixed_extension_key on agents (extension_id) where extension_id is not null and removed_at is null;
create index agents_extension_idx on agents (extension_id);
comment on column agents.removed_at is 'As users.removed_at.';

create type group_application as enum ('campaign', 'customer_service', 'virtual_office', 'third_party');
alter table agent_groups
  add column removed_at timestamptz,
  add column application group_application,
  add column link text constraint agent_groups_link_form check (link ~ '^https?://[^[:space:][:cntrl:]]+$'),
  add constraint agent_groups_link_of_application check (link is null or application is not null);
update agent_groups set removed_at = leaving_since where leaving_since is not null;
alter table agent_groups
  add constraint agent_groups_leaving_is_removed check (leaving_since is null or removed_at is not null),
  drop constraint agent_groups_name_key,
  drop constraint agent_groups_number_key;
-- The queue of a removed group has its name until it is empty: a new group would inherit its callers.
create unique index agent_groups_name_key on agent_groups (team_id, name) where removed_at is null or leaving_since is not null;
create unique index agent_groups_number_key on agent_groups (team_id, number) where removed_at is null;
create index agent_groups_leaving_idx on agent_groups (id) where leaving_since is not null;
comment on column agent_groups.removed_at is 'As users.removed_at. Its number is free at once, its name once leaving_since is null.';
comment on column agent_groups.leaving_since is
  'Removed, but still generated: a queue that leaves the file orphans its callers. Null again once it is empty in Asterisk.';
comment on column agent_groups.application is 'Which application has the link of its popups (spec 29); null: no popups.';
comment on column agent_groups.link is 'What a popup opens: an http or https URL with placeholders such as {caller}.';

create table agent_group_administrators (
  team_id integer not null,
  group_id integer not null,
  user_id integer not null,
  primary key (group_id, user_id),
  constraint agent_group_administrators_group_fkey foreign key (team_id, group_id)
    references agent_groups (team_id, id) on delete cascade,
  constraint agent_group_administrators_user_fkey foreign key (team_id, user_id)
    references users (team_id, id) on delete cascade
);
create index agent_group_administrators_user_idx on agent_group_administrators (user_id);
comment on table agent_group_administrators is 'Users of the team who may supervise the agents of a group (spec 24, 26).';

-- One kind of name for every row that is provisioned.
alter table feature_codes add column id integer generated always as identity;
alter table feature_codes add constraint feature_codes_id_key unique (id);
alter table pause_reasons add column id integer generated always as identity;
alter table pause_reasons add constraint pause_reasons_id_key unique (id);

alter table sign_in_failures drop constraint sign_in_failures_kind_known;
alter table sign_in_failures add constraint sign_in_failures_kind_known check (kind in ('agent', 'phone', 'user'));
comment on table sign_in_failures is
  'Wrong agent numbers and PINs in a row, of an agent, a phone and a user. Five lock it for a time that doubles; a success forgets them.';

-- What history says of people, phones and groups is never deleted or blanked with them.
do $$
declare
  found record;
begin
  for found in
    select k.conname, k.conrelid::regclass as child, pg_get_constraintdef(k.oid) as definition
    from pg_constraint k
    where k.contype = 'f' and k.confdeltype in ('c', 'n')
      and k.confrelid in ('agents'::regclass, 'extensions'::regclass, 'users'::regclass, 'agent_groups'::regclass, 'sign_ins'::regclass)
      and k.conrelid not in ('agent_group_members'::regclass, 'agent_group_administrators'::regclass)
  loop
    execute format('alter table %s drop constraint %I', found.child, found.conname);
    execute format('alter table %s add constraint %I %s on delete restrict', found.child, found.conname,
      regexp_replace(found.definition, ' ON DELETE (CASCADE|SET NULL)( \\([^)]*\\))?', ''));
  end loop;
end $$;

-- What a removal or a report follows.
create index agent_states_group_idx on agent_states (group_id, started_at) where group_id is not null;
create index sign_ins_group_idx on sign_ins (current_group_id) where current_group_id is not null;
create index dids_team_idx on dids (team_id, number);

create or replace function keep_number() returns trigger language plpgsql as $$
begin
  -- A number that has not changed keeps its row: nothing has to be checked.
  if tg_op = 'UPDATE' and to_jsonb(old) ->> tg_argv[1] is not distinct from to_jsonb(new) ->> tg_argv[1]
    and old.team_id = new.team_id and (to_jsonb(old) ->> 'removed_at' is null) = (to_jsonb(new) ->> 'removed_at' is null) then
    return null;
  end if;
  if tg_op <> 'INSERT' and to_jsonb(old) ->> 'removed_at' is null then
    delete from numbers where team_id = old.team_id and number = to_jsonb(old) ->> tg_argv[1] and kind = tg_argv[0];
  end if;
  if tg_op <> 'DELETE' and to_jsonb(new) ->> 'removed_at' is null then
    insert into numbers (team_id, number, kind)
    select new.team_id, to_jsonb(new) ->> tg_argv[1], tg_argv[0] where to_jsonb(new) ->> tg_argv[1] is not null;
  end if;
  return null;
end $$;
drop trigger extensions_keep_number on extensions;
drop trigger agent_groups_keep_number on agent_groups;
create trigger extensions_keep_number after insert or delete or update of team_id, number, removed_at on extensions
  for each row execute function keep_number('extension', 'number');
create trigger agent_groups_keep_number after insert or delete or update of team_id, number, removed_at on agent_groups
  for each row execute function keep_number('queue', 'number');
delete from numbers n using agent_groups g
  where n.kind = 'queue' and g.team_id = n.team_id and g.number = n.number and g.removed_at is not null;

-- Characters in the order of their codes, so that what begins with a feature code is one stretch of the index.
create index numbers_in_order_idx on numbers (team_id, number collate "C");
create or replace function check_code_prefix() returns trigger language plpgsql as $$
begin
  -- One at a time for a team: two numbers added in the same moment must see each other.
  perform from teams where id = new.team_id for no key update;
  if exists (
      -- A code has 8 characters at most.
      select from numbers n where n.team_id = new.team_id and n.kind = 'feature-code' and n.number <> new.number
        and n.number = any(array(select left(new.number, length) from generate_series(1, least(8, length(new.number))) as length)))
    or (new.kind = 'feature-code' and exists (
      -- Only digits follow a code, and a colon follows the digits.
      select from numbers n where n.team_id = new.team_id
        and n.number collate "C" > new.number and n.number collate "C" < new.number || ':')) then
    raise exception 'number % begins with a feature code, or is a feature code with which another number begins', new.number
      using errcode = 'unique_violation', constraint = 'numbers_code_prefix', table = 'numbers';
  end if;
  return null;
end $$;

create or replace function check_agent_has_group() returns trigger language plpgsql as $$
declare
  checked integer;
begin
  if tg_table_name = 'agents' then checked := new.id; else checked := old.agent_id; end if;
  if exists (select from agents where id = checked and removed_at is null)
    and not exists (select from agent_group_members where agent_id = checked) then
    raise exception 'agent % is in no agent group', checked
      using errcode = 'check_violation', constraint = 'agents_in_a_group', table = 'agents';
  end if;
  return null;
end $$;
`;
