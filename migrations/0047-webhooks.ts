/**
 * Webhooks: addresses outside that are sent the events of a team. A delivery is made from the durable list of events
 * behind a cursor of its own, never by who writes an event, so that calls pay nothing for it.
 */
export const up = `
create table webhooks (
  id integer generated always as identity primary key,
  team_id integer not null references teams on delete cascade,
  name text not null constraint webhooks_name_form check (name ~ '^[a-z][a-z0-9_]{1,31}$'),
  url text not null constraint webhooks_url_length check (length(url) <= 1000),
  types text constraint webhooks_types_form check (types ~ '^[a-z_.]+(,[a-z_.]+)*$'),
  enabled boolean not null default true,
  secret text not null constraint webhooks_secret_form check (secret ~ '^whsec_[A-Za-z0-9+/]{43}=$'),
  old_secret text,
  old_secret_until timestamptz,
  active_since timestamptz not null default clock_timestamp(),
  disabled_for text constraint webhooks_disabled_for_known check (disabled_for in ('failures', 'gone')),
  failing_since timestamptz,
  quick boolean not null default false,
  tried_at timestamptz,
  rests_until timestamptz,
  created_at timestamptz not null default now(),
  constraint webhooks_name_key unique (team_id, name),
  constraint webhooks_team_id_id_key unique (team_id, id),
  constraint webhooks_old_secret_whole check ((old_secret is null) = (old_secret_until is null)),
  constraint webhooks_disabled check (disabled_for is null or not enabled)
);
comment on table webhooks is 'Addresses that are sent the events of a team, signed.';
comment on column webhooks.types is 'Types of events with commas between; null: all.';
comment on column webhooks.secret is 'In clear, since messages are signed with it; never listed nor logged.';
comment on column webhooks.old_secret is 'The one before, with which messages are signed, too, while it is being replaced.';
comment on column webhooks.active_since is 'What was written before it is not sent: creation, or when it was last enabled.';
comment on column webhooks.disabled_for is 'Why star64 has disabled it by itself; null: it has not.';
comment on column webhooks.failing_since is 'When the first try failed since the last success.';
comment on column webhooks.quick is 'Whether its last answer was a good one, and came soon: only then it gets several messages at a time.';
comment on column webhooks.rests_until is 'It has asked to be left alone until then (Retry-After).';

create table webhook_deliveries (
  id bigint generated always as identity primary key,
  team_id integer not null,
  webhook_id integer not null,
  message text not null,
  type text not null,
  at timestamptz not null,
  era integer,
  xid bigint,
  event bigint,
  made_at timestamptz not null default clock_timestamp(),
  state text not null default 'due' constraint webhook_deliveries_state_known check (state in ('due', 'delivered', 'dead')),
  due_at timestamptz not null default clock_timestamp(),
  tries integer not null default 0,
  claim integer not null default 0,
  tried_at timestamptz,
  status integer,
  error text,
  constraint webhook_deliveries_message_key unique (webhook_id, message),
  constraint webhook_deliveries_webhook_fkey foreign key (team_id, webhook_id) references webhooks (team_id, id) on delete cascade
);
create index webhook_deliveries_webhook_idx on webhook_deliveries (team_id, webhook_id, id);
create index webhook_deliveries_due_idx on webhook_deliveries (webhook_id, due_at) where state = 'due';
create index webhook_deliveries_next_idx on webhook_deliveries (due_at) where state = 'due';
create index webhook_deliveries_oldest_idx on webhook_deliveries (made_at) where state = 'due';
create index webhook_deliveries_made_idx on webhook_deliveries (made_at);
comment on table webhook_deliveries is 'Each event for each webhook, and what became of it; kept for days, as events are.';
comment on column webhook_deliveries.message is 'webhook-id: the cursor of the event, or test-<id>.';
comment on column webhook_deliveries.event is 'With era and xid: the event. Null: a test, which is no event.';
comment on column webhook_deliveries.due_at is 'When it is tried next; of one that is being tried, when another may take it, should its sender have died.';
comment on column webhook_deliveries.tries is 'Since it was made, or was last to be sent anew.';
comment on column webhook_deliveries.claim is 'Counts all tries ever: who has another number than the row no longer says what became of it.';

create table webhook_feed (
  one boolean primary key default true constraint webhook_feed_one check (one),
  era integer not null,
  xid bigint not null,
  id bigint not null,
  leader text,
  leads_until timestamptz not null default '-infinity'
);
insert into webhook_feed (era, xid, id) select era, pg_snapshot_xmin(pg_current_snapshot())::text::bigint, 0 from event_log;
comment on table webhook_feed is 'The one row: up to which event deliveries were made, and which process of star64 web makes them.';

create function tell_webhook_disabled() returns trigger language plpgsql as $$
begin
  perform write_event(new.team_id, 'webhook-' || new.id, 'webhook.disabled', clock_timestamp(), (
    select json_build_object('id', 'webhook-' || new.id || '-' || pg_current_xact_id(), 'team', t.identity, 'webhook', new.name,
      'reason', new.disabled_for, 'failing_since', new.failing_since)
    from teams t where t.id = new.team_id));
  return null;
end $$;
create trigger webhooks_tell after update of disabled_for on webhooks for each row
  when (old.disabled_for is null and new.disabled_for is not null) execute function tell_webhook_disabled();
`;
