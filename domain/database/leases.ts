import type { Queryable } from './pool.js';

/**
 * Takes or renews the watch over an Asterisk node: exactly one holder at a time follows its events. It is a lease
 * by the database's clock, since a server that hangs would keep an advisory lock for as long as its connection.
 * True: the caller holds it for `seconds` from now.
 */
export async function takeLeaderLease(
  db: Queryable,
  node: string,
  holder: string,
  seconds: number,
): Promise<boolean> {
  const { rows } = await db.raw<{ rows: unknown[] }>(
    `insert into leader_leases (node, holder, expires_at)
     values (:node, :holder, clock_timestamp() + make_interval(secs => :seconds))
     on conflict (node) do update set holder = excluded.holder, expires_at = excluded.expires_at
     where leader_leases.holder = excluded.holder or leader_leases.expires_at < clock_timestamp()
     returning node`,
    { node, holder, seconds },
  );
  return rows.length > 0;
}

/** Gives the watch back at once, so that the next server need not wait for it to run out. */
export async function releaseLeaderLease(db: Queryable, node: string, holder: string): Promise<void> {
  await db('leader_leases').where({ node, holder }).delete();
}
