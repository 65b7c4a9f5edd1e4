/**
 * The team that `migrate` makes has the limits of calls to the outside that every new team has. It was made before there
 * were any (0001, 0031). Where anything was ever done with it, it keeps what it has.
 */
export const up = `
do $$
declare
  fresh integer;
  used boolean;
  owner text;
begin
  select id into fresh from teams where identity = 'astercc' and calls_at_once is null and calls_per_hour is null
    and calls_per_day is null and minutes_per_hour is null and minutes_per_day is null;
  if fresh is null then return; end if;
  -- Calls last: who has calls has one of the others, so that no history is looked through.
  foreach owner in array array['users', 'extensions', 'agent_groups', 'agents', 'dids', 'trunks', 'ring_groups', 'calls'] loop
    execute format('select exists (select from %I where team_id = $1)', owner) into used using fresh;
    if used then return; end if;
  end loop;
  update teams set calls_at_once = 100, calls_per_hour = 2000, calls_per_day = 10000 where id = fresh;
end $$;
`;
