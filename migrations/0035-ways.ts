/**
 * The feature code `*31`: before a number outside, it hides the number of who calls. A team gets it where the number is free.
 */
export const up = `
alter table feature_codes drop constraint feature_codes_feature_known;
alter table feature_codes add constraint feature_codes_feature_known check (feature in
  ('sign-in', 'sign-out', 'pause', 'ready', 'work-mode', 'current-group', 'status', 'waiting', 'hours-switch', 'call-agent',
    'hide-number'));

create function give_hiding_code() returns trigger language plpgsql as $$
begin
  insert into feature_codes (team_id, code, feature) values (new.id, '*31', 'hide-number');
  return null;
end $$;
comment on function give_hiding_code() is 'As give_default_feature_codes.';
create trigger teams_hiding_code after insert on teams for each row execute function give_hiding_code();

-- Free: no code that *31 begins with, and nothing that begins with *31.
insert into feature_codes (team_id, code, feature)
  select t.id, '*31', 'hide-number' from teams t where not exists (
    select from numbers n where n.team_id = t.id and (starts_with(n.number, '*31')
      or n.kind = 'feature-code' and starts_with('*31', n.number)));
`;

/** What stands in the way of it, for whoever migrates: a line for each team that has not got it. */
export const remarks = `
select format('team %s has %s already, so the new feature code *31 (hides the number of who calls) was not added: star64 feature-code add ''<code>'' --feature hide-number --team %1$s adds one of your own',
  t.identity, (select string_agg(n.number, ', ' order by n.number) from numbers n where n.team_id = t.id
    and (starts_with(n.number, '*31') or n.kind = 'feature-code' and starts_with('*31', n.number)))) as remark
from teams t where not exists (select from feature_codes c where c.team_id = t.id and c.feature = 'hide-number')
order by t.identity`;
