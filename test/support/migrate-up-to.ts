import type { Database } from '../../domain/database/pool.js';
import { migrations, type Migration } from '../../migrations/index.js';

/** Makes the schema of an older version: every migration up to this one. */
export async function migrateUpTo(db: Database, last: string): Promise<void> {
  const end = migrations.findIndex(({ name }) => name === last) + 1;
  if (end === 0) throw new Error(`no migration is called ${last}`);
  const migrationSource = {
    getMigrations: () => Promise.resolve(migrations.slice(0, end)),
    getMigrationName: ({ name }: Migration) => name,
    getMigration: ({ sql }: Migration) =>
      Promise.resolve({
        up: async (knex: Database) => {
          await knex.raw(sql.replaceAll('?', '\\?'));
        },
        down: () => Promise.reject(new Error('never')),
      }),
  };
  await db.migrate.latest({ migrationSource, tableName: 'star64_migrations', disableTransactions: true });
}
