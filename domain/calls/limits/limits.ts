/** A call to the outside, as far as limits go. */
export interface LimitedCall {
  /** Identity of the team that pays. */
  readonly team: string;
  /** Number of the extension that calls; null: nobody's, the team itself pays. */
  readonly extension: string | null;
  /** National, mobile, international and premium count; emergency and internal calls never do. */
  readonly class: string;
  /** Milliseconds since 1970. */
  readonly at: number;
  /**
   * Asterisk's uniqueid of the channel that asks, by which the call is recorded: it counts from this moment on, once however
   * often it is asked for. Without it nothing is counted: somebody only wants to know.
   */
  readonly call?: string | undefined;
}

export const limitNames = ['calls-per-hour', 'calls-per-day', 'minutes-per-hour', 'minutes-per-day'] as const;

/** The limit that keeps a call in. */
export interface LimitReached {
  readonly limit: (typeof limitNames)[number];
  readonly of: 'team' | 'user-group' | 'extension';
  /** Of the team, user group or extension. */
  readonly name: string;
  readonly most: number;
  /** The part of it that may be used at night. */
  readonly atNight?: true;
}

/** The most calls at a time of something that counts them in Asterisk: `team`, `group-sales`, `extension-5000`. */
export interface CallCount {
  readonly name: string;
  readonly most: number;
}

/** What calls to the outside are limited by. Answers from memory, and never waits. */
export interface CallLimits {
  /** Undefined: the call may go out. */
  check(call: LimitedCall): LimitReached | undefined;
  /** What Asterisk counts the call by; none: any number at a time. */
  counts(call: LimitedCall): readonly CallCount[];
}

/** For whoever has none to keep to. */
export const noLimits: CallLimits = { check: () => undefined, counts: () => [] };

/** A limit in words: `calls-per-hour of extension 5000 (120)`. */
export const limitInWords = ({ limit, of, name, most, atNight }: LimitReached): string =>
  `${limit} of ${of === 'user-group' ? 'user group' : of} ${name} (${most}${atNight ? ' at night' : ''})`;
