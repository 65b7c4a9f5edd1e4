/** Words of the field: a telephone outside is `external`, since a "phone" is a SIP set everywhere else. */
export const up = `
-- In this order, as whoever is at work takes them: an older server beside the migration waits, and neither for the other.
lock table sign_ins, agent_states, calls, teams in access exclusive mode;
alter table agent_states rename column token to offer_id;
alter table watchers rename to leader_leases;
alter index watchers_pkey rename to leader_leases_pkey;
comment on column agent_states.offer_id is
  'The offer that the state belongs to: uniqueid of the member''s channel. The pause of a wrap-up carries it in Asterisk.';
alter type extension_kind rename value 'phone' to 'external';
comment on column extensions.telephone_number is
  'What is dialled for kind external, and the caller number by which its agent is known when calling in from there.';
`;
