import type { Queryable } from '../database/pool.js';
import type { LimitReached } from '../calls/limits/limits.js';

/** A limit that keeps calls to the outside in now. */
export interface LimitStatus {
  of: LimitReached['of'];
  /** Of the team, user group or extension. */
  name: string;
  limit: LimitReached['limit'];
  most: number;
  /** Whether it is the part of the limit that may be used at night. */
  atNight: boolean;
  since: Date;
  /** When it kept the last call in, and how many so far. */
  lastAt: Date;
  refused: number;
}

/** Calls to the outside that were not let out, by why: `class`, `limit`. */
export interface RefusedCalls {
  reason: string;
  calls: number;
}

/** Limits that are reached now, the oldest first. */
export async function readLimitsReached(db: Queryable, teamId: number): Promise<LimitStatus[]> {
  const { rows } = await db.raw<{ rows: LimitStatus[] }>(
    `select of, name, "limit", most, at_night as "atNight", reached_at as since, last_at as "lastAt", refused
     from limits_reached where team_id = ? and over_at is null order by reached_at, id`,
    [teamId],
  );
  return rows;
}

/** What was refused within the last hour, the most frequent reason first. */
export async function readRefusedCalls(db: Queryable, teamId: number): Promise<RefusedCalls[]> {
  const { rows } = await db.raw<{ rows: RefusedCalls[] }>(
    `select refused as reason, count(*)::integer as calls from calls
     where team_id = ? and direction = 'out' and arrived_at > now() - interval '1 hour' and refused is not null
     group by refused order by 2 desc, 1`,
    [teamId],
  );
  return rows;
}
