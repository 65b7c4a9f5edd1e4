import type { DiallingPlan } from '../../dialling-plan.js';
import type { NumberClass } from '../../number-classes.js';
import type { RecordRule } from '../../provisioning/fields/record.js';
import type { Way } from './ways-out.js';

/** What a user group says about the calls of its users. */
export interface UserGroupOut {
  readonly id: number;
  readonly name: string;
  readonly position: number;
  readonly way: Way | null;
  readonly mayCall: readonly NumberClass[] | null;
  readonly callerId: string | null;
  /** Name of the hours in which its users may call out; null: at any time. */
  readonly hours: string | null;
}

/** An extension that has something of its own to say; of others their endpoint tells the number. */
export interface ExtensionOut {
  readonly number: string;
  readonly callerId: string | null;
  readonly record: RecordRule | null;
  /** The groups of its user, the lowest position first. */
  readonly groups: readonly UserGroupOut[];
}

/** What a team says about calls to the outside, in memory. */
export interface OutboundTeam {
  readonly id: number;
  readonly team: string;
  readonly plan: DiallingPlan;
  readonly area: string | null;
  /** What is dialled before a number outside; null: its phones call nobody outside. */
  readonly outsidePrefix: string | null;
  readonly callerId: string | null;
  readonly mayCall: readonly NumberClass[];
  readonly record: RecordRule;
  /** The class of numbers that begin so, the longest beginning first. */
  readonly classes: readonly { readonly beginning: string; readonly class: NumberClass }[];
  readonly way: Way | null;
  /** By the endpoint of their phone. */
  readonly extensions: ReadonlyMap<string, ExtensionOut>;
  /** Every trunk that it may use, for emergencies. */
  readonly trunks: readonly Way[];
}

/** What a team has that others keep in memory. */
export interface TeamFacts {
  /** The DID of the team that has a number; undefined: none. */
  did(team: string, number: string): string | undefined;
  /** The state of its hours at an instant; undefined: it has none of that name. */
  hours(team: string, name: string, instant: number): { open: boolean; why: string } | undefined;
}

const nothingOfItsOwn = { callerId: null, record: null, groups: [] };

/**
 * The extension behind an endpoint, which Asterisk has authenticated; undefined: it is no phone of the team, so whoever
 * comes over it is a stranger, such as a trunk.
 */
export function extensionBehind(of: OutboundTeam, endpoint: string): ExtensionOut | undefined {
  const known = of.extensions.get(endpoint);
  if (known) return known;
  const [, team, number] = /^([a-z][a-z0-9]{1,19})-([0-9]{2,10})$/.exec(endpoint) ?? [];
  return team === of.team && number !== undefined ? { number, ...nothingOfItsOwn } : undefined;
}
