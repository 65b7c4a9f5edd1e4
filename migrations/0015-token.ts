/** Tells a token that nobody has used yet, whose place the token of an earlier version may take, from one in use. */
export const up = `
alter table installation add column agi_token_used boolean not null default false;
comment on column installation.agi_token_used is
  'Whether files or a server rely on the token. Before that, the one that an earlier version kept in a file replaces it.';
`;
