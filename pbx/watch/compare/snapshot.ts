import type { Database } from '../../../domain/database/pool.js';
import type { ManagerActions } from '../../ami/manager.js';
import { readOffers, type LiveChannel, type Offer, type OtherChannel } from '../../queue/offers.js';
import { readEpoch, readQueues, type Member, type Waiting } from '../../queue/status.js';
import { readQueueNames, readSignedInPhones, type SignedInPhone } from './signed-in-phones.js';

/** What Asterisk has at one moment, and the database right after it. */
export interface Snapshot {
  /** Every phone of the node where somebody is signed in, and the queues that are ours; read once, by whoever asks first. */
  signedIn: () => Promise<readonly SignedInPhone[]>;
  queues: () => Promise<ReadonlySet<string>>;
  members: Member[];
  waiting: Waiting[];
  /** The linkedids of all channels, by their uniqueids. */
  live: Map<string, string>;
  channels: LiveChannel[];
  /** By the device of the phone. */
  offers: Map<string, Offer>;
  /** Likewise the channels of calls that no queue has made. */
  others: Map<string, OtherChannel[]>;
  /** Asterisk's clock, in seconds. */
  now: number;
}

/**
 * Asks Asterisk. Compare it with a database that is read afterwards: a sign-in between the two reads then looks like a
 * missing member, which adding again mends, and not like a member too many. @throws AmiError.
 */
export async function takeSnapshot(manager: ManagerActions, db: Database, node: string): Promise<Snapshot> {
  const { members, waiting } = await readQueues(manager);
  const { live, channels, offers, others } = await readOffers(manager);
  const now = await readEpoch(manager);
  const signedIn = once(() => readSignedInPhones(db, node));
  return {
    members,
    waiting,
    live,
    channels,
    offers,
    others,
    now,
    signedIn,
    queues: once(() => readQueueNames(db, node)),
  };
}

/** Reads at the first question, and answers every further one with the same. */
function once<T>(read: () => Promise<T>): () => Promise<T> {
  let answer: Promise<T> | undefined;
  return () => (answer ??= read());
}
