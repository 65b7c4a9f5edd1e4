/**
 * What callers of a queue hear while they wait, how many may wait, and agents of another group who help out without the
 * caller losing their place.
 */
export const up = `
alter table agent_groups
  add column max_callers integer
    constraint agent_groups_max_callers_range check (max_callers between 1 and 10000),
  add column greeting text
    constraint agent_groups_greeting_form check (greeting ~ '^[A-Za-z0-9_/][A-Za-z0-9_/-]{0,119}$'),
  add column music_class text
    constraint agent_groups_music_class_form check (music_class ~ '^[A-Za-z0-9_-]{1,40}$'),
  add column announce_position boolean not null default false,
  add column announce_wait boolean not null default false,
  add column announce_seconds integer not null default 60
    constraint agent_groups_announce_seconds_range check (announce_seconds between 15 and 3600),
  add column periodic_sound text
    constraint agent_groups_periodic_sound_form check (periodic_sound ~ '^[A-Za-z0-9_/][A-Za-z0-9_/-]{0,119}$'),
  add column periodic_seconds integer not null default 60
    constraint agent_groups_periodic_seconds_range check (periodic_seconds between 10 and 3600),
  add column overflow_id integer
    constraint agent_groups_overflow_other check (overflow_id <> id),
  add column overflow_seconds integer not null default 30
    constraint agent_groups_overflow_seconds_range check (overflow_seconds between 1 and 3600),
  add constraint agent_groups_overflow_fkey foreign key (team_id, overflow_id) references agent_groups (team_id, id);
create index agent_groups_overflow_idx on agent_groups (team_id, overflow_id) where overflow_id is not null;
comment on column agent_groups.max_callers is 'How many callers its queue takes; null: any number.';
comment on column agent_groups.greeting is 'A sound of the operator''s, heard before the queue.';
comment on column agent_groups.music_class is 'A class of the operator''s musiconhold.conf; null: that of the call.';
comment on column agent_groups.overflow_id is 'The group whose agents help out: members of its queue, with a penalty above that of every agent of its own.';
comment on column agent_groups.overflow_seconds is 'How long a caller waits before they do.';

-- In which queues an agent is, in the order of their own groups; those of overflow come last. An agent of both groups is one of
-- the group itself. own_group_id is the group that decides whether they take queue calls at all.
create view queue_agents as
  select m.team_id, m.agent_id, m.group_id, m.group_id as own_group_id, m.penalty, m.position, false as overflow
  from agent_group_members m
  union all
  select m.team_id, m.agent_id, g.id, m.group_id, 1001 + m.penalty, m.position, true
  from agent_group_members m join agent_groups g on g.team_id = m.team_id and g.overflow_id = m.group_id
  where (g.removed_at is null or g.leaving_since is not null)
    and not exists (select from agent_group_members own where own.group_id = g.id and own.agent_id = m.agent_id);
comment on view queue_agents is
  'Agents by the queues whose calls they take. Penalties of a group''s own agents end at 1000, those of overflow begin at 1001.';

-- More words, whatever a migration before this one has added.
do $$
declare
  found record;
begin
  for found in
    select k.conname, k.conrelid::regclass as child, pg_get_constraintdef(k.oid) as definition
    from pg_constraint k where k.conname in ('calls_outcome_known', 'queue_visits_outcome_known')
  loop
    execute format('alter table %s drop constraint %I', found.child, found.conname);
    execute format('alter table %s add constraint %I %s', found.child, found.conname,
      replace(found.definition, '''timeout''::text', '''timeout''::text, ''full''::text'
        || case found.conname when 'queue_visits_outcome_known' then ', ''key''::text' else '' end));
  end loop;
end $$;
comment on column queue_visits.outcome is
  'As calls.outcome, of this visit; nobody: sent away since nobody was there; timeout: sent away after the longest wait; '
  'full: too many waited already; key: the caller pressed a key to leave; again: let go while the queue''s members were on '
  'their way, and the caller went back into it.';
`;
