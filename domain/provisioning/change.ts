import type { Attempt } from './attempt.js';
import { explain } from './constraints.js';
import { sqlError, withDatabaseErrors } from '../database/sql-errors.js';
import { type Queryable } from '../database/pool.js';

/**
 * Carries out one change of the provisioning in one transaction: all of it or nothing. What the database refuses
 * comes back as a conflict that names what stands in the way, by the attempt that `work` has told; what fails for lack
 * of a database says so.
 */
export async function change<T>(
  db: Queryable,
  work: (trx: Queryable, tell: (attempt: Attempt) => void) => Promise<T>,
): Promise<T> {
  return withDatabaseErrors(async () => {
    let attempt: Attempt | undefined;
    try {
      return await db.transaction((trx) => work(trx, (told) => (attempt = told)));
    } catch (error) {
      const refused = sqlError(error);
      throw (refused && attempt && (await explain(db, refused, attempt))) ?? error;
    }
  });
}
