/** People who go away: what an agent did last, missed calls, phones without power, callers whom nobody answers. */
export const up = `
alter table agent_groups
  add column missed_limit integer not null default 3
    constraint agent_groups_missed_limit_range check (missed_limit between 0 and 100),
  add column max_wait_seconds integer not null default 3600
    constraint agent_groups_max_wait_seconds_range check (max_wait_seconds between 10 and 86400);
comment on column agent_groups.missed_limit is
  'After so many offers in a row that were refused or not answered the agent is paused; 0: never.';
comment on column agent_groups.max_wait_seconds is 'Longest wait of a caller in its queue.';

alter table teams
  add column rtp_timeout integer not null default 60
    constraint teams_rtp_timeout_range check (rtp_timeout between 0 and 86400),
  add column rtp_timeout_hold integer not null default 600
    constraint teams_rtp_timeout_hold_range check (rtp_timeout_hold between 0 and 86400);
comment on column teams.rtp_timeout is 'Seconds without a voice packet after which Asterisk ends a call of its phones; 0: never.';
comment on column teams.rtp_timeout_hold is 'As rtp_timeout, of a phone that has put its call on hold.';

alter table sign_ins add column acted_at timestamptz not null default clock_timestamp();
update sign_ins set acted_at = coalesce(signed_out_at, clock_timestamp());
comment on column sign_ins.acted_at is
  'When the agent last showed that they are there: by a code, or at the end of an answered call, of the wrap-up after it, of a pause.';

create function keep_last_act() returns trigger language plpgsql as $$
begin
  update sign_ins i set acted_at = new.ended_at
  where i.id = new.sign_in_id and i.signed_out_at is null
    -- A wrap-up that follows a call which they let ring is nothing that they did.
    and (new.state <> 'wrap-up' or exists (
      select from agent_states p where p.sign_in_id = new.sign_in_id and p.offer_id = new.offer_id and p.state = 'talking'));
  return null;
end $$;
create trigger agent_states_keep_last_act after update of ended_at on agent_states for each row
  when (old.ended_at is null and new.ended_at is not null and new.state in ('talking', 'wrap-up', 'paused'))
  execute function keep_last_act();

-- Of a sign-in the last offers are looked at, and a fixed agent's lasts for years.
drop index offers_sign_in_idx;
create index offers_sign_in_idx on offers (sign_in_id, id);

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
      replace(found.definition, '''abandoned''::text', '''abandoned''::text, ''nobody''::text, ''timeout''::text'
        || case found.conname when 'queue_visits_outcome_known' then ', ''again''::text' else '' end));
  end loop;
end $$;
comment on column queue_visits.outcome is
  'As calls.outcome, of this visit; nobody: sent away since nobody was there; timeout: sent away after the longest wait; '
  'again: let go while the queue''s members were on their way, and the caller went back into it.';
`;
