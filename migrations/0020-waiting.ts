/** The feature code `*69`: how many wait in a queue. A team gets it where the number is free. */
export const up = `
-- A text rather than a type: a new value of a type cannot be used in the transaction that adds it.
alter table feature_codes alter column feature type text;
alter table dids alter column feature type text;
drop type feature;
alter table feature_codes add constraint feature_codes_feature_known check (feature in
  ('sign-in', 'sign-out', 'pause', 'ready', 'work-mode', 'current-group', 'status', 'waiting'));
alter table dids add constraint dids_feature_known check (feature in
  ('sign-in', 'sign-out', 'pause', 'ready', 'work-mode', 'current-group', 'status', 'waiting'));

create or replace function give_default_feature_codes() returns trigger language plpgsql as $$
begin
  insert into feature_codes (team_id, code, feature) values
    (new.id, '*64', 'sign-in'), (new.id, '*65', 'sign-out'), (new.id, '*66', 'pause'), (new.id, '*67', 'ready'),
    (new.id, '*62', 'work-mode'), (new.id, '*63', 'current-group'), (new.id, '*60', 'status'), (new.id, '*69', 'waiting');
  return null;
end $$;

-- Free: no code that *69 begins with, and nothing that begins with *69.
insert into feature_codes (team_id, code, feature)
  select t.id, '*69', 'waiting' from teams t where not exists (
    select from numbers n where n.team_id = t.id and (starts_with(n.number, '*69')
      or n.kind = 'feature-code' and starts_with('*69', n.number)));
`;

/** What stands in the way of it, for whoever migrates: a line for each team that has not got it. */
export const remarks = `
select format('team %s has %s already, so the new feature code *69 (how many wait in a queue) was not added: star64 feature-code add ''<code>'' --feature waiting --team %1$s adds one of your own',
  t.identity, (select string_agg(n.number, ', ' order by n.number) from numbers n where n.team_id = t.id
    and (starts_with(n.number, '*69') or n.kind = 'feature-code' and starts_with('*69', n.number)))) as remark
from teams t where not exists (select from feature_codes c where c.team_id = t.id and c.feature = 'waiting')
order by t.identity`;
