/** Whether a conference ends when the agent leaves who has made it. */
export const up = `
alter table agent_groups add column conference_end boolean not null default false;
comment on column agent_groups.conference_end is
  'Whether a conference of its calls ends for all when the agent who has made it leaves; else the others stay (spec 61).';
`;
