import { prepared, type Queryable } from '../database/pool.js';

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
 * from elsewhere locks the account for their own address, and for everybody only after many more; an address that tries one
 * account after the other is locked, too.
 */
export const allowedFailures = { accountFromAddress: 5, address: 30, account: 100 } as const;
const longestLockSeconds = 3600;

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

interface Counter {
  team: string;
  account: string;
  address: string;
  allowed: number;
}

/** Always in this order, so that two who count at once never wait for each other. */
const countersOf = ({ team, account, address }: Attempt): Counter[] => [
  { team, account, address, allowed: allowedFailures.accountFromAddress },
  { team, account, address: '', allowed: allowedFailures.account },
  { team: '', account: '', address, allowed: allowedFailures.address },
];

const keys = (attempt: Attempt) => {
  const { team, account, address, door } = attempt;
  return { team, account, address, door };
};
const counted = `door = :door and ((team = :team and account = :account and address in (:address, ''))
  or (team = '' and account = '' and address = :address))`;

/** Seconds for which nobody is let in with this account from this address; 0: now. */
export async function lockedSeconds(db: Queryable, attempt: Attempt): Promise<number> {
  const [row] = await prepared<{ seconds: number | null }>(
    db,
    `select ceil(extract(epoch from max(locked_until) - clock_timestamp()))::integer as seconds
     from login_failures where ${counted}`,
    keys(attempt),
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

/** A right password: what went wrong before, with this account or from this address, was a slip. */
export async function forgetFailures(trx: Queryable, attempt: Attempt): Promise<void> {
  await prepared(trx, `delete from login_failures where ${counted}`, keys(attempt));
}

/** Somebody has got a new password, or is gone: nobody is locked out of the account, from wherever. */
export async function unlockAccount(trx: Queryable, team: string, account: string): Promise<void> {
  await prepared(trx, 'delete from login_failures where team = ? and account = ?', [team, account]);
}
