/** Calls to the outside in the records: how long the channel to the trunk lived, what is listed by, what followers are told. */
export const up = `
alter table calls
  add column leg text,
  add column leg_answered_at timestamptz,
  add column leg_ended_at timestamptz,
  add column further_seconds integer,
  add column decided boolean not null default false;
comment on column calls.leg is
  'The channel to the trunk whose number answered, by its uniqueid: such a call lasts as long as it does, whoever talks there.';
comment on column calls.leg_answered_at is
  'When that number answered, also of a call that came in and was sent on to it: from then until leg_ended_at a provider bills.';
comment on column calls.further_seconds is
  'Talk with numbers outside that answered after that one, in the same call: a provider bills each. Null: there was none.';
comment on column calls.decided is
  'What a server decided of the call to the outside stands here: nothing is looked up, or guessed, over it.';
comment on column calls.outcome is
  'What was seen of it: somebody answered; abandoned: the caller hung up before; busy, no-answer, refused, unreachable: '
  'what the extension, or the number outside, did; failed: no trunk has taken it; nobody, timeout, full: as a queue let the '
  'caller go; refused, of a call to the outside with calls.refused: it was not let out; unknown: nobody saw it. '
  'Null: it goes on.';

do $$
declare
  definition text;
begin
  select pg_get_constraintdef(k.oid) into definition from pg_constraint k where k.conname = 'calls_outcome_known';
  -- Not valid: what is there has met the one before, which knew less.
  execute format('alter table calls drop constraint calls_outcome_known, add constraint calls_outcome_known %s not valid',
    replace(definition, '''unreachable''::text', '''unreachable''::text, ''failed''::text'));
end $$;

-- Newest first, by each of what people ask for.
create index calls_direction_idx on calls (team_id, direction, arrived_at, id);
create index calls_sent_on_idx on calls (team_id, arrived_at, id) where leg is not null and direction <> 'out';
create index calls_sent_on_answered_idx on calls (node, leg_answered_at) where leg is not null and direction <> 'out';
create index calls_number_idx on calls (team_id, number, arrived_at, id) where number is not null;
create index calls_trunk_idx on calls (team_id, trunk, arrived_at, id) where trunk is not null;
create index calls_leg_open_idx on calls (node, leg) where leg is not null and leg_ended_at is null;

alter table call_tries
  add column leg text,
  add column talk_seconds integer;
create index call_tries_leg_open_idx on call_tries (leg) where leg is not null and talk_seconds is null;
comment on column call_tries.leg is 'As calls.leg, of a number that answered: a call that is sent on may have several.';
comment on column call_tries.talk_seconds is
  'How long that channel lived, of one that is not calls.leg; null: it lives, or nobody saw its end.';

alter table leader_leases add column unwatched_since timestamptz;
comment on column leader_leases.unwatched_since is
  'When the watch before this one ran out, or was given back: what is over then, and nobody saw, is not longer.';

-- A call to the outside is dialled, and no call that has arrived.
create or replace function tell_call() returns trigger language plpgsql as $$
declare
  told json;
begin
  select json_build_object('id', 'call-' || new.id, 'team', t.identity, 'call', new.uniqueid, 'direction', new.direction,
    'caller', new.caller, 'did', new.did, 'number', new.number, 'group', g.name,
    'extension', coalesce(f.number, x.number), 'agent', a.number, 'trunk', new.trunk, 'refused', new.refused,
    'outcome', new.outcome)
  into told
  from teams t left join agent_groups g on g.id = new.group_id left join extensions x on x.id = new.extension_id
  left join extensions f on f.id = new.from_extension_id left join agents a on a.id = new.from_agent_id
  where t.id = new.team_id;
  if tg_op = 'INSERT' then
    perform write_event(new.team_id, 'call-' || new.id,
      case new.direction when 'out' then 'call.dialled' else 'call.arrived' end, new.arrived_at, told);
  end if;
  if new.ended_at is not null then
    perform write_event(new.team_id, 'call-' || new.id, 'call.ended', new.ended_at, told);
  end if;
  return null;
end $$;
`;
