import { fail, type Star64Error, type Step } from '../../errors.js';
import { nounOf, quoted } from '../../names.js';
import type { Field, Noun } from '../fields/description.js';
import { whatOf } from '../values/values.js';

/**
 * Refuses what reaches beyond the team, for whoever is an administrator of a team and not of the machine: settings that the
 * description calls the operator's, and sound files that are not below Asterisk's own directory, where the recordings of
 * other teams are. `given` has the fields as the domain calls them. @throws Star64Error `operators_own`
 */
export function refuseOperatorsOwn(noun: Noun, name: string, given: Readonly<Record<string, unknown>>): void {
  for (const [key, field] of Object.entries<Field>(noun.fields)) {
    const value = given[key];
    if (value === undefined || !isOperators(field, value)) continue;
    throw fail('operators_own', {
      noun: noun.noun,
      name,
      facts: { field: key },
      says: `${whatOf(key, field)} of ${nounOf(noun.noun)} ${quoted(name)} reaches beyond the team`,
      remedy: { text: 'have the operator of the machine set it with star64, or leave it as it is' },
    });
  }
}

const isOperators = ({ operator, value: kind }: Field, value: unknown): boolean =>
  operator === true ||
  (kind.is === 'name' && kind.of === 'sound' && typeof value === 'string' && value.startsWith('/'));

/**
 * An error as a team may see it: what stands in the way belongs to another team, or to all, where the command line, which
 * is the operator's, names it.
 */
export function withoutOthers(error: Star64Error, team: string): Star64Error {
  const { noun, name, facts = {}, remedy } = error.details;
  const foreign = (other: unknown): boolean => other !== undefined && other !== null && other !== team;
  const steps: readonly Step[] = remedy?.steps ?? [];
  const holds = 'holderTeam' in facts && facts['holderTeam'] !== team;
  if (!holds && !foreign(facts['team']) && !steps.some((step) => foreign(step.team))) return error;
  return fail('not_of_the_team', {
    noun,
    name,
    facts: { team },
    says: `${noun === undefined ? 'it' : `${nounOf(noun as Noun['noun'])} ${quoted(name ?? '')}`} would have something that is taken outside team ${team}`,
    remedy: { text: 'give it another number, address or secret, or ask the operator of the machine' },
  });
}
