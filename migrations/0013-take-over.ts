/** What tells a copy of this database from the one whose servers work with an Asterisk. */
export const up = `
alter table leader_leases add column promised_until bigint;
comment on column leader_leases.promised_until is
  'Second of Asterisk''s clock up to which it may rely on a server; written here first. Where Asterisk has a later one, a server of another database renews it.';
`;
