/**
 * One number is one DID, however it is written; a trunk has a country; an extension may be an endpoint of the operator's;
 * calls for numbers that no team has are counted.
 */
export const up = `
alter table trunks add column country text constraint trunks_country_form check (country ~ '^[A-Z]{2}$');
comment on column trunks.country is 'Whose national numbers it writes, ISO 3166; null: a number is only known with its country, or as it is written.';

-- Both were added since the trunk writes the one and the other.
delete from dids d using dids p
  where p.number = '+' || d.number and p.team_id = d.team_id and p.group_id is not distinct from d.group_id
    and p.extension_id is not distinct from d.extension_id and p.feature is not distinct from d.feature;
alter table dids
  add column twin boolean not null default false,
  drop constraint dids_number_key;
update dids d set twin = true from dids p where ltrim(p.number, '+') = ltrim(d.number, '+') and p.id < d.id;
create unique index dids_number_key on dids (ltrim(number, '+')) where not twin;
create unique index dids_twin_key on dids (ltrim(number, '+')) where twin;
comment on column dids.twin is
  'From the time when +N and N could lead to two places: the younger of the two. Each is found only as it is written.';
create function untwin_did() returns trigger language plpgsql as $$
begin
  update dids set twin = false where twin and ltrim(number, '+') = ltrim(old.number, '+');
  return null;
end $$;
create trigger dids_untwin after delete on dids for each row when (not old.twin) execute function untwin_did();

alter table extensions add column telephone_key text;
update extensions set telephone_key = ltrim(telephone_number, '+');
drop index extensions_telephone_number_key;
create unique index extensions_telephone_number_key on extensions (team_id, telephone_key) where removed_at is null;
alter table extensions add constraint extensions_telephone_key_there
  check ((telephone_key is null) = (telephone_number is null));
comment on column extensions.telephone_key is
  'The telephone number by which a caller is known: with its country, where that is known, and without the +.';

-- A phone of the operator's own belongs to one extension of its Asterisk.
alter table teams add constraint teams_id_node_key unique (id, node);
alter table extensions
  add column endpoint text constraint extensions_endpoint_form
    check (endpoint ~ '^[A-Za-z0-9_.-]{1,60}$' and endpoint !~ '^[a-z][a-z0-9]{1,19}-[0-9]{2,10}$'),
  add column endpoint_node text,
  add column endpoint_guarded boolean,
  add constraint extensions_endpoint_node_there check ((endpoint is null) = (endpoint_node is null)),
  add constraint extensions_endpoint_node_fkey foreign key (team_id, endpoint_node)
    references teams (id, node) on update cascade,
  drop constraint extensions_kind_fields,
  add constraint extensions_kind_fields check
    (case when removed_at is not null then secret is null
          when kind = 'sip' then (secret is null) <> (endpoint is null) and telephone_number is null
          else secret is null and endpoint is null and telephone_number is not null end);
create unique index extensions_endpoint_key on extensions (endpoint_node, endpoint) where removed_at is null;
create index extensions_endpoint_node_idx on extensions (team_id, endpoint_node) where endpoint is not null;
comment on column extensions.endpoint is
  'The endpoint in the operator''s own pjsip.conf that a device of kind sip registers as; null: <team>-<number>, which is generated.';
comment on column extensions.endpoint_node is 'The Asterisk of the team, where the endpoint belongs to this extension alone.';
comment on column extensions.endpoint_guarded is
  'Whether the endpoint put its channel into the group by which a phone has one call at a time, when somebody last signed in; null: not seen yet.';

create table unknown_numbers (
  node text not null references nodes (name) on update cascade on delete cascade,
  number text not null,
  calls bigint not null,
  first_at timestamptz not null,
  last_at timestamptz not null,
  endpoint text not null,
  caller text,
  primary key (node, number)
);
create index unknown_numbers_last_idx on unknown_numbers (node, last_at);
comment on table unknown_numbers is
  'Calls for numbers that no team has, the newest 1,000 numbers of each Asterisk.';
comment on column unknown_numbers.endpoint is 'The trunk of the last call, and caller its number: attacker''s input, only ever shown.';
`;
