/**
 * Supervision: administrators of a group listen to the calls of its queue, whisper to the agent and talk with both (`*71`,
 * `*72`, `*73`), and sign agents out or make them ready (`*75`). A team gets the codes where they are free. Who listened is
 * recorded.
 */
export const up = `
-- What is known already is read and not repeated: other migrations of the same time add features, too.
do $$
declare
  known text;
begin
  select string_agg(quote_literal(m[1]), ', ') into known
  from pg_constraint c, regexp_matches(pg_get_constraintdef(c.oid), '''([a-z-]+)''::text', 'g') m
  where c.conname = 'feature_codes_feature_known' and c.conrelid = 'feature_codes'::regclass;
  alter table feature_codes drop constraint feature_codes_feature_known;
  execute format('alter table feature_codes add constraint feature_codes_feature_known check (feature in (%s, %s))', known,
    '''listen'', ''whisper'', ''barge'', ''agent-control''');
end $$;

create function give_supervision_codes() returns trigger language plpgsql as $$
begin
  insert into feature_codes (team_id, code, feature) values
    (new.id, '*71', 'listen'), (new.id, '*72', 'whisper'), (new.id, '*73', 'barge'), (new.id, '*75', 'agent-control');
  return null;
end $$;
comment on function give_supervision_codes() is 'As give_default_feature_codes.';
create trigger teams_give_supervision_codes after insert on teams for each row execute function give_supervision_codes();

-- Free: no code that it begins with, and nothing that begins with it.
insert into feature_codes (team_id, code, feature)
  select t.id, c.code, c.feature
  from teams t, (values ('*71', 'listen'), ('*72', 'whisper'), ('*73', 'barge'), ('*75', 'agent-control')) as c (code, feature)
  where not exists (
    select from numbers n where n.team_id = t.id and (starts_with(n.number, c.code)
      or n.kind = 'feature-code' and starts_with(c.code, n.number)));

alter table teams add column announce_supervision boolean not null default false;
comment on column teams.announce_supervision is
  'Whether an agent hears a tone as an administrator of the group begins to listen. The caller never does.';
-- A server says it with the right to listen: it stands in no generated file.
do $$
declare
  found record;
begin
  for found in
    select tgname, pg_get_triggerdef(oid) as definition from pg_trigger
    where tgrelid = 'teams'::regclass and tgname like 'teams\\_files\\_update'
  loop
    execute format('drop trigger %I on teams', found.tgname);
    execute replace(regexp_replace(found.definition, '''{([^{}]*)}''\\)$', '''{\\1,announce_supervision}'')'), '{,', '{');
  end loop;
end $$;

create table supervisions (
  id bigint generated always as identity primary key,
  team_id integer not null,
  user_id integer not null,
  from_extension_id integer not null,
  extension_id integer not null,
  agent_id integer,
  group_id integer not null,
  node text not null,
  by_call text not null,
  call_uniqueid text not null,
  mode text not null constraint supervisions_mode_known check (mode in ('listen', 'whisper', 'barge')),
  announced boolean not null,
  began_at timestamptz not null default clock_timestamp(),
  ended_at timestamptz,
  listened_ms integer not null default 0 constraint supervisions_listened_range check (listened_ms >= 0),
  whispered_ms integer not null default 0 constraint supervisions_whispered_range check (whispered_ms >= 0),
  barged_ms integer not null default 0 constraint supervisions_barged_range check (barged_ms >= 0),
  constraint supervisions_order check (ended_at >= began_at),
  constraint supervisions_user_fkey foreign key (team_id, user_id) references users (team_id, id) on delete restrict,
  constraint supervisions_from_extension_fkey foreign key (team_id, from_extension_id)
    references extensions (team_id, id) on delete restrict,
  constraint supervisions_extension_fkey foreign key (team_id, extension_id) references extensions (team_id, id) on delete restrict,
  constraint supervisions_agent_fkey foreign key (team_id, agent_id) references agents (team_id, id) on delete restrict,
  constraint supervisions_group_fkey foreign key (team_id, group_id) references agent_groups (team_id, id) on delete restrict,
  constraint supervisions_node_fkey foreign key (node) references nodes on update cascade on delete restrict
);
create unique index supervisions_open_key on supervisions (node, by_call) where ended_at is null;
create index supervisions_by_call_idx on supervisions (node, by_call);
create index supervisions_team_idx on supervisions (team_id, began_at, id);
create index supervisions_call_idx on supervisions (node, call_uniqueid);
create index supervisions_user_idx on supervisions (user_id, began_at);
create index supervisions_from_extension_idx on supervisions (from_extension_id);
create index supervisions_extension_idx on supervisions (extension_id);
create index supervisions_agent_idx on supervisions (agent_id, began_at);
create index supervisions_group_idx on supervisions (group_id, began_at);
comment on table supervisions is
  'Each time that an administrator of a group listened to a call of it (spec 24). Written before anything is heard.';
comment on column supervisions.from_extension_id is 'The phone where they listened; extension_id: the one that they listened to.';
comment on column supervisions.agent_id is 'Who was signed in at the phone that they listened to.';
comment on column supervisions.group_id is 'Whose call it was.';
comment on column supervisions.by_call is 'Uniqueid of the listening channel; one that follows to the next call has several rows.';
comment on column supervisions.call_uniqueid is 'Of the call that was listened to: the linkedid of its channels, calls.uniqueid.';
comment on column supervisions.mode is 'The one of now, or the last.';
comment on column supervisions.announced is 'Whether the agent was told by a tone.';
comment on column supervisions.listened_ms is 'Milliseconds in each mode, as far as they were told.';

create function tell_supervision() returns trigger language plpgsql as $$
declare
  told json;
begin
  select json_build_object('id', 'supervision-' || new.id || case when new.ended_at is null then '' else '-over' end,
    'team', t.identity, 'user', u.username, 'from', f.number, 'extension', x.number, 'agent', a.number, 'group', g.name,
    'call', new.call_uniqueid, 'mode', new.mode, 'announced', new.announced, 'began', new.began_at,
    'listened', round(new.listened_ms / 1000.0), 'whispered', round(new.whispered_ms / 1000.0),
    'barged', round(new.barged_ms / 1000.0))
  into told
  from teams t join users u on u.id = new.user_id join extensions f on f.id = new.from_extension_id
  join extensions x on x.id = new.extension_id join agent_groups g on g.id = new.group_id
  left join agents a on a.id = new.agent_id
  where t.id = new.team_id;
  perform write_event(new.team_id, 'supervision-' || new.id,
    case when new.ended_at is null then 'supervision.began' else 'supervision.over' end, coalesce(new.ended_at, new.began_at), told);
  return null;
end $$;
create trigger supervisions_tell after insert on supervisions for each row execute function tell_supervision();
create trigger supervisions_tell_end after update of ended_at on supervisions for each row
  when (old.ended_at is null and new.ended_at is not null) execute function tell_supervision();
`;

/** What stands in the way of them, for whoever migrates: a line for each team and code that it has not got. */
export const remarks = `
select format('team %s has %s already, so the new feature code %s (%s) was not added: star64 feature-code add ''<code>'' --feature %4$s --team %1$s adds one of your own',
  t.identity, (select string_agg(n.number, ', ' order by n.number) from numbers n where n.team_id = t.id
    and (starts_with(n.number, c.code) or n.kind = 'feature-code' and starts_with(c.code, n.number))), c.code, c.feature) as remark
from teams t, (values ('*71', 'listen'), ('*72', 'whisper'), ('*73', 'barge'), ('*75', 'agent-control')) as c (code, feature)
where not exists (select from feature_codes o where o.team_id = t.id and o.feature = c.feature)
order by t.identity, c.code`;
