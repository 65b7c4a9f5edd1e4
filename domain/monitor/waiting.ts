import { prepared, type Queryable } from '../database/pool.js';
import { withDatabaseErrors } from '../database/sql-errors.js';
import { unknown } from '../names.js';

/** Who waits for a group. */
export interface Waiting {
  /** Callers in its queue. */
  waiting: number;
  /** Since when the one who waits longest does. */
  waitingSince: Date | null;
}

/** Somebody who waits in a queue. */
export interface WaitingCaller {
  /** Asterisk's uniqueid of their call. */
  call: string;
  /** The number of the caller, as the trunk gave it. */
  caller: string | null;
  /** The DID that they have called. */
  did: string | null;
  joinedAt: Date;
  /** Their place as they joined; a caller with a higher priority may have come before them since. */
  position: number | null;
}

/** So many callers of a queue are told, those who have waited longest. */
const mostCallers = 500;

/** Who waits in the queue of a group, the longest first. @throws Star64Error `unknown` when the team has no such group. */
export function readQueue(
  db: Queryable,
  team: string,
  group: string,
): Promise<Waiting & { callers: WaitingCaller[] }> {
  return withDatabaseErrors(async () => {
    const rows = await prepared<Omit<WaitingCaller, 'joinedAt'> & { joinedAt: Date | null; waiting: number }>(
      db,
      `select c.uniqueid as call, c.caller, c.did, v.joined_at as "joinedAt", v.position,
         (count(v.id) over ())::integer as waiting
       from teams t
       join agent_groups g on g.team_id = t.id and g.name = :group
         and (g.removed_at is null or g.leaving_since is not null)
       left join queue_visits v on v.team_id = t.id and v.group_id = g.id and v.left_at is null and v.answered_at is null
       left join calls c on c.id = v.call_id
       where t.identity = :team order by v.joined_at, v.id limit :most`,
      { team, group, most: mostCallers },
    );
    const [first] = rows;
    if (!first) throw unknown('group', team, group);
    const callers = rows.flatMap(({ call, caller, did, joinedAt, position }) =>
      joinedAt === null ? [] : [{ call, caller, did, joinedAt, position }],
    );
    return { waiting: first.waiting, waitingSince: first.joinedAt, callers };
  });
}

/** Who waits in a team, by the names of its groups; of a group for which nobody does there is nothing. One statement. */
export function readWaiting(db: Queryable, team: string): Promise<Map<string, Waiting>> {
  return withDatabaseErrors(async () => {
    const rows = await prepared<Waiting & { name: string }>(
      db,
      `select g.name, count(*)::integer as waiting, min(v.joined_at) as "waitingSince"
       from teams t
       join queue_visits v on v.team_id = t.id and v.left_at is null and v.answered_at is null
       join agent_groups g on g.id = v.group_id and g.removed_at is null
       where t.identity = ? group by g.name`,
      [team],
    );
    return new Map(rows.map(({ name, ...waiting }) => [name, waiting]));
  });
}
