/** The language in which the phones of a team speak. */
export const up = `
alter table teams add column language text
  constraint teams_language_form check (language ~ '^[a-z]{2,3}(_[A-Z]{2})?$');
comment on column teams.language is
  'In which its phones hear the prompts, as Asterisk names it: fr, pt_BR; null: whatever Asterisk has as its default.';
`;
