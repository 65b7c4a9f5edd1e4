/** Agents at ordinary telephones: trunks over which they are called, and DIDs at which they dial in. */
export const up = `
create table trunks (
  id integer generated always as identity primary key,
  team_id integer references teams on delete restrict,
  name text not null constraint trunks_name_form check (name ~ '^[a-z][a-z0-9_-]{0,31}$'),
  endpoint text not null
    constraint trunks_endpoint_form check (endpoint ~ '^[A-Za-z0-9_.-]{1,60}$')
    constraint trunks_endpoint_no_phone check (endpoint !~ '^[a-z][a-z0-9]{1,19}-[0-9]{2,10}$'),
  trusted_caller_id boolean not null default false,
  created_at timestamptz not null default now(),
  constraint trunks_endpoint_key unique (endpoint)
);
create unique index trunks_name_in_team_key on trunks (team_id, name) where team_id is not null;
create unique index trunks_name_of_every_team_key on trunks (name) where team_id is null;
comment on table trunks is 'A way to the public network: a PJSIP endpoint that the operator has in his own pjsip.conf.';
comment on column trunks.team_id is 'The team that alone uses it; null: it serves every team.';
comment on column trunks.trusted_caller_id is
  'Whether its caller numbers are proof enough for an agent to sign in by calling from his telephone.';

alter table teams add column trunk_id integer references trunks on delete restrict;
create index teams_trunk_idx on teams (trunk_id);
comment on column teams.trunk_id is 'Default outbound trunk: its own, or one that serves every team.';

create function check_trunk_of_team() returns trigger language plpgsql as $$
declare
  wrong boolean;
begin
  if tg_table_name = 'teams' then
    -- Locked: a trunk that is being given to another team in the same moment must be seen.
    perform from trunks where id = new.trunk_id and (team_id is null or team_id = new.id) for share;
    wrong := new.trunk_id is not null and not found;
  else
    wrong := new.team_id is not null and exists (select from teams where trunk_id = new.id and id <> new.team_id);
  end if;
  if wrong then
    raise exception 'a trunk of one team cannot be the default trunk of another'
      using errcode = 'foreign_key_violation', constraint = 'teams_trunk_of_team', table = 'teams';
  end if;
  return null;
end $$;
create trigger teams_trunk_of_team after insert or update of trunk_id on teams
  for each row execute function check_trunk_of_team();
create trigger trunks_team_keeps_users after update of team_id on trunks
  for each row execute function check_trunk_of_team();
create trigger trunks_notify after insert or update or delete on trunks
  for each statement execute function notify_provisioning();

create unique index extensions_telephone_number_key on extensions (team_id, ltrim(telephone_number, '+'));
comment on column extensions.telephone_number is
  'What is dialled for kind phone, and the caller number by which he is known who calls in from there.';

alter table dids
  add column feature feature,
  drop constraint dids_one_destination,
  add constraint dids_one_destination check (num_nonnulls(group_id, extension_id, feature) = 1);
comment on column dids.feature is 'What an agent can do who calls this number from his telephone, as by dialling the code of the feature.';
`;
