import { setTimeout as sleep } from 'node:timers/promises';
import { phoneLeaseMs, releasePhoneLeases, takePhoneLeases } from '../../domain/database/phone-leases.js';
import type { Database } from '../../domain/database/pool.js';

/** For how long another server's lease of a phone is waited for, and how often it is asked for. */
const leasePatienceMs = 2 * phoneLeaseMs;
const leaseAgainMs = 25;
/** A lease is renewed once it is this old, so that it lasts for the next action. */
const renewAfterMs = phoneLeaseMs / 2;

/** A phone that this server alone may tell Asterisk about, for as long as it keeps the lease. */
export class Lease {
  #until = 0;

  private constructor(
    private readonly db: Database,
    private readonly device: string,
    private readonly holder: string,
    now: number,
  ) {
    this.#until = now + phoneLeaseMs;
  }

  /** The leases of those of these devices that nobody else has. */
  static async ofMany(db: Database, devices: string[], holder: string): Promise<Map<string, Lease>> {
    // Read before, so that the lease is over for us before it is for the others.
    const now = performance.now();
    const taken = await takePhoneLeases(db, devices, holder);
    return new Map([...taken].map((device) => [device, new Lease(db, device, holder, now)]));
  }

  /** Makes sure that it lasts for a few more actions. @throws when another server has taken the phone over. */
  async hold(): Promise<void> {
    const now = performance.now();
    if (now < this.#until - renewAfterMs) return;
    if (now < this.#until && (await takePhoneLeases(this.db, [this.device], this.holder)).size > 0) {
      this.#until = now + phoneLeaseMs;
      return;
    }
    throw new Error('it took so long that another server may be telling Asterisk about this phone');
  }
}

/**
 * Does `work` under the lease of one phone, and gives it back.
 * @throws when another server does not give the phone back in time, or PostgreSQL cannot be asked.
 */
export async function withLease<T>(
  db: Database,
  device: string,
  holder: string,
  work: (lease: Lease) => Promise<T>,
): Promise<T> {
  const until = performance.now() + leasePatienceMs;
  for (;;) {
    const lease = (await Lease.ofMany(db, [device], holder)).get(device);
    if (lease) {
      try {
        return await work(lease);
      } finally {
        await releasePhoneLeases(db, [device], holder);
      }
    }
    if (performance.now() > until) throw new Error('another server is busy with this phone');
    await sleep(leaseAgainMs);
  }
}
