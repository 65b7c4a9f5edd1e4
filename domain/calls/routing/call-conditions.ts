import { writeDestination, type Destination } from '../../destination.js';
import {
  canonicalPattern,
  covers,
  readPattern,
  writePattern,
  type NumberPattern,
} from '../../number-pattern.js';
import type { NumberPlan } from '../../telephone-numbers.js';
import type { Tell } from './opening.js';

/** What is known of a call when it arrives. */
export interface CallFacts {
  /** The number that was called, as it is kept. */
  readonly number: string;
  /** As the plan of the trunk has it; null: none that can be read. */
  readonly caller: string | null;
  /** The endpoint of its trunk; null: none is known. */
  readonly endpoint: string | null;
}

/** What must hold of a call; null: anything does. */
export interface Conditions {
  readonly name: string;
  readonly priority: number;
  readonly did: NumberPattern | null;
  readonly caller: NumberPattern | 'anonymous' | null;
  readonly trunk: { readonly name: string; readonly endpoint: string } | null;
}

/** Where calls go that meet conditions, instead of where their DID leads. */
export interface DidRule extends Conditions {
  /** Larger ones go ahead in a queue; 0: as everybody. */
  readonly queuePriority: number;
  readonly to: Destination;
}

/** Which application a call belongs to. */
export interface Binding extends Conditions {
  /** Only calls that go to this agent group first. */
  readonly group: string | null;
  readonly application: string;
  readonly link: string | null;
}

/** The first condition that does not hold of a call, in words; undefined: all of them hold. */
function unmet({ did, caller, trunk }: Conditions, call: CallFacts): string | undefined {
  if (did && !covers(did, call.number)) return `it is for ${writePattern(did)}`;
  if (caller === 'anonymous' && call.caller !== null) return 'it is for calls without a number';
  if (caller && caller !== 'anonymous' && (call.caller === null || !covers(caller, call.caller)))
    return `it is for calls from ${writePattern(caller)}`;
  if (trunk && trunk.endpoint !== call.endpoint) return `it is for calls over trunk ${trunk.name}`;
  return undefined;
}

/** The first of these, in their order, whose conditions all hold. */
function firstMet<C extends Conditions>(
  what: string,
  all: readonly C[],
  call: CallFacts,
  says: (one: C) => string,
  tell: Tell | undefined,
  more: (one: C) => string | undefined = () => undefined,
): C | undefined {
  for (const one of all) {
    const why = unmet(one, call) ?? more(one);
    tell?.(
      why === undefined
        ? `${what} ${one.name} (priority ${one.priority}) holds: ${says(one)}`
        : `${what} ${one.name} (priority ${one.priority}) does not hold: ${why}`,
    );
    if (why === undefined) return one;
  }
  return undefined;
}

/** Which rule decides where a call goes; `rules` in the order of `byPriority`. Undefined: none. */
export const ruleFor = (rules: readonly DidRule[], call: CallFacts, tell?: Tell): DidRule | undefined =>
  firstMet('rule', rules, call, ({ to }) => `the call goes to ${writeDestination(to)}`, tell);

/** To which application a call belongs that goes to this destination first; undefined: none. */
export const bindingFor = (
  bindings: readonly Binding[],
  call: CallFacts,
  to: Destination,
  tell?: Tell,
): Binding | undefined =>
  firstMet(
    'binding',
    bindings,
    call,
    ({ application }) => `the call belongs to ${application}`,
    tell,
    ({ group }) =>
      group === null || (to.kind === 'group' && to.name === group)
        ? undefined
        : `it is for calls to group ${group}`,
  );

/** The larger priority first; of the same one the first by name. */
export const byPriority = (a: Conditions, b: Conditions): number =>
  b.priority - a.priority || (a.name < b.name ? -1 : 1);

/** A number pattern of a condition, as it was typed, in the form in which numbers are kept. */
export const patternIn = (plan: NumberPlan, typed: string): NumberPattern =>
  readPattern(canonicalPattern(plan, typed));

/**
 * The number of who calls as the plan has it. It comes from the network and may be anything: what is no number, with the
 * signs that people write between digits, counts as none.
 */
export function callerIn(plan: NumberPlan, written: string | null): string | null {
  const number = (written ?? '').slice(0, 40).replace(/[ ()./-]/g, '');
  return /^[+]?[0-9]{1,20}$/.test(number) ? plan.canonical(number) : null;
}
