import { prepared, type Queryable } from './pool.js';

/** For how long a server may tell Asterisk about a phone without renewing its lease. Longer than one action takes. */
export const phoneLeaseMs = 5000;

/**
 * Takes or renews the leases of these phones for `holder`, and returns those that it has now: the others are another
 * holder's until they give them back or {@link phoneLeaseMs} have passed. By the database's clock.
 */
export async function takePhoneLeases(
  db: Queryable,
  phones: readonly string[],
  holder: string,
): Promise<Set<string>> {
  const rows = await prepared<{ phone: string }>(
    db,
    `insert into phone_leases (phone, holder, expires_at)
     -- In one order, so that two who take several never wait for each other.
     select phone, :holder, clock_timestamp() + make_interval(secs => :seconds::double precision)
     from (select distinct unnest(:phones::text[]) as phone) as wanted order by phone
     on conflict (phone) do update set holder = excluded.holder, expires_at = excluded.expires_at
     where phone_leases.holder = excluded.holder or phone_leases.expires_at < clock_timestamp()
     returning phone`,
    { phones: [...phones], holder, seconds: phoneLeaseMs / 1000 },
  );
  return new Set(rows.map(({ phone }) => phone));
}

/** Gives leases back; those that are not the holder's any more stay as they are. */
export async function releasePhoneLeases(
  db: Queryable,
  phones: readonly string[],
  holder: string,
): Promise<void> {
  await prepared(db, 'delete from phone_leases where holder = ? and phone = any(?::text[])', [
    holder,
    [...phones],
  ]);
}
