import type { IndexAhead } from './index-ahead.js';

/** What the parts of one call were: who talked in it. Months of states are looked through for it. */
const statesOfCalls: IndexAhead = {
  name: 'agent_states_call_idx',
  on: "agent_states (call_uniqueid) where state = 'talking' and call_uniqueid is not null",
  since: '0035-ways',
};
export const ahead = [statesOfCalls];

/** Calls on hold, and agents who ask somebody meanwhile: each time, from its beginning on. */
export const up = `
create table holds (
  id bigint generated always as identity primary key,
  team_id integer not null,
  node text not null constraint holds_node_fkey references nodes on update cascade on delete restrict,
  call text not null,
  channel text not null,
  extension_id integer not null,
  agent_id integer,
  kind text not null constraint holds_kind_known check (kind in ('hold', 'consult')),
  started_at timestamptz not null,
  ended_at timestamptz,
  hung_up boolean not null default false,
  constraint holds_extension_fkey foreign key (team_id, extension_id) references extensions (team_id, id) on delete restrict,
  constraint holds_agent_fkey foreign key (team_id, agent_id) references agents (team_id, id) on delete restrict,
  constraint holds_order check (ended_at >= started_at)
);
-- A phone holds its call or does not: an event and the reconciliation, or two servers, may both tell of it.
create unique index holds_open_key on holds (node, channel) where ended_at is null;
create index holds_channel_idx on holds (node, channel);
create index holds_call_idx on holds (node, call);
create index holds_team_started_idx on holds (team_id, started_at);
create index holds_extension_idx on holds (extension_id, started_at);
create index holds_agent_idx on holds (agent_id, started_at);
comment on table holds is
  'Each time that a phone of a team has its call on hold, or is with somebody else meanwhile whom it asks. In calls of every '
  'kind: also between phones, of which calls has no row.';
comment on column holds.call is 'The linkedid of the channel: calls.uniqueid, where the call is recorded.';
comment on column holds.channel is 'The channel of the phone, by its uniqueid: offers.uniqueid, agent_states.offer_id.';
comment on column holds.agent_id is 'Who was signed in there as it began.';
comment on column holds.kind is 'hold: the others hear music; consult: and this phone is with somebody else meanwhile.';
comment on column holds.ended_at is 'Null: it goes on.';
comment on column holds.hung_up is 'It ended as the phone left the call, and not with its return.';

comment on column calls.hold_seconds is
  'Of calls to the outside from before there was the table holds, which says more, and to the second.';

create index if not exists ${statesOfCalls.name} on ${statesOfCalls.on};
`;
