import type { Phone } from './phone.js';

/** What the phone scripts need of Asterisk's queues: `pbx/` provides it, so that `agi/` need not know how. */
export interface Membership {
  /**
   * Makes the queues agree with the database for one phone. Never throws. False: Asterisk could not be told now;
   * the other servers are asked to, and the reconciliation does it later. `thorough` looks at every queue of the agent, as a sign-in or another work mode
   * asks for; without it a pause or its end is told. `alone` asks no other server.
   */
  sync(phone: Phone, options?: { thorough?: boolean; alone?: boolean }): Promise<boolean>;

  /** As `sync`, for many phones in about the time of one: what happens to hundreds in the same moment. Never throws. */
  syncAll(phones: readonly Phone[]): Promise<void>;

  /**
   * Takes back the offer of this name: the phone stops ringing, and the queue tries the next agent. One that has been
   * answered goes on. Never throws.
   */
  cancelOffer(offer: string): Promise<void>;

  /**
   * Whether a SIP phone is gone: it is not registered, or does not answer Asterisk, which asks it anew. Takes up to
   * 3.5 s for one that does not answer. False when that cannot be found out. Never throws.
   */
  isUnreachable(phone: Phone): Promise<boolean>;

  /**
   * Whether a channel of an operator's endpoint is in the group by which its phone has one call at a time, as the line
   * `set_var=GROUP(star64)=PJSIP/<endpoint>` makes it. Undefined: the channel is gone. Rejects when Asterisk is away.
   */
  isGuarded(channel: string, endpoint: string): Promise<boolean | undefined>;
}
