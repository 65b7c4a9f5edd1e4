import { prepared, type Queryable } from '../database/pool.js';

/** A queue of Asterisk and the group that it is. */
export interface Queue {
  teamId: number;
  groupId: number;
  /** Longest wrap-up; 0: no limit. */
  wrapUpSeconds: number;
}

/** The group behind a queue name such as `astercc-support`, undefined for a queue that is not ours. */
export async function findQueue(db: Queryable, queue: string): Promise<Queue | undefined> {
  const [, team, group] = /^([a-z][a-z0-9]{1,19})-([a-z][a-z0-9_]{0,31})$/.exec(queue) ?? [];
  if (team === undefined || group === undefined) return undefined;
  const [found] = await prepared<Queue>(
    db,
    `select g.team_id as "teamId", g.id as "groupId", g.wrap_up_seconds as "wrapUpSeconds"
     from agent_groups g join teams t on t.id = g.team_id where t.identity = ? and g.name = ?`,
    [team, group],
  );
  return found;
}

/** A call has joined a queue. Also the first word of a call whose arrival nobody could record. */
export async function callQueued(
  db: Queryable,
  queue: Queue,
  uniqueid: string,
  caller: string | null,
): Promise<void> {
  await prepared(
    db,
    `insert into calls (team_id, uniqueid, caller, group_id, queued_at) values (?, ?, ?, ?, clock_timestamp())
     on conflict (uniqueid) do update set group_id = excluded.group_id, queued_at = coalesce(calls.queued_at, excluded.queued_at)
     where calls.team_id = excluded.team_id`,
    [queue.teamId, uniqueid, caller, queue.groupId],
  );
}

/** An agent of the team has answered. */
export async function callAnswered(
  db: Queryable,
  teamId: number,
  uniqueid: string,
  agent: string,
): Promise<void> {
  await prepared(
    db,
    `update calls c set answered_at = coalesce(answered_at, clock_timestamp()), outcome = 'answered', agent_id = a.id
     from agents a where c.team_id = :teamId and c.uniqueid = :uniqueid and a.team_id = :teamId and a.number = :agent`,
    { teamId, uniqueid, agent },
  );
}

/** The caller has hung up while waiting. Says more than the end of the call does, which may be recorded first. */
export async function markAbandoned(db: Queryable, teamId: number, uniqueid: string): Promise<void> {
  await prepared(
    db,
    `update calls set outcome = 'abandoned' where team_id = ? and uniqueid = ? and answered_at is null`,
    [teamId, uniqueid],
  );
}

/**
 * Calls are over; `outcome` counts for those of which nothing better is known. Returns the calls that this has ended:
 * of the others, the arrival may not have been recorded yet.
 */
export async function callsEnded(
  db: Queryable,
  uniqueids: readonly string[],
  outcome: 'unanswered' | 'lost',
): Promise<string[]> {
  const rows = await prepared<{ uniqueid: string }>(
    db,
    `update calls set ended_at = greatest(clock_timestamp(), arrived_at), outcome = coalesce(outcome, ?::call_outcome)
     where uniqueid = any(?::text[]) and ended_at is null returning uniqueid`,
    [outcome, [...uniqueids]],
  );
  return rows.map(({ uniqueid }) => uniqueid);
}

/** Those of these calls of which it is known that an agent has answered. */
export async function answeredCalls(db: Queryable, uniqueids: readonly string[]): Promise<string[]> {
  return db('calls').whereIn('uniqueid', uniqueids).whereNotNull('answered_at').pluck<string[]>('uniqueid');
}

/** Those of these calls of which it is known that they have joined a queue. */
export async function queuedCalls(db: Queryable, uniqueids: readonly string[]): Promise<string[]> {
  return db('calls').whereIn('uniqueid', uniqueids).whereNotNull('queued_at').pluck<string[]>('uniqueid');
}

/** The calls that the database holds for running. */
export async function openCalls(db: Queryable): Promise<string[]> {
  const rows = await db('calls').whereNull('ended_at').select<{ uniqueid: string }[]>('uniqueid');
  return rows.map(({ uniqueid }) => uniqueid);
}
