/** A DID can be a range of numbers, or all that begin alike. */
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
-- Who removes a team follows its destinations.
create index destinations_team_idx on destinations (team_id);

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
`;
