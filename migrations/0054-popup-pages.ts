/** Pages of popups of groups, and records of calls that are saved before the call is over. */
export const up = `
create index popups_agent_alone_idx on popups (agent_id, id) where group_id is null;
create index popups_without_call_idx on popups (closed_at) where call_id is null and done_at is null;
comment on table popups is
  'Each time that a phone rings, answers or calls outside, and an application is to show the call (spec 29). Goes with its call; '
  'of a call that was never recorded, after 30 days, unless something was saved of it.';

alter table agent_states add column saved boolean not null default false;
comment on column agent_states.saved is
  'The application has saved its record of the call while it went on (spec 56): the wrap-up after it ends as it begins.';
`;
