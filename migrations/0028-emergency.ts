/**
 * Emergency numbers of a team. Its phones reach them before every question, right and limit, so nothing else that its phones
 * dial may stand where one is, nor where one begins.
 */
export const up = `
alter table teams add column emergency text default '112,911' constraint teams_emergency_form
  check (emergency ~ '^[0-9]{2,6}(,[0-9]{2,6}){0,15}$');
comment on column teams.emergency is
  'Its emergency numbers, as they are dialled without the outside prefix; null: none. 112 and 911 are what ITU-T E.161.1 has every network know.';
alter table extensions add column location text constraint extensions_location_form check (location <> '');
comment on column extensions.location is 'Where the phone is, for whoever reads of an emergency call from it.';
alter table calls add column location text;
comment on column calls.location is 'Of an emergency call: where the phone was, as extensions.location said it then.';

create function emergency_numbers(numbers text, prefix text) returns setof text language sql immutable as $$
  select n from unnest(string_to_array(numbers, ',')) as n
  union select prefix || n from unnest(string_to_array(numbers, ',')) as n where prefix <> ''
$$;
comment on function emergency_numbers(text, text) is 'What is dialled for them: without the outside prefix, and with it.';

-- What a team gets: the numbers that are surely those of its country, or of that of its trunks where they have one only; less
-- what its phones dial already. Nobody's extension 112 becomes an emergency call because star64 is newer.
create temporary table emergency_given on commit drop as
  with country as (
    select t.id, coalesce(t.country,
      (select k.country from trunks k where k.id = t.trunk_id),
      (select min(k.country) from trunks k where k.team_id = t.id or k.team_id is null
        having count(distinct k.country) = 1)) as code
    from teams t
  ), usual as (
    select c.id, coalesce(e.numbers, '112,911') as numbers
    from country c left join (values
      ('AT', '112,122,133,144'), ('AU', '000,112'), ('BE', '112,100,101'), ('BG', '112'), ('BR', '190,192,193'),
      ('CA', '911'), ('CH', '112,117,118,144'), ('CN', '110,119,120'), ('CY', '112,199'), ('CZ', '112,150,155,158'),
      ('DE', '112,110'), ('DK', '112'), ('EE', '112'), ('ES', '112'), ('FI', '112'), ('FR', '112,15,17,18'),
      ('GB', '112,999'), ('GR', '112,100,166,199'), ('HK', '999'), ('HR', '112'), ('HU', '112,104,105,107'),
      ('IE', '112,999'), ('IS', '112'), ('IT', '112,113,115,118'), ('JP', '110,119'), ('KR', '112,119'),
      ('LI', '112,117,118,144'), ('LT', '112'), ('LU', '112,113'), ('LV', '112'), ('MT', '112'), ('MX', '911'), ('NL', '112'),
      ('NO', '112,110,113'), ('NZ', '111'), ('PL', '112,997,998,999'), ('PT', '112'), ('RO', '112'), ('SE', '112'),
      ('SG', '995,999'), ('SI', '112,113'), ('SK', '112'), ('US', '911'), ('ZA', '112,10111,10177')
    ) as e (country, numbers) on e.country = c.code
  )
  select u.id, n.number, n.place, (
      select string_agg(k.number, ', ' order by k.number) from numbers k where k.team_id = u.id and starts_with(n.number, k.number))
    as taken
  from usual u, unnest(string_to_array(u.numbers, ',')) with ordinality as n (number, place);
update teams t set emergency = (
  select string_agg(g.number, ',' order by g.place) from emergency_given g where g.id = t.id and g.taken is null);

create function check_emergency_numbers() returns trigger language plpgsql as $$
declare
  team teams;
begin
  if tg_table_name = 'teams' then
    if exists (select from numbers k, emergency_numbers(new.emergency, new.outside_prefix) e
        -- Each number that an emergency number begins with is looked up: a team may have 100,000.
        where k.team_id = new.id and k.number = any(array(select left(e, length) from generate_series(1, length(e)) as length))) then
      raise exception 'a number of the team is an emergency number, or the beginning of one'
        using errcode = 'unique_violation', constraint = 'teams_emergency', table = 'teams';
    end if;
    return null;
  end if;
  -- Locked: a team that gets other emergency numbers in the same moment must see this number, or be seen.
  select * into team from teams where id = new.team_id for no key update;
  if exists (select from emergency_numbers(team.emergency, team.outside_prefix) e where starts_with(e, new.number)) then
    raise exception 'number % is an emergency number of the team, or the beginning of one', new.number
      using errcode = 'unique_violation', constraint = 'numbers_emergency', table = 'numbers';
  end if;
  return null;
end $$;
comment on function check_emergency_numbers() is
  'An emergency number is reached whatever a phone sends digit by digit: nothing else of the team is it, or begins it.';
create trigger numbers_emergency after insert or update of number on numbers
  for each row execute function check_emergency_numbers();
create trigger teams_emergency after insert or update of emergency, outside_prefix on teams
  for each row when (new.emergency is not null) execute function check_emergency_numbers();

-- Whose user an extension is decides by which number it is known outside.
do $$
declare
  found record;
begin
  for found in
    select tgname, pg_get_triggerdef(oid) as definition from pg_trigger
    where tgrelid = 'extensions'::regclass and tgname like 'extensions\\_files\\_%'
  loop
    execute format('drop trigger %I on extensions', found.tgname);
    execute replace(found.definition, '{user_id,', '{location,');
  end loop;
end $$;

create function place_emergency() returns trigger language plpgsql as $$
begin
  -- Nobody says the class of a call that was made without a server.
  if new.class is null and new.number = any(array(
      select unnest(string_to_array(t.emergency, ',')) from teams t where t.id = new.team_id)) then
    new.class := 'emergency';
  end if;
  if new.class = 'emergency' then
    new.location := (select location from extensions where id = new.from_extension_id);
  end if;
  return new;
end $$;
create trigger calls_place_emergency before insert or update of class, from_extension_id on calls for each row
  when ((new.class = 'emergency' or new.class is null and new.direction = 'out') and new.location is null) execute function place_emergency();

create function tell_emergency() returns trigger language plpgsql as $$
declare
  told json;
begin
  select json_build_object('id', 'emergency-' || new.id, 'team', t.identity, 'call', new.uniqueid, 'number', new.number,
    'extension', x.number, 'location', new.location, 'user', u.name, 'agent', a.number)
  into told
  from teams t left join extensions x on x.id = new.from_extension_id left join users u on u.id = x.user_id
  left join agents a on a.id = new.from_agent_id
  where t.id = new.team_id;
  perform write_event(new.team_id, 'call-' || new.id, 'call.emergency', new.arrived_at, told);
  return null;
end $$;
create trigger calls_tell_emergency after insert on calls for each row
  when (new.class = 'emergency') execute function tell_emergency();
create trigger calls_tell_emergency_late after update of class on calls for each row
  when (new.class = 'emergency' and old.class is distinct from new.class) execute function tell_emergency();

-- What the files of the version before do not have.
insert into file_changes (node) select distinct node from teams;
`;

/**
 * For whoever migrates, while it is known: which numbers a team has not got since something stands there, and which teams
 * can call emergency numbers now that may have done so by a dialplan of the operator's own.
 */
export const remarks = `
select remark from (
  select t.identity, 1 as place, format('team %s has %s already, so %s is no emergency number of its phones: give that another number, then star64 team set %1$s --emergency <numbers>',
      t.identity, g.taken, string_agg(g.number, ', ' order by g.place)) as remark
  from emergency_given g join teams t on t.id = g.id where g.taken is not null group by t.identity, g.taken
  union all
  select t.identity, 2, format('phones of team %s reach %s over its trunks from the next star64 apply on, before an extension of that name in your own dialplan: star64 team set %1$s --emergency <numbers> says which, --no-emergency leaves all of them to you',
      t.identity, replace(t.emergency, ',', ', '))
  from teams t where t.emergency is not null and exists (select from trunks k where k.team_id = t.id or k.team_id is null)
) as r order by identity, place`;
