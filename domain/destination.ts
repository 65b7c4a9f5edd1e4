import { fail } from './errors.js';
import { checkChoice, checkName, quoted, type Named } from './names.js';

/** What a call can be sent to. */
export const destinationKinds = [
  'extension',
  'agent',
  'ring-group',
  'group',
  'hours',
  'announcement',
  'menu',
  'room',
  'outside',
  'hangup',
  'feature',
] as const;

export type DestinationKind = (typeof destinationKinds)[number];

/** With which word a caller is let go; the dialplan context `star64-hangup` has the cause for each. */
export const hangupCauses = ['normal', 'busy', 'unanswered', 'rejected', 'unknown', 'congestion'] as const;

/** Where a call goes next: one thing of the same team, typed and shown as `<kind>:<name>`. */
export interface Destination {
  readonly kind: DestinationKind;
  /** Name or number of the thing; for `outside` a telephone number, for `hangup` a cause, for `feature` a feature. */
  readonly name: string;
}

/** What follows each kind: the alphabet of its names, or its few words. */
const named: Readonly<Record<Exclude<DestinationKind, 'hangup' | 'feature'>, Named>> = {
  extension: 'extension',
  agent: 'agent',
  'ring-group': 'ring-group',
  group: 'group',
  hours: 'hours',
  announcement: 'announcement',
  menu: 'menu',
  room: 'room',
  outside: 'telephone',
};

/** As people type and read it: `group:support`. */
export const writeDestination = ({ kind, name }: Destination): string => `${kind}:${name}`;

/**
 * Reads `<kind>:<name>`. `features` are the words that may follow `feature:`. Whether there is such a thing only the
 * database can say. @throws Star64Error `invalid_destination`, or what is wrong with the name.
 */
export function parseDestination(what: string, typed: string, features: readonly string[]): Destination {
  const [, kind, name] = /^([a-z-]+):(.+)$/s.exec(typed) ?? [];
  const found = destinationKinds.find((one) => one === kind);
  if (found === undefined || name === undefined) {
    throw fail('invalid_destination', {
      facts: { what, kinds: destinationKinds },
      says: `${what} ${quoted(typed)} is no destination`,
      remedy: {
        text: `type what it is and its name, for example group:support; it can be ${destinationKinds.join(', ')}`,
      },
    });
  }
  if (found === 'hangup') return { kind: found, name: checkChoice('cause', hangupCauses, name) };
  if (found === 'feature') return { kind: found, name: checkChoice('feature', features, name) };
  return { kind: found, name: checkName(named[found], name) };
}
