import type { Attempt } from '../refusals/attempt.js';
import { explain, otherCommand } from '../refusals/constraints.js';
import { sqlError, withDatabaseErrors } from '../../database/sql-errors.js';
import { type Queryable } from '../../database/pool.js';

/**
 * Thrown by the work of a change that finds something to do that takes long and asks the database nothing, or something
 * that has changed under it. The transaction is rolled back, so that nothing is locked meanwhile, and done anew after it.
 */
export class Beforehand extends Error {
  constructor(readonly prepare: () => Promise<void> = () => Promise.resolve()) {
    super('to be done before the transaction');
  }
}

/** What `Beforehand` has made ready, from one run of the transaction to the next. */
export type Ready = Map<string, string>;

/** Each run after the first is due to somebody who has changed something between two. */
const mostRuns = 6;

/**
 * Carries out one change of the provisioning in one transaction: all of it or nothing. What the database refuses
 * comes back as a conflict that names what stands in the way, by the attempt that `work` has told; what fails for lack
 * of a database says so. `work` runs more than once if it throws `Beforehand`.
 */
export async function change<T>(
  db: Queryable,
  work: (trx: Queryable, tell: (attempt: Attempt) => void, ready: Ready) => Promise<T>,
): Promise<T> {
  return withDatabaseErrors(async () => {
    let attempt: Attempt | undefined;
    const ready: Ready = new Map();
    for (let run = 1; ; run++) {
      try {
        return await db.transaction((trx) => work(trx, (told) => (attempt = told), ready));
      } catch (error) {
        if (!(error instanceof Beforehand)) {
          const refused = sqlError(error);
          throw (refused && attempt && (await explain(db, refused, attempt))) ?? error;
        }
        if (run === mostRuns) throw attempt ? otherCommand(attempt) : error;
        await error.prepare();
      }
    }
  });
}
