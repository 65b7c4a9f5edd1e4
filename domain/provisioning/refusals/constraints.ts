import type { Attempt } from './attempt.js';
import type { Queryable } from '../../database/pool.js';
import { dependents, stillNeeded } from './dependents.js';
import { fail, type Star64Error } from '../../errors.js';
import { explainTaken } from './explanations.js';
import { nounOf } from '../../names.js';

const meanwhile = ({ noun, scope, name }: Attempt, why: string, text: string): Star64Error =>
  fail('changed_meanwhile', {
    noun: noun.noun,
    name,
    facts: { team: scope.team },
    says: `${nounOf(noun.noun)} ${name} was not changed: ${why}.`,
    remedy: { text },
  });

/** Somebody else was changing what this command was about. */
export const otherCommand = (attempt: Attempt): Star64Error =>
  meanwhile(attempt, 'another command was changing the same thing', 'Try again');

/** Turns what the database refused into the error to show; undefined when it says nothing to a person. */
export async function explain(
  db: Queryable,
  error: { code: string; constraint: string | undefined },
  attempt: Attempt,
): Promise<Star64Error | undefined> {
  const { code, constraint = '' } = error;
  const { noun, id } = attempt;
  // A unique constraint, or one that excludes.
  if (code === '23505' || code === '23P01') return explainTaken(db, constraint, attempt);
  // A reference: since version 18 PostgreSQL tells RESTRICT (23001) from the rest (23503).
  if (code === '23503' || code === '23001') {
    if (attempt.verb === 'remove' && id !== undefined)
      return stillNeeded(attempt, await dependents(db, noun, id));
    return meanwhile(
      attempt,
      'something that it refers to was removed at the same moment',
      'Look, and try again',
    );
  }
  // Deadlock or serialization failure: this command was chosen to give way to another.
  if (code === '40P01' || code === '40001') return otherCommand(attempt);
  return undefined;
}
