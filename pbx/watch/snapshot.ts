import type { ManagerActions } from '../ami/manager.js';
import { readOffers, type Offer } from '../queue/offers.js';
import { readEpoch, readQueues, type Member, type Waiting } from '../queue/status.js';

/** What Asterisk has at one moment. */
export interface AsteriskSnapshot {
  members: Member[];
  waiting: Waiting[];
  /** The linkedids of all channels, by their uniqueids. */
  live: Map<string, string>;
  /** By the device of the phone. */
  offers: Map<string, Offer>;
  /** Asterisk's clock, in seconds. */
  now: number;
}

/**
 * Asks Asterisk. Compare it with a database that is read afterwards: a sign-in between the two reads then looks like a
 * missing member, which adding again mends, and not like a member too many. @throws AmiError.
 */
export async function takeSnapshot(manager: ManagerActions): Promise<AsteriskSnapshot> {
  const { members, waiting } = await readQueues(manager);
  const { live, offers } = await readOffers(manager);
  return { members, waiting, live, offers, now: await readEpoch(manager) };
}
