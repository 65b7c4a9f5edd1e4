/**
 * Popups (spec 29-40): each time that an agent is shown a call in the application of a group or binding. A row for each
 * channel of a phone, written by whoever follows Asterisk, and told to followers in the transaction that writes it.
 */
export const up = `
create table popups (
  id bigint generated always as identity primary key,
  team_id integer not null,
  node text not null constraint popups_node_fkey references nodes on update cascade on delete restrict,
  channel text not null,
  call text not null,
  call_id bigint,
  kind text not null constraint popups_kind_known check (kind in ('outbound', 'direct', 'queue')),
  application group_application not null,
  binding text,
  link text,
  extension_id integer not null,
  agent_id integer,
  username text not null,
  group_id integer,
  caller text,
  number text,
  opened_at timestamptz not null,
  answered_at timestamptz,
  closed_at timestamptz,
  outcome text constraint popups_outcome_known
    check (outcome in ('answered', 'missed', 'rejected', 'refused', 'cancelled', 'unanswered', 'unknown')),
  disposition text constraint popups_disposition_length check (length(disposition) between 1 and 80),
  data json constraint popups_data_size check (json_typeof(data) = 'object' and length(data::text) <= 8000),
  done_at timestamptz,
  done_by text,
  constraint popups_channel_key unique (node, channel),
  constraint popups_order check (answered_at >= opened_at and closed_at >= opened_at and closed_at >= answered_at),
  constraint popups_closed check ((closed_at is null) = (outcome is null)),
  constraint popups_done check ((done_at is null) = (done_by is null)),
  constraint popups_call_fkey foreign key (team_id, call_id) references calls (team_id, id) on delete cascade,
  constraint popups_extension_fkey foreign key (team_id, extension_id) references extensions (team_id, id) on delete restrict,
  constraint popups_agent_fkey foreign key (team_id, agent_id) references agents (team_id, id) on delete restrict,
  constraint popups_group_fkey foreign key (team_id, group_id) references agent_groups (team_id, id) on delete restrict
);
create index popups_open_idx on popups (node) where closed_at is null;
create index popups_team_idx on popups (team_id, id);
create index popups_team_open_idx on popups (team_id, id) where closed_at is null;
create index popups_call_idx on popups (call_id);
create index popups_extension_idx on popups (extension_id, id);
create index popups_agent_idx on popups (agent_id, id);
create index popups_group_idx on popups (group_id, id);
comment on table popups is
  'Each time that a phone rings, answers or calls outside, and an application is to show the call (spec 29). Goes with its call.';
comment on column popups.channel is 'Of the phone, by its uniqueid: offers.uniqueid, agent_states.offer_id. One channel has one popup.';
comment on column popups.call is 'The linkedid of the channel: calls.uniqueid, where the call is recorded.';
comment on column popups.kind is 'outbound: the agent calls outside; direct: a call that no queue gives; queue: one that a queue gives.';
comment on column popups.binding is 'The binding whose application it is, by its name of then; null: it is that of the group.';
comment on column popups.link is 'The link of the application with the facts of the call in it, encoded; null: it has none.';
comment on column popups.agent_id is 'Who was signed in at the phone; null: nobody, which a direct call does not need.';
comment on column popups.username is 'Whose extension it was.';
comment on column popups.group_id is 'The group in whose queue the call stood; of an outbound one the agent''s current group.';
comment on column popups.number is 'The number that was called: the DID, or the one outside.';
comment on column popups.outcome is
  'answered; missed, rejected, refused, cancelled as offers.result; unanswered: nobody outside answered; unknown: nobody saw it.';
comment on column popups.done_at is 'When the application said first that its record is saved (spec 56), and done_by who.';

create function url_part(value text) returns text language sql immutable as $$
  -- A part of dots alone would lead out of its place in a path, also encoded.
  select case when value ~ '^[.]*$' then '' else (
    select string_agg(case when c.letter ~ '^[A-Za-z0-9_.~-]$' then c.letter else (
        select string_agg('%' || upper(lpad(to_hex(get_byte(b.bytes, n)), 2, '0')), '' order by n)
        from (select convert_to(c.letter, 'UTF8') as bytes) b, generate_series(0, length(b.bytes) - 1) n) end, '' order by c.place)
    from regexp_split_to_table(left(value, 100), '') with ordinality c (letter, place)) end
$$;
comment on function url_part(text) is 'A value as it may stand anywhere in a URL behind the host: it cannot leave its place.';

create function filled_link(template text, facts json) returns text language plpgsql immutable as $$
declare
  fact record;
begin
  -- What is filled in has no braces any more.
  for fact in select * from json_each_text(facts) loop
    template := replace(template, '{' || fact.key || '}', url_part(coalesce(fact.value, '')));
  end loop;
  return template;
end $$;
comment on function filled_link(text, json) is 'The template of a link (domain/link-template.ts) with these facts in its places.';

create function tell_popup() returns trigger language plpgsql as $$
declare
  told jsonb;
begin
  select jsonb_build_object('popup', new.id, 'team', t.identity, 'kind', new.kind, 'application', new.application,
    'binding', new.binding, 'link', new.link, 'agent', a.number, 'extension', x.number, 'user', new.username, 'group', g.name,
    'call', new.call, 'caller', new.caller, 'number', new.number, 'opened', new.opened_at, 'answered', new.answered_at,
    'closed', new.closed_at, 'outcome', new.outcome)
  into told
  from teams t join extensions x on x.id = new.extension_id left join agents a on a.id = new.agent_id
  left join agent_groups g on g.id = new.group_id
  where t.id = new.team_id;
  if tg_op = 'INSERT' then
    perform write_event(new.team_id, 'popup-' || new.id, 'popup.opened', new.opened_at,
      (told || jsonb_build_object('id', 'popup-' || new.id))::json);
  end if;
  if new.answered_at is not null and (tg_op = 'INSERT' or old.answered_at is null) then
    perform write_event(new.team_id, 'popup-' || new.id, 'popup.answered', new.answered_at,
      (told || jsonb_build_object('id', 'popup-' || new.id || '-answered'))::json);
  end if;
  if new.closed_at is not null and (tg_op = 'INSERT' or old.closed_at is null) then
    perform write_event(new.team_id, 'popup-' || new.id, 'popup.closed', new.closed_at,
      (told || jsonb_build_object('id', 'popup-' || new.id || '-closed'))::json);
  end if;
  return null;
end $$;
create trigger popups_tell after insert on popups for each row execute function tell_popup();
create trigger popups_tell_more after update of answered_at, closed_at on popups for each row
  when (old.answered_at is null and new.answered_at is not null or old.closed_at is null and new.closed_at is not null)
  execute function tell_popup();
`;
