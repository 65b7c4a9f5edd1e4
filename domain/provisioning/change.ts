import { explain } from './constraints.js';
import { type Attempt } from './attempt.js';
import { sqlError, withDatabaseErrors } from '../database/sql-errors.js';
import { type Queryable } from '../database/pool.js';

/**
 * Carries out one change of the provisioning in one transaction: all of it or nothing. What the database refuses
 * comes back as a conflict that names what stands in the way; what fails for lack of a database says so.
 */
export async function change<T>(
  db: Queryable,
  attempt: Attempt,
  work: (trx: Queryable) => Promise<T>,
): Promise<T> {
  return withDatabaseErrors(async () => {
    try {
      return await db.transaction(work);
    } catch (error) {
      const refused = sqlError(error);
      throw (refused && (await explain(db, refused, attempt))) ?? error;
    }
  });
}
