import { prepared, type Database, type Queryable } from '../../database/pool.js';

/** What an administrator of a group does in a call of it (spec 24). */
export const supervisionModes = ['listen', 'whisper', 'barge'] as const;
export type SupervisionMode = (typeof supervisionModes)[number];

/** An answered call at a phone, as its channel says it: the queue whose call it is, and its linkedid. */
export interface HeardCall {
  queue: string;
  call: string;
}

export interface SupervisionWanted {
  team: string;
  /** Of the administrator, and the number of the phone where they are. */
  userId: number;
  from: string;
  /** The number of the phone that they want to hear, and the calls there. */
  extension: string;
  calls: readonly HeardCall[];
  mode: SupervisionMode;
  /** Uniqueid of the listening channel. */
  byCall: string;
}

export type SupervisionBegun =
  | {
      outcome: 'begun';
      id: number;
      /** Which of the calls. */
      at: number;
      queue: string;
      /** Whether the agent is to be told. */
      announced: boolean;
    }
  | { outcome: 'nothing' | 'unknown-extension' };

/**
 * Lets an administrator listen to the first of the calls that are of a group of theirs, and records that they do: what
 * cannot be recorded is not heard. Asked again by the same channel for the same call it is the same record; what that channel
 * listened to before is over.
 */
export function beginSupervision(db: Database, wanted: SupervisionWanted): Promise<SupervisionBegun> {
  const { team, extension, byCall } = wanted;
  return db.transaction(async (trx): Promise<SupervisionBegun> => {
    const [there] = await prepared(
      trx,
      `select 1 from extensions x join teams t on t.id = x.team_id
       where t.identity = :team and x.number = :extension and x.removed_at is null`,
      { team, extension },
    );
    if (!there) return { outcome: 'unknown-extension' };
    await prepared(
      trx,
      `update supervisions s set ended_at = greatest(clock_timestamp(), s.began_at) from teams t
       where t.identity = :team and s.node = t.node and s.by_call = :byCall and s.ended_at is null
         and s.call_uniqueid <> all(:calls::text[])`,
      { team, byCall, calls: wanted.calls.map(({ call }) => call) },
    );
    const [begun] = await prepared<{ id: string; at: string; queue: string; announced: boolean }>(
      trx,
      `with heard as (
         select t.id as team_id, t.node, t.announce_supervision as announced, g.id as group_id, c.queue, c.call, c.at
         from unnest(:queues::text[], :calls::text[]) with ordinality as c (queue, call, at)
         join teams t on t.identity = :team
         join agent_groups g on g.team_id = t.id and t.identity || '-' || g.name = c.queue
         join agent_group_administrators m on m.group_id = g.id and m.user_id = :userId
         order by c.at limit 1
       ), written as (
         insert into supervisions as s (team_id, user_id, from_extension_id, extension_id, agent_id, group_id, node, by_call,
           call_uniqueid, mode, announced)
         select h.team_id, :userId::integer, f.id, x.id, i.agent_id, h.group_id, h.node, :byCall::text, h.call, :mode::text, h.announced
         from heard h
         join extensions f on f.team_id = h.team_id and f.number = :from and f.removed_at is null
         join extensions x on x.team_id = h.team_id and x.number = :extension and x.removed_at is null
         left join sign_ins i on i.extension_id = x.id and i.signed_out_at is null
         on conflict (node, by_call) where ended_at is null do update set mode = excluded.mode
         returning id
       )
       select written.id, heard.at, heard.queue, heard.announced from heard, written`,
      {
        ...wanted,
        queues: wanted.calls.map(({ queue }) => queue),
        calls: wanted.calls.map(({ call }) => call),
      },
    );
    if (!begun) return { outcome: 'nothing' };
    const { id, at, queue, announced } = begun;
    return { outcome: 'begun', id: Number(id), at: Number(at), queue, announced };
  });
}

/** The administrator who has said on this listening channel who they are, and has listened there; undefined: nobody. */
export async function provenSupervisor(
  db: Queryable,
  team: string,
  byCall: string,
): Promise<number | undefined> {
  const [row] = await prepared<{ userId: number }>(
    db,
    `select s.user_id as "userId" from supervisions s join teams t on t.id = s.team_id and t.node = s.node
     where t.identity = :team and s.by_call = :byCall order by s.id desc limit 1`,
    { team, byCall },
  );
  return row?.userId;
}

/** What is told of a supervision while it goes on: milliseconds so far in each mode. */
export interface SupervisionStep {
  id: number;
  /** The mode from now on; `over`: it has ended. */
  step: SupervisionMode | 'over';
  listen: number;
  whisper: number;
  barge: number;
}

/** Records a step; told twice, or late, it takes nothing back. */
export async function recordSupervisionStep(
  db: Queryable,
  node: string,
  told: SupervisionStep,
): Promise<void> {
  await prepared(
    db,
    `update supervisions set mode = case when :step::text = 'over' then mode else :step::text end,
       listened_ms = greatest(listened_ms, :listen::integer), whispered_ms = greatest(whispered_ms, :whisper::integer),
       barged_ms = greatest(barged_ms, :barge::integer),
       ended_at = coalesce(ended_at, case when :step::text = 'over' then greatest(clock_timestamp(), began_at) end)
     where id = :id and node = :node`,
    { ...told, node },
  );
}

/** Supervisions of a node that the database holds for under way, with their listening channels. */
export function openSupervisions(db: Queryable, node: string): Promise<{ id: string; byCall: string }[]> {
  return prepared(
    db,
    'select id, by_call as "byCall" from supervisions where node = :node and ended_at is null order by id',
    { node },
  );
}

/** Ends one whose end nobody has told. */
export async function endSupervision(db: Queryable, id: string): Promise<void> {
  await prepared(
    db,
    'update supervisions set ended_at = greatest(clock_timestamp(), began_at) where id = ? and ended_at is null',
    [id],
  );
}
