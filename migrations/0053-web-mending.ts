/**
 * Deliveries of webhooks are found however many there are of a healthy or of a disabled one, one redelivery of a webhook runs
 * at a time, and where somebody has logged in is remembered, so that guesses from elsewhere do not lock them out.
 */
export const up = `
drop index webhook_deliveries_oldest_idx;
create index webhook_deliveries_oldest_idx on webhook_deliveries (webhook_id, made_at) where state = 'due';
create index webhook_deliveries_team_idx on webhook_deliveries (team_id, id);
create index webhook_deliveries_failed_idx on webhook_deliveries (team_id, webhook_id, id)
  where state = 'dead' or state = 'due' and error is not null;

alter table webhooks add column redelivering_until timestamptz;
comment on column webhooks.redelivering_until is
  'A redelivery of what has happened runs: no other one begins before, should its process have died.';

create table login_networks (
  door text not null constraint login_networks_door_known check (door in ('web')),
  team text not null,
  account text not null,
  address text not null,
  succeeded_at timestamptz not null,
  constraint login_networks_pkey primary key (door, team, account, address)
);
create index login_networks_succeeded_idx on login_networks (succeeded_at);
comment on table login_networks is
  'From which networks an account was logged in to in the last days: guesses from elsewhere do not lock it out there. '
  'Names are as those of login_failures.';
`;
