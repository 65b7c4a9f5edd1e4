/** Conference rooms: a number of the team behind which people who dial it, or are sent there, talk with each other. */
export const up = `
create table rooms (
  id integer generated always as identity primary key,
  team_id integer not null references teams on delete restrict,
  number text not null constraint rooms_number_form check (number ~ '^[0-9]{2,10}$'),
  name text not null,
  administrator_id integer,
  pin_hash text,
  asks_pin boolean generated always as (pin_hash is not null) stored,
  most integer not null default 30 constraint rooms_most_range check (most between 2 and 30),
  tones boolean not null default true,
  music boolean not null default true,
  created_at timestamptz not null default now(),
  constraint rooms_team_id_id_key unique (team_id, id),
  constraint rooms_number_key unique (team_id, number),
  constraint rooms_administrator_fkey foreign key (team_id, administrator_id) references users (team_id, id) on delete restrict
);
create index rooms_administrator_idx on rooms (administrator_id) where administrator_id is not null;
comment on table rooms is 'Conference rooms, reached by number from the phones of a team.';
comment on column rooms.administrator_id is 'The leader: the others wait for them; null: nobody is waited for.';
comment on column rooms.asks_pin is 'What generated files have of the PIN.';
comment on column rooms.most is 'The most parties at a time, counted in Asterisk.';

alter table numbers drop constraint numbers_kind_known,
  add constraint numbers_kind_known check (kind in ('extension', 'queue', 'feature-code', 'ring-group', 'room'));
create trigger rooms_keep_number after insert or delete or update of team_id, number on rooms
  for each row execute function keep_number('room', 'number');

alter table sign_in_failures drop constraint sign_in_failures_kind_known,
  add constraint sign_in_failures_kind_known check (kind in ('agent', 'phone', 'user', 'room'));
comment on table sign_in_failures is
  'Wrong agent numbers and PINs in a row, of an agent, a phone, a user and a room. Five lock it for a time that doubles; a success forgets them.';

do $$
declare
  event record;
begin
  for event in select * from (values
    ('insert', 'new table as new_rows'),
    ('update', 'new table as new_rows old table as old_rows'),
    ('delete', 'old table as old_rows')
  ) as v (name, rows) loop
    execute format('create trigger %I after %s on rooms referencing %s for each statement
      execute function notify_teams(%L)', 'rooms_notify_' || event.name, event.name, event.rows, 'team_id');
    execute format('create trigger %I after %s on rooms referencing %s for each statement
      execute function note_file_change(%L, %L)', 'rooms_files_' || event.name, event.name, event.rows,
      'join teams t on t.id = (r.content->>''team_id'')::integer', '{name,pin_hash}');
  end loop;
end $$;

alter table destinations
  add column to_room_id integer,
  add constraint destinations_to_room_fkey foreign key (team_id, to_room_id) references rooms (team_id, id) on delete restrict,
  drop constraint destinations_one_target,
  add constraint destinations_one_target check (num_nonnulls(to_extension_id, to_agent_id, to_ring_group_id, to_group_id,
    to_hours_id, to_announcement_id, to_menu_id, to_room_id, to_number, to_cause, to_feature) = 1);
create index destinations_to_room_idx on destinations (to_room_id) where to_room_id is not null;
create or replace view destination_targets as
  select d.id, d.team_id, d.slot, d.from_team_id, d.from_did_id, d.from_group_id, d.from_hours_id, d.from_ring_group_id,
    d.from_announcement_id, d.from_menu_id,
    case when to_extension_id is not null then 'extension' when to_agent_id is not null then 'agent'
      when to_ring_group_id is not null then 'ring-group' when to_group_id is not null then 'group'
      when to_hours_id is not null then 'hours' when to_announcement_id is not null then 'announcement'
      when to_menu_id is not null then 'menu' when to_room_id is not null then 'room' when to_number is not null then 'outside'
      when to_cause is not null then 'hangup' else 'feature' end as kind,
    coalesce(x.number, a.number, r.number, g.name, h.name, n.name, m.name, c.number, to_number, to_cause, to_feature) as name,
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
  left join rooms c on c.id = d.to_room_id
  left join dids od on od.id = d.from_did_id
  left join agent_groups og on og.id = d.from_group_id
  left join hours oh on oh.id = d.from_hours_id
  left join ring_groups orr on orr.id = d.from_ring_group_id
  left join announcements oa on oa.id = d.from_announcement_id
  left join menus om on om.id = d.from_menu_id
  left join did_rules ou on ou.id = d.from_did_rule_id
  left join teams ot on ot.id = d.from_team_id;
comment on view destination_targets is 'Destinations by kind and name, as they are typed, and their owners written like that.';
`;
