import type { Queryable } from '../database/pool.js';

/** Wrong numbers or PINs in a row before a lock; the lock lasts a minute, and twice as long with each further one. */
const allowedFailures = 5;
const longestLockSeconds = 3600;

/** Failures are counted for the phone that asked, and for the agent, user or room whose PIN was wrong. */
export interface Suspect {
  kind: 'agent' | 'phone' | 'user' | 'room';
  number: string;
}

/** Whether one of these is locked now. */
export async function isLocked(
  db: Queryable,
  teamId: number,
  suspects: readonly Suspect[],
): Promise<boolean> {
  const { rows } = await db.raw<{ rows: unknown[] }>(
    `select 1 from sign_in_failures where team_id = ? and (kind, number) in (${suspects.map(() => '(?, ?)').join()})
       and locked_until > clock_timestamp()`,
    [teamId, ...suspects.flatMap(({ kind, number }) => [kind, number])],
  );
  return rows.length > 0;
}

/** Counts a failure; from the fifth in a row on it locks, longer each time. A day without one forgets them. */
export async function countFailure(
  db: Queryable,
  teamId: number,
  suspects: readonly Suspect[],
): Promise<void> {
  for (const { kind, number } of suspects) {
    await db.raw(
      `insert into sign_in_failures as f (team_id, kind, number, failures, failed_at)
       values (:teamId, :kind, :number, 1, clock_timestamp())
       on conflict (team_id, kind, number) do update set failed_at = clock_timestamp(),
         failures = case when f.failed_at < clock_timestamp() - interval '1 day' then 1 else f.failures + 1 end,
         locked_until = case when f.failures + 1 >= :allowed and f.failed_at >= clock_timestamp() - interval '1 day'
           then clock_timestamp() + make_interval(secs => least(:longest, 60 * 2.0 ^ least(f.failures + 1 - :allowed, 20)))
         end`,
      { teamId, kind, number, allowed: allowedFailures, longest: longestLockSeconds },
    );
  }
}

/** A success: what went wrong before was a slip. */
export async function forgetFailures(
  db: Queryable,
  teamId: number,
  suspects: readonly Suspect[],
): Promise<void> {
  for (const { kind, number } of suspects) {
    await db('sign_in_failures').where({ team_id: teamId, kind, number }).delete();
  }
}
