import type { IndexAhead } from './index-ahead.js';

/** A call's consultations are looked up by the call; offers of queues have no place in it. */
export const ahead: readonly IndexAhead[] = [
  {
    name: 'offers_consult_idx',
    on: 'offers (node, call) where call is not null',
    since: '0035-ways',
    column: { table: 'offers', adds: 'call text' },
  },
];

/** An agent who is asked by a colleague within a call has a record of it, beside those of queues. */
export const up = `
alter table offers
  add column if not exists call text,
  add column kind text not null default 'queue',
  -- Not valid: what is there is all of queues, and is not looked through.
  add constraint offers_kind_known check (kind in ('queue', 'consult')) not valid,
  add constraint offers_consult check ((kind = 'consult') = (call is not null)) not valid;
create index if not exists offers_consult_idx on offers (node, call) where call is not null;
comment on table offers is
  'Each time that a queue rings one agent for one call, and each time that a colleague asks one. What a guard took back before '
  'it rang is none.';
comment on column offers.kind is
  'queue: of a queue, which has group and visit; consult: a colleague asks by key within a call, which is of no group.';
comment on column offers.call is
  'Of a consultation, the linkedid of the channel: calls.uniqueid, where the call is recorded. Null: that of the visit.';
`;
