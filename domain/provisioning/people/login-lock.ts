import { prepared, type Queryable } from '../../database/pool.js';

/** Whose password was wrong, and from where, as it was typed. */
export interface Attempt {
  readonly door: 'web';
  readonly team: string;
  /** `agent 1001`, `user anna`. */
  readonly account: string;
  /** See {@link networkOf}. */
  readonly address: string;
}

/**
 * Wrong passwords in a row before a lock, which lasts a minute, and twice as long with each further one. A stranger who guesses
 * from elsewhere locks the account for their own address, and for others only after many more; an address, or a site of many,
 * that tries one account after the other is locked, too. These wide locks keep nobody out where they have logged in to the
 * account in the last days: they would let a stranger lock everybody out.
 */
export const allowedFailures = { accountFromAddress: 5, address: 30, site: 100, account: 100 } as const;
const longestLockSeconds = 3600;
const knownDays = 14;

/** What is counted together: an IPv4 address; of IPv6 the network of 64 bits, in which one machine has as many as it likes. */
export function networkOf(ip: string): string {
  const mapped = /^::ffff:([0-9.]+)$/i.exec(ip)?.[1];
  if (mapped !== undefined) return mapped;
  if (!ip.includes(':')) return ip;
  const [front = '', back] = (ip.split('%')[0] ?? '').toLowerCase().split('::');
  const groups = front === '' ? [] : front.split(':');
  const behind = back === undefined || back === '' ? [] : back.split(':');
  const all = [
    ...groups,
    ...(back === undefined ? [] : Array<string>(Math.max(0, 8 - groups.length - behind.length)).fill('0')),
    ...behind,
  ];
  return `${all
    .slice(0, 4)
    .map((group) => group.replace(/^0+(?=.)/, ''))
    .join(':')}::/64`;
}

/** Of IPv6 the network of 48 bits, in which one customer has as many of 64 bits as they like; of IPv4 the address itself. */
export const siteOf = (network: string): string =>
  network.endsWith('::/64') ? `${network.slice(0, -5).split(':').slice(0, 3).join(':')}::/48` : network;

interface Counter {
  team: string;
  account: string;
  address: string;
  allowed: number;
}

/** Always in this order, so that two who count at once never wait for each other. */
const countersOf = ({ team, account, address }: Attempt): Counter[] => {
  const site = siteOf(address);
  return [
    { team, account, address, allowed: allowedFailures.accountFromAddress },
    { team, account, address: '', allowed: allowedFailures.account },
    { team: '', account: '', address, allowed: allowedFailures.address },
    ...(site === address ? [] : [{ team: '', account: '', address: site, allowed: allowedFailures.site }]),
  ];
};

const keys = ({ team, account, address, door }: Attempt) => ({ team, account, address, door });

/**
 * Has whoever else tries this account, or unlocks it, wait for the end of the transaction; of one that does not exist there is
 * no row to lock. The row of an account that exists is locked before it.
 */
export async function holdAccount(trx: Queryable, team: string, account: string): Promise<void> {
  await prepared(trx, 'select pg_advisory_xact_lock(hashtextextended(?, 44))', [`${team} ${account}`]);
}

/** Seconds for which nobody is let in with this account from this address; 0: now. */
export async function lockedSeconds(db: Queryable, attempt: Attempt): Promise<number> {
  const [row] = await prepared<{ seconds: number | null }>(
    db,
    `select ceil(extract(epoch from max(locked_until) - clock_timestamp()))::integer as seconds
     from login_failures where door = :door and (team = :team and account = :account and address = :address
       or (team = :team and account = :account and address = ''
           or team = '' and account = '' and address in (:address, :site))
         and not exists (select from login_networks
           where door = :door and team = :team and account = :account and address = :address
             and succeeded_at > clock_timestamp() - interval '${knownDays} days'))`,
    { ...keys(attempt), site: siteOf(attempt.address) },
  );
  return Math.max(0, row?.seconds ?? 0);
}

/** Counts a wrong password; a day without one forgets those before. */
export async function countFailure(trx: Queryable, attempt: Attempt): Promise<void> {
  for (const counter of countersOf(attempt))
    await prepared(
      trx,
      `insert into login_failures as f (door, team, account, address, failures, failed_at)
       values (:door, :team, :account, :address, 1, clock_timestamp())
       on conflict (door, team, account, address) do update set failed_at = clock_timestamp(),
         failures = case when f.failed_at < clock_timestamp() - interval '1 day' then 1 else f.failures + 1 end,
         locked_until = case when f.failures + 1 >= :allowed::integer and f.failed_at >= clock_timestamp() - interval '1 day'
           then clock_timestamp() + make_interval(secs =>
             least(:longest::integer, 60 * 2.0 ^ least(f.failures + 1 - :allowed::integer, 20))) end`,
      { door: attempt.door, ...counter, longest: longestLockSeconds },
    );
  // Names may have been made up: what nobody has tried for a day goes, a few at a time.
  await prepared(
    trx,
    `delete from login_failures where ctid = any(array(select ctid from login_failures
       where failed_at < clock_timestamp() - interval '1 day' order by failed_at limit 50 for update skip locked))`,
  );
}

/**
 * A right password: what went wrong before with this account was a slip, from wherever, and is no guess of the address. What was
 * tried with other accounts stays counted, or whoever has one could go on guessing at all others.
 */
export async function noteSuccess(trx: Queryable, attempt: Attempt): Promise<void> {
  const own = keys(attempt);
  const [slips] = await prepared<{ failures: number }>(
    trx,
    `with gone as (delete from login_failures
       where door = :door and team = :team and account = :account and address in (:address, '') returning address, failures)
     select failures from gone where address = :address`,
    own,
  );
  for (const address of slips ? new Set([attempt.address, siteOf(attempt.address)]) : [])
    await prepared(
      trx,
      `with gone as (delete from login_failures where door = :door and team = '' and account = '' and address = :address
         and failures <= :failures::integer)
       update login_failures set failures = failures - :failures::integer
       where door = :door and team = '' and account = '' and address = :address and failures > :failures::integer`,
      { door: attempt.door, address, failures: slips?.failures ?? 0 },
    );
  await prepared(
    trx,
    `insert into login_networks (door, team, account, address, succeeded_at)
     values (:door, :team, :account, :address, clock_timestamp())
     on conflict (door, team, account, address) do update set succeeded_at = excluded.succeeded_at`,
    own,
  );
  await prepared(
    trx,
    `delete from login_networks where ctid = any(array(select ctid from login_networks
       where succeeded_at < clock_timestamp() - interval '${knownDays} days' order by succeeded_at limit 50
       for update skip locked))`,
  );
}

/** Somebody has got a new password, or is gone: nobody is locked out of the account, from wherever. */
export async function unlockAccount(trx: Queryable, team: string, account: string): Promise<void> {
  // A guess that is being counted at this moment would be left.
  await holdAccount(trx, team, account);
  await prepared(trx, 'delete from login_failures where team = ? and account = ?', [team, account]);
}
