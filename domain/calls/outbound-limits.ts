import type { NumberClass } from '../number-classes.js';

/** Who pays for a call to the outside. */
export interface Payer {
  readonly teamId: number;
  readonly team: string;
  /** Number of the extension; null: the team itself pays. */
  readonly extension: string | null;
  /** Names of the user groups of its user, the lowest position first. */
  readonly userGroups: readonly string[];
}

/** The most calls at a time of something that counts them: `team`, `group-sales`, `extension-5000`. */
export interface CallCount {
  readonly name: string;
  readonly most: number;
}

/** How much a team, a user group and an extension may call. Answered from memory. */
export interface OutboundLimits {
  /** Which limit a call of this class at this moment would break, in words; undefined: none. Counts nothing. */
  check(payer: Payer, numberClass: NumberClass, now: number): string | undefined;
  /** What Asterisk counts the call at a time by. */
  counts(payer: Payer): readonly CallCount[];
}

export const noLimits: OutboundLimits = { check: () => undefined, counts: () => [] };
