/**
 * The feature code `*5`: calls an agent where they are signed in. A team gets it where the number is free. Fixed agents are in
 * the generated files with their phones, so that they are reached without a server.
 */
export const up = `
alter table feature_codes drop constraint feature_codes_feature_known;
alter table feature_codes add constraint feature_codes_feature_known check (feature in
  ('sign-in', 'sign-out', 'pause', 'ready', 'work-mode', 'current-group', 'status', 'waiting', 'hours-switch', 'call-agent'));
alter table destinations drop constraint destinations_to_feature_known;
alter table destinations add constraint destinations_to_feature_known check (to_feature in
  ('sign-in', 'sign-out', 'pause', 'ready', 'work-mode', 'current-group', 'status', 'waiting', 'hours-switch', 'call-agent'));

create or replace function give_default_feature_codes() returns trigger language plpgsql as $$
begin
  insert into feature_codes (team_id, code, feature) values
    (new.id, '*64', 'sign-in'), (new.id, '*65', 'sign-out'), (new.id, '*66', 'pause'), (new.id, '*67', 'ready'),
    (new.id, '*62', 'work-mode'), (new.id, '*63', 'current-group'), (new.id, '*60', 'status'), (new.id, '*69', 'waiting'),
    (new.id, '*61', 'hours-switch'), (new.id, '*5', 'call-agent');
  return null;
end $$;

-- Free: no code that *5 begins with, and nothing that begins with *5.
insert into feature_codes (team_id, code, feature)
  select t.id, '*5', 'call-agent' from teams t where not exists (
    select from numbers n where n.team_id = t.id and (starts_with(n.number, '*5')
      or n.kind = 'feature-code' and starts_with('*5', n.number)));

do $$
declare
  -- Of others nobody knows the phone without a server.
  fixed constant text := 'join teams t on t.id = (r.content->>''team_id'')::integer and r.content->>''extension_id'' is not null';
  event record;
begin
  for event in select * from (values
    ('insert', 'new table as new_rows'),
    ('update', 'new table as new_rows old table as old_rows'),
    ('delete', 'old table as old_rows')
  ) as v (name, rows) loop
    execute format('create trigger agents_files_%1$s after %1$s on agents referencing %2$s for each statement
      execute function note_file_change(%3$L, %4$L)', event.name, event.rows, fixed, '{user_id,pin_hash}');
  end loop;
end $$;
`;

/** What stands in the way of it, for whoever migrates: a line for each team that has not got it. */
export const remarks = `
select format('team %s has %s already, so the new feature code *5 (calls an agent where they are signed in) was not added: star64 feature-code add ''<code>'' --feature call-agent --team %1$s adds one of your own',
  t.identity, (select string_agg(n.number, ', ' order by n.number) from numbers n where n.team_id = t.id
    and (starts_with(n.number, '*5') or n.kind = 'feature-code' and starts_with('*5', n.number)))) as remark
from teams t where not exists (select from feature_codes c where c.team_id = t.id and c.feature = 'call-agent')
order by t.identity`;
