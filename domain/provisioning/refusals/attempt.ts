import type { Noun } from '../fields/description.js';
import type { Scope } from '../values/scope.js';

/** What a command was about to do, for the message in case the database refuses it. */
export interface Attempt {
  readonly verb: 'add' | 'set' | 'remove';
  readonly noun: Noun;
  readonly scope: Scope;
  /** Name or number of the thing itself. */
  readonly name: string;
  /** The id of the thing, where there is one already. */
  readonly id?: number | undefined;
  /** What it is to become. */
  readonly given: Readonly<Record<string, unknown>>;
}

/** What was given for a field, as text; undefined when it was not. */
export function givenText({ given }: Attempt, field: string): string | undefined {
  const value = given[field];
  return typeof value === 'string' ? value : undefined;
}
