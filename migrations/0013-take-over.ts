/** What tells a copy of this database from the one whose servers work with an Asterisk. */
export const up = `
alter table leader_leases add column promised_until bigint;
comment on column leader_leases.promised_until is
  'Second of Asterisk''s clock up to which it may rely on a server; written here first. Where Asterisk has a later one, a server of another database renews it.';

create table node_generations (
  node text not null constraint node_generations_node_fkey references nodes on update cascade on delete cascade,
  generation text not null constraint node_generations_form check (generation ~ '^g[0-9a-f]{16}$'),
  made_at timestamptz not null default clock_timestamp(),
  constraint node_generations_pkey primary key (node, generation)
);
comment on table node_generations is
  'The last generated files of each Asterisk by name: one that has loaded any of them, and has no id yet, is ours.';
`;
