/**
 * A DID can be a range of numbers, or all that begin alike; rules lead calls elsewhere on conditions, bindings say to which
 * application a call belongs; a team takes calls for numbers that no team has.
 */
export const up = `
create function did_cover(number text, out lowest text, out highest text) language sql immutable strict as $$
  select ltrim(split_part(rtrim(number, '*'), '..', 1), '+'),
    case when number like '%*' then ltrim(rtrim(number, '*'), '+') || ':'
      when number like '%..%' then ltrim(split_part(number, '..', 2), '+')
      else ltrim(number, '+') end
$$;
comment on function did_cover(text) is
  'The first and the last number of a DID, in the order of characters; a colon follows the digits, and so all that begin alike.';
create function did_overlaps(lowest text, highest text, other_lowest text, other_highest text) returns boolean
  language sql immutable strict as $$
  select lowest collate "C" <= other_highest collate "C" and other_lowest collate "C" <= highest collate "C"
    and (highest like '%:' or length(other_lowest) <= length(lowest))
    and (other_highest like '%:' or length(lowest) <= length(other_lowest))
$$;
comment on function did_overlaps(text, text, text, text) is
  'Whether two DIDs have a number in common: numbers of a range are as long as its ends, those that begin alike at least as long.';

alter table dids
  drop constraint dids_number_form,
  add constraint dids_number_form check (number ~ '^[+]?[0-9]{2,20}([*]|[.]{2}[+]?[0-9]{2,20})?$'),
  add column lowest text collate "C" generated always as ((did_cover(number)).lowest) stored,
  add column highest text collate "C" generated always as ((did_cover(number)).highest) stored,
  add column wide boolean generated always as (number like '%*' or number like '%..%') stored,
  add constraint dids_range_size check (number not like '%..%'
    or length(lowest) = length(highest) and highest::numeric - lowest::numeric between 1 and 999);
comment on column dids.wide is 'More than one number: a range, or all that begin alike.';
create index dids_lowest_idx on dids (lowest) where not wide;
create index dids_wide_idx on dids (lowest) where wide;

create function check_did_overlap() returns trigger language plpgsql as $$
declare
  clash record;
begin
  -- Of two that overlap one at least is wide: who adds such a one waits for all who add others, and they for them.
  if exists (select from new_rows where wide) then
    perform pg_advisory_xact_lock(640026);
  else
    perform pg_advisory_xact_lock_shared(640026);
  end if;
  select n.number, d.number as other into clash from new_rows n join dids d on d.wide and d.id <> n.id
    and d.lowest <= n.highest and did_overlaps(n.lowest, n.highest, d.lowest, d.highest)
    and (d.team_id <> n.team_id
      -- Two ranges of one team: one lies in the other, or they are apart.
      or n.number like '%..%' and d.number like '%..%' and n.lowest || n.highest <> d.lowest || d.highest
        and not (n.lowest <= d.lowest and d.highest <= n.highest) and not (d.lowest <= n.lowest and n.highest <= d.highest)
      or n.lowest = d.lowest and n.highest = d.highest) limit 1;
  if not found then
    select n.number, d.number as other into clash from (select * from new_rows where wide) n
      join dids d on not d.wide and d.lowest >= n.lowest and d.lowest <= n.highest
        and did_overlaps(n.lowest, n.highest, d.lowest, d.highest) and d.team_id <> n.team_id limit 1;
  end if;
  if found then
    raise exception 'DID % overlaps DID %', clash.number, clash.other
      using errcode = 'unique_violation', constraint = 'dids_overlap', table = 'dids';
  end if;
  return null;
end $$;
comment on function check_did_overlap() is
  'Numbers that are named together are of one team, and of two ranges of a team one lies in the other, or they are apart.';
create trigger dids_overlap_insert after insert on dids referencing new table as new_rows
  for each statement execute function check_did_overlap();
create trigger dids_overlap_update after update on dids referencing new table as new_rows
  for each statement execute function check_did_overlap();

create table did_rules (
  id integer generated always as identity primary key,
  team_id integer not null references teams on delete restrict,
  name text not null constraint did_rules_name_form check (name ~ '^[a-z][a-z0-9_]{1,31}$'),
  priority integer not null default 0 constraint did_rules_priority_range check (priority between 0 and 1000),
  did text constraint did_rules_did_form check (did ~ '^[+]?[0-9]{2,20}([*]|[.]{2}[+]?[0-9]{2,20})?$'),
  caller text constraint did_rules_caller_form
    check (caller ~ '^(anonymous|[+]?[0-9]{1,20}([*]|[.]{2}[+]?[0-9]{1,20})?)$'),
  trunk_id integer references trunks on delete restrict,
  queue_priority integer not null default 0 constraint did_rules_queue_priority_range check (queue_priority between 0 and 1000),
  created_at timestamptz not null default now(),
  constraint did_rules_team_id_id_key unique (team_id, id),
  constraint did_rules_name_key unique (team_id, name)
);
create index did_rules_trunk_idx on did_rules (trunk_id);
comment on table did_rules is 'Where calls go that meet conditions, instead of where their DID leads. All that are given must hold.';
comment on column did_rules.queue_priority is 'Callers with a larger one go ahead of the others who wait in a queue.';
comment on column did_rules.did is 'As it was typed, and read in the country of the team; so is the caller.';

create table bindings (
  id integer generated always as identity primary key,
  team_id integer not null references teams on delete restrict,
  name text not null constraint bindings_name_form check (name ~ '^[a-z][a-z0-9_]{1,31}$'),
  priority integer not null default 0 constraint bindings_priority_range check (priority between 0 and 1000),
  did text constraint bindings_did_form check (did ~ '^[+]?[0-9]{2,20}([*]|[.]{2}[+]?[0-9]{2,20})?$'),
  caller text constraint bindings_caller_form
    check (caller ~ '^(anonymous|[+]?[0-9]{1,20}([*]|[.]{2}[+]?[0-9]{1,20})?)$'),
  trunk_id integer references trunks on delete restrict,
  group_id integer,
  application group_application not null,
  link text constraint bindings_link_length check (length(link) <= 1000),
  created_at timestamptz not null default now(),
  constraint bindings_name_key unique (team_id, name),
  constraint bindings_group_fkey foreign key (team_id, group_id) references agent_groups (team_id, id) on delete restrict
);
create index bindings_trunk_idx on bindings (trunk_id);
create index bindings_group_idx on bindings (group_id);
comment on table bindings is 'To which application calls belong that meet conditions; without conditions, the default of the team.';

create function check_own_trunk() returns trigger language plpgsql as $$
begin
  -- Locked: a trunk that is being given to another team in the same moment must be seen.
  perform from trunks where id = new.trunk_id and (team_id is null or team_id = new.team_id) for share;
  if new.trunk_id is not null and not found then
    raise exception 'a condition cannot be about a trunk of another team'
      using errcode = 'foreign_key_violation', constraint = 'trunk_of_team', table = tg_table_name;
  end if;
  return null;
end $$;
create trigger did_rules_own_trunk after insert or update of team_id, trunk_id on did_rules
  for each row execute function check_own_trunk();
create trigger bindings_own_trunk after insert or update of team_id, trunk_id on bindings
  for each row execute function check_own_trunk();

alter table destinations
  add column from_did_rule_id integer,
  add constraint destinations_from_did_rule_fkey foreign key (team_id, from_did_rule_id)
    references did_rules (team_id, id) on delete cascade,
  drop constraint destinations_one_owner,
  add constraint destinations_one_owner check (num_nonnulls(from_team_id, from_did_id, from_group_id, from_hours_id,
    from_ring_group_id, from_announcement_id, from_menu_id, from_did_rule_id) = 1);
create unique index destinations_of_did_rule_key on destinations (from_did_rule_id, slot) where from_did_rule_id is not null;
create or replace view destination_targets as
  select d.id, d.team_id, d.slot, d.from_team_id, d.from_did_id, d.from_group_id, d.from_hours_id, d.from_ring_group_id,
    d.from_announcement_id, d.from_menu_id,
    case when to_extension_id is not null then 'extension' when to_agent_id is not null then 'agent'
      when to_ring_group_id is not null then 'ring-group' when to_group_id is not null then 'group'
      when to_hours_id is not null then 'hours' when to_announcement_id is not null then 'announcement'
      when to_menu_id is not null then 'menu' when to_number is not null then 'outside'
      when to_cause is not null then 'hangup' else 'feature' end as kind,
    coalesce(x.number, a.number, r.number, g.name, h.name, n.name, m.name, to_number, to_cause, to_feature) as name,
    d.from_did_rule_id,
    -- Joins of what nobody asks for are left out by the planner: each is by a primary key.
    coalesce('did:' || od.number, 'group:' || og.name, 'hours:' || oh.name, 'ring-group:' || orr.number,
      'announcement:' || oa.name, 'menu:' || om.name, 'did-rule:' || ou.name, 'team:' || ot.identity) as owner
  from destinations d
  left join extensions x on x.id = d.to_extension_id
  left join agents a on a.id = d.to_agent_id
  left join ring_groups r on r.id = d.to_ring_group_id
  left join agent_groups g on g.id = d.to_group_id
  left join hours h on h.id = d.to_hours_id
  left join announcements n on n.id = d.to_announcement_id
  left join menus m on m.id = d.to_menu_id
  left join dids od on od.id = d.from_did_id
  left join agent_groups og on og.id = d.from_group_id
  left join hours oh on oh.id = d.from_hours_id
  left join ring_groups orr on orr.id = d.from_ring_group_id
  left join announcements oa on oa.id = d.from_announcement_id
  left join menus om on om.id = d.from_menu_id
  left join did_rules ou on ou.id = d.from_did_rule_id
  left join teams ot on ot.id = d.from_team_id;
comment on view destination_targets is 'Destinations by kind and name, as they are typed, and their owners written like that.';

alter table trunks add column unknown_team_id integer references teams on delete set null,
  add constraint trunks_unknown_team_of_every_team check (unknown_team_id is null or team_id is null);
drop trigger trunks_files_update on trunks;
create trigger trunks_files_update after update on trunks referencing new table as new_rows old table as old_rows
  for each statement execute function note_file_change('join teams t on t.trunk_id = r.id
        or t.id = coalesce((r.content->>''team_id'')::integer, t.id)
          and ((r.content->>''trusted_caller_id'')::boolean or r.content->>''country'' is not null)',
    '{name,unknown_team_id}');
create index trunks_unknown_team_idx on trunks (unknown_team_id);
comment on column trunks.unknown_team_id is
  'Of a trunk for every team: the team that takes calls for numbers that no team has. Of a team''s own trunk it is that team.';

alter table calls
  add column rule text,
  add column binding text,
  add column application group_application,
  add column link text;
comment on column calls.rule is 'The rule that decided where it went, by the name that it had; null: its DID.';
comment on column calls.binding is
  'The binding that held when it arrived, by the name that it had, with its application and the template of its link.';

do $$
declare
  one text;
begin
  foreach one in array array['did_rules', 'bindings'] loop
    execute format('create trigger %1$I after insert on %2$I referencing new table as new_rows
      for each statement execute function notify_teams(%3$L)', one || '_notify_insert', one, 'team_id');
    execute format('create trigger %1$I after update on %2$I referencing new table as new_rows old table as old_rows
      for each statement execute function notify_teams(%3$L)', one || '_notify_update', one, 'team_id');
    execute format('create trigger %1$I after delete on %2$I referencing old table as old_rows
      for each statement execute function notify_teams(%3$L)', one || '_notify_delete', one, 'team_id');
  end loop;
end $$;
`;
