import type { Attempt } from './attempt.js';
import { fail, type Remedy, type Star64Error } from '../../errors.js';

/** Somebody or something has the place already. */
export function taken(
  { noun, scope, name }: Attempt,
  says: string,
  remedy: Remedy,
  facts: Record<string, string | null | undefined> = {},
): Star64Error {
  return fail('taken', { noun: noun.noun, name, facts: { team: scope.team, ...facts }, says, remedy });
}

/** Another name, or the one that there is changed: the usual way out. */
export const otherName = ({ noun, scope, name }: Attempt, what: string): Remedy => ({
  text: `choose another ${what}, or change it with {0}`,
  steps: [{ noun: noun.noun, verb: 'set', name, team: scope.team }],
});
