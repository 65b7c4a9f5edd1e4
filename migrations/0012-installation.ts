/** What tells this installation from a copy of it, and the token by which the dialplan and the servers know each other. */
export const up = `
create table installation (
  id uuid not null default gen_random_uuid(),
  agi_token text not null
    default replace(gen_random_uuid()::text || gen_random_uuid()::text, '-', '')
    constraint installation_agi_token_form check (agi_token ~ '^[A-Za-z0-9]{24,128}$'),
  only_row boolean constraint installation_pkey primary key default true
    constraint installation_one_row check (only_row)
);
comment on table installation is 'One row. The id is also in every Asterisk that this installation works with.';
comment on column installation.agi_token is 'Shared by the generated dialplan and the FastAGI servers.';
insert into installation default values;

alter table nodes add column starts bigint not null default 0
  constraint nodes_starts_range check (starts >= 0);
comment on column nodes.starts is
  'How often a server of this Asterisk was started. Asterisk has the same count: where its own is higher, this database is an older copy.';
`;
