/** Who tells Asterisk about a phone, and how far an offer has come. */
export const up = `
create unlogged table phone_leases (
  phone text primary key,
  holder text not null,
  expires_at timestamptz not null
);
comment on table phone_leases is
  'Which server is telling Asterisk''s queues about a phone, so that two do not contradict each other. A lease, not a lock: no connection is held while Asterisk is waited for. Unlogged: after a crash nobody holds any.';

create index agent_states_offer_idx on agent_states (sign_in_id, offer_id) where offer_id is not null;
`;
