/** Asterisk nodes: each carries whole teams, and what happens on one is nothing of another's. */
export const up = `
create table nodes (
  name text constraint nodes_pkey primary key constraint nodes_name_form check (name ~ '^[A-Za-z0-9-]{1,40}$')
);
comment on table nodes is 'The Asterisks that work on this database, by the name that asterisk.node of their servers says.';

-- Whoever runs one Asterisk under a name of their own goes on with it: its server holds the only lease.
insert into nodes (name) values ('default');
insert into nodes (name) select node from leader_leases where node ~ '^[A-Za-z0-9-]{1,40}$'
  on conflict do nothing;

alter table teams add column node text not null default 'default'
  constraint teams_node_fkey references nodes on update cascade on delete restrict;
create index teams_node_idx on teams (node);
comment on column teams.node is 'The Asterisk on which the team lives.';
update teams set node = lone.node from (
  select min(node) as node from leader_leases join nodes on nodes.name = leader_leases.node having count(*) = 1) as lone;
`;
