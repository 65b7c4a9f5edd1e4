import type { Removal } from './operations.js';
import { forgetFailures, type Suspect } from '../../presence/sign-in-lock.js';

/** Forgets the wrong PINs of an agent, user or phone: of one that gets another PIN, and of one whose name becomes free. */
export async function forget(
  { trx, scope, name }: Pick<Removal, 'trx' | 'scope' | 'name'>,
  kind: Suspect['kind'],
): Promise<void> {
  if (scope.teamId !== null) await forgetFailures(trx, scope.teamId, [{ kind, number: name }]);
}
