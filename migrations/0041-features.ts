/** Whether an Asterisk has the keys within a call that are in a file of ours, which an installation of before does not take in. */
export const up = `
alter table nodes add column has_call_keys boolean;
comment on column nodes.has_call_keys is
  'Whether its features.conf takes in ours, as the last apply read back; null: not known.';
`;
