/**
 * One row for what happens once: a call, each time that it joins a queue, each time that the queue rings an agent for
 * it. A uniqueid is one of its node only: Asterisk makes it of the time and a counter.
 */
export const up = `
alter table calls add column node text;
update calls c set node = t.node from teams t where t.id = c.team_id;
alter table calls
  alter column node set not null,
  add constraint calls_node_fkey foreign key (node) references nodes on update cascade on delete restrict,
  drop constraint calls_uniqueid_key,
  add constraint calls_uniqueid_key unique (node, uniqueid),
  -- 'unanswered' was written for every call of which nothing was known: it says nothing.
  alter column outcome type text using nullif(outcome::text, 'unanswered'),
  add constraint calls_outcome_known check (outcome in ('answered', 'abandoned', 'lost'));
drop type call_outcome;
drop index calls_open_idx;
create index calls_open_idx on calls (node) where ended_at is null;
create index calls_group_idx on calls (group_id);
create index calls_extension_idx on calls (extension_id);
comment on table calls is 'Each caller''s call for a team, from its arrival to its end, wherever it goes in between.';
comment on column calls.node is 'The Asterisk at which it arrived.';
comment on column calls.uniqueid is 'Asterisk''s uniqueid of the caller''s channel, and the linkedid of what follows from it.';
comment on column calls.group_id is 'The group to which its DID led, or whose queue it joined first.';
comment on column calls.answered_at is 'When the first who answered did.';
comment on column calls.outcome is
  'What was seen of it: somebody answered, the caller hung up while waiting; lost: its end was not seen. Null: not known.';

create table queue_visits (
  id bigint generated always as identity primary key,
  team_id integer not null,
  node text not null constraint queue_visits_node_fkey references nodes on update cascade on delete restrict,
  call_id bigint not null,
  uniqueid text not null,
  group_id integer,
  position integer,
  joined_at timestamptz not null default clock_timestamp(),
  answered_at timestamptz,
  left_at timestamptz,
  outcome text constraint queue_visits_outcome_known check (outcome in ('answered', 'abandoned', 'lost')),
  agent_id integer,
  offer_id text,
  constraint queue_visits_team_id_id_key unique (team_id, id),
  constraint queue_visits_call_fkey foreign key (team_id, call_id) references calls (team_id, id) on delete cascade,
  constraint queue_visits_group_fkey foreign key (team_id, group_id) references agent_groups (team_id, id)
    on delete set null (group_id),
  constraint queue_visits_agent_fkey foreign key (team_id, agent_id) references agents (team_id, id)
    on delete set null (agent_id),
  constraint queue_visits_order check (answered_at >= joined_at and left_at >= joined_at and left_at >= answered_at),
  constraint queue_visits_answer check ((answered_at is not null) = (outcome is not distinct from 'answered'))
);
-- One wait at a time: an event and the reconciliation may both tell of it.
create unique index queue_visits_waiting_key on queue_visits (node, uniqueid, group_id)
  where left_at is null and answered_at is null;
create index queue_visits_open_idx on queue_visits (team_id, group_id) where left_at is null;
create index queue_visits_open_on_node_idx on queue_visits (node) where left_at is null;
create index queue_visits_joined_idx on queue_visits (team_id, joined_at);
create index queue_visits_call_idx on queue_visits (call_id);
create index queue_visits_group_idx on queue_visits (group_id, joined_at);
create index queue_visits_agent_idx on queue_visits (agent_id, joined_at);
comment on table queue_visits is 'Each time that a call joins a queue, until it is through with that queue and its agent.';
comment on column queue_visits.uniqueid is
  'Of the channel in the queue: the caller''s, or after an attended transfer another one of the same linkedid.';
comment on column queue_visits.position is 'The caller''s place in the queue on joining; 1: the first.';
comment on column queue_visits.left_at is
  'When the caller left the queue without an answer, or the talk with the agent who answered was over.';
comment on column queue_visits.outcome is 'As calls.outcome, of this visit.';
comment on column queue_visits.agent_id is 'Who answered.';
comment on column queue_visits.offer_id is 'The offer that was answered, offers.uniqueid.';

create table offers (
  id bigint generated always as identity primary key,
  team_id integer not null,
  node text not null constraint offers_node_fkey references nodes on update cascade on delete restrict,
  uniqueid text not null,
  visit_id bigint,
  group_id integer,
  agent_id integer,
  extension_id integer,
  sign_in_id integer,
  offered_at timestamptz not null default clock_timestamp(),
  answered_at timestamptz,
  ended_at timestamptz,
  result text constraint offers_result_known check (result in ('answered', 'missed', 'rejected', 'refused', 'cancelled')),
  constraint offers_uniqueid_key unique (node, uniqueid),
  constraint offers_visit_fkey foreign key (team_id, visit_id) references queue_visits (team_id, id) on delete cascade,
  constraint offers_group_fkey foreign key (team_id, group_id) references agent_groups (team_id, id)
    on delete set null (group_id),
  constraint offers_agent_fkey foreign key (team_id, agent_id) references agents (team_id, id) on delete set null (agent_id),
  constraint offers_extension_fkey foreign key (team_id, extension_id) references extensions (team_id, id)
    on delete set null (extension_id),
  constraint offers_sign_in_fkey foreign key (team_id, sign_in_id) references sign_ins (team_id, id)
    on delete set null (sign_in_id),
  constraint offers_order check (answered_at >= offered_at and ended_at >= offered_at and ended_at >= answered_at),
  constraint offers_answer check ((answered_at is not null) = (result is not distinct from 'answered'))
);
create index offers_open_idx on offers (node) where ended_at is null;
create index offers_visit_idx on offers (visit_id);
create index offers_group_idx on offers (group_id);
create index offers_agent_idx on offers (agent_id, offered_at);
create index offers_extension_idx on offers (extension_id);
create index offers_sign_in_idx on offers (sign_in_id);
create index offers_team_idx on offers (team_id, offered_at);
comment on table offers is 'Each time that a queue rings one agent for one call. What a guard took back before it rang is none.';
comment on column offers.uniqueid is 'Of the channel to the agent''s phone; agent_states.offer_id.';
comment on column offers.visit_id is 'The visit whose caller was offered; null: its beginning was not seen.';
comment on column offers.result is
  'missed: rang and nobody picked up; rejected: refused after it rang; refused: never rang; cancelled: the caller gone or '
  'taken elsewhere, also picked up too late; null: not known.';

insert into queue_visits (team_id, node, call_id, uniqueid, group_id, joined_at, answered_at, left_at, outcome, agent_id)
  -- Of nulls and moments, greatest() takes the moments.
  select team_id, node, id, uniqueid, group_id, queued_at,
    case when answered_at is not null then greatest(answered_at, queued_at) end,
    case when ended_at is not null then greatest(ended_at, answered_at, queued_at) end,
    case when answered_at is not null then 'answered' else nullif(outcome, 'answered') end, agent_id
  from calls where queued_at is not null order by id;

-- Offers that are under way: what comes of them will be seen.
insert into offers (team_id, node, uniqueid, visit_id, group_id, agent_id, extension_id, sign_in_id, offered_at,
    answered_at, result)
  select s.team_id, t.node, s.offer_id, v.id, s.group_id, s.agent_id, i.extension_id, s.sign_in_id, s.started_at,
    case s.state when 'talking' then s.started_at end, case s.state when 'talking' then 'answered' end
  from agent_states s join sign_ins i on i.id = s.sign_in_id join teams t on t.id = s.team_id
  left join lateral (
    select v.id from queue_visits v where v.node = t.node and v.uniqueid = s.call_uniqueid and v.left_at is null
      and v.team_id = s.team_id order by v.id desc limit 1) as v on true
  where s.ended_at is null and s.state in ('ringing', 'talking') and s.offer_id <> '' order by s.id
  on conflict do nothing;
update queue_visits v set offer_id = o.uniqueid from offers o where o.visit_id = v.id and o.result = 'answered';

alter table calls drop column queued_at, drop column agent_id;
`;
