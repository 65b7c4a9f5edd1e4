import type { Knex } from 'knex';
import { migrations, type Migration } from '../../migrations/index.js';
import { fail } from '../errors.js';
import { buildAhead } from './ahead.js';
import { checkEra, isForeign } from './event-era.js';
import type { Database, Queryable } from './pool.js';
import { withDatabaseErrors } from './sql-errors.js';

/**
 * How long a migration may take, or wait for another starter's; for `connect` of what migrates. Milliseconds. A history of
 * months is rewritten in one transaction; a server that cannot be reached is noticed within seconds all the same.
 */
export const migrationDeadlineMs = 4 * 3_600_000;

/** Any fixed number does, as long as nothing else in the database takes the same one. */
const migrationLock = 640064;

const migrationTable = 'star64_migrations';

const sourceFor = (remark: (text: string) => void): Knex.MigrationSource<Migration> => ({
  getMigrations: () => Promise.resolve([...migrations]),
  getMigrationName: (migration) => migration.name,
  getMigration: (migration) =>
    Promise.resolve({
      up: async (knex: Knex): Promise<void> => {
        // knex reads a bare question mark as a place for a value.
        await knex.raw(migration.sql.replaceAll('?', '\\?'));
        if (migration.remarks === undefined) return;
        const { rows } = await knex.raw<{ rows: { remark: string }[] }>(migration.remarks);
        for (const row of rows) remark(row.remark);
      },
      down: () => Promise.reject(new Error('star64 migrations only go forward')),
    }),
});

/**
 * Brings the schema up to this version in one transaction under an advisory lock: any number of starters at once
 * all succeed, and one that is killed leaves nothing half done. What `migrateAhead` does, if nobody has, is before. With nothing to do it is one look, without a lock.
 * `db` is connected with `migrationDeadlineMs`. Returns the names of the steps it carried out; `remark` is told what
 * people should know of them, once they are committed.
 */
export async function migrate(
  db: Database,
  remark: (text: string) => void = () => undefined,
): Promise<string[]> {
  return withDatabaseErrors(async () => {
    const done = await readCarriedOut(db);
    refuseNewerSchema(done);
    if (isWhole(done) && !(await isForeign(db))) return [];
    await buildAhead(db, done);
    const remarks: string[] = [];
    const carriedOut = await db.transaction(async (trx) => {
      await trx.raw('select pg_advisory_xact_lock(?)', [migrationLock]);
      // Who had the lock before may have been of a newer version.
      refuseNewerSchema(await readCarriedOut(trx));
      const migrationSource = sourceFor((text) => remarks.push(text));
      const settings = { migrationSource, tableName: migrationTable, disableTransactions: true };
      const [, names] = (await trx.migrate.latest(settings)) as [number, string[]];
      await checkEra(trx);
      return names;
    });
    for (const text of remarks) remark(text);
    return carriedOut;
  });
}

/**
 * Does of `migrate` what takes long in a database of months, and what servers of the version before do not notice. `db` as
 * for it. Returns the names of the indexes that it has built.
 */
export async function migrateAhead(db: Database): Promise<string[]> {
  return withDatabaseErrors(async () => {
    const done = await readCarriedOut(db);
    refuseNewerSchema(done);
    return buildAhead(db, done);
  });
}

/** True when every migration of this version has been carried out. */
export async function isMigrated(db: Queryable): Promise<boolean> {
  return isWhole(await readCarriedOut(db));
}

const isWhole = (done: ReadonlySet<string>): boolean => migrations.every(({ name }) => done.has(name));

/** Names of the migrations that the database has; none where it has no tables at all. */
async function readCarriedOut(db: Queryable): Promise<Set<string>> {
  const { rows } = await db.raw<{ rows: { there: boolean }[] }>(
    'select to_regclass(?) is not null as there',
    [migrationTable],
  );
  if (rows[0]?.there !== true) return new Set();
  return new Set(await db(migrationTable).pluck<string[]>('name'));
}

/** A server never runs on a schema that it does not know. */
function refuseNewerSchema(done: ReadonlySet<string>): void {
  const known = new Set(migrations.map(({ name }) => name));
  const unknown = [...done].filter((name) => !known.has(name));
  if (unknown.length > 0) {
    throw fail('database_unfit', {
      facts: { unknown },
      says: `the database has migrations that this version does not know (${unknown.join(', ')})`,
      remedy: { text: 'install the newer star64' },
    });
  }
}
