import type { Queryable } from './pool.js';

/**
 * Takes or renews the watch over an Asterisk node: exactly one holder at a time follows its events. It is a lease
 * by the database's clock, since a server that hangs would keep an advisory lock for as long as its connection.
 * `promisedUntil` is what the holder will promise Asterisk next, in seconds of its clock: noted here first, so that
 * nothing that this database knows nothing of is a promise of its servers. True: the caller holds it for `seconds` from now.
 */
export async function takeLeaderLease(
  db: Queryable,
  node: string,
  holder: string,
  seconds: number,
  promisedUntil: number | null = null,
): Promise<boolean> {
  const { rows } = await db.raw<{ rows: unknown[] }>(
    `insert into leader_leases (node, holder, expires_at, promised_until)
     values (:node, :holder, clock_timestamp() + make_interval(secs => :seconds), :promisedUntil)
     on conflict (node) do update set holder = excluded.holder, expires_at = excluded.expires_at,
       promised_until = coalesce(excluded.promised_until, leader_leases.promised_until),
       unwatched_since = case when leader_leases.expires_at < clock_timestamp() then leader_leases.expires_at
         else leader_leases.unwatched_since end
     where leader_leases.holder = excluded.holder or leader_leases.expires_at < clock_timestamp()
     returning node`,
    { node, holder, seconds, promisedUntil },
  );
  return rows.length > 0;
}

/** Gives the watch back at once, so that the next server need not wait for it to run out. What was promised stays known. */
export async function releaseLeaderLease(db: Queryable, node: string, holder: string): Promise<void> {
  await db('leader_leases')
    .where({ node, holder })
    .update({ expires_at: db.raw('clock_timestamp()') });
}
