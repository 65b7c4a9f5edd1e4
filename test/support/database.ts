import { randomBytes } from 'node:crypto';
import { tmpdir, userInfo } from 'node:os';
import { join } from 'node:path';
import type { Test } from 'tap';
import { connect, type Database } from '../../domain/database/pool.js';
import { migrate, migrationDeadlineMs } from '../../domain/database/migrate.js';

/**
 * URL of a PostgreSQL where tests may create databases: STAR64_TEST_DATABASE_URL, or one of star64's own that all test
 * processes share and that ends with the last of them.
 */
async function adminUrl(t: Test): Promise<string> {
  const given = process.env['STAR64_TEST_DATABASE_URL'];
  if (given) return given;
  const { LabPostgres } = await import('../../domain/database/embedded/postgres.js');
  const postgres = await LabPostgres.start({ dir: join(tmpdir(), `star64-test-postgres-${userInfo().uid}`) });
  t.teardown(() => postgres.stop());
  return postgres.url;
}

/** A new database of its own for a test file, dropped when the test ends; not migrated. */
export async function emptyDatabase(t: Test): Promise<string> {
  const url = new URL(await adminUrl(t));
  const name = `star64_test_${randomBytes(6).toString('hex')}`;
  const asAdmin = async (sql: string): Promise<void> => {
    const admin = connect(url.href, { max: 1, deadlineMs: migrationDeadlineMs });
    try {
      await admin.raw(sql);
    } finally {
      await admin.destroy();
    }
  };
  await asAdmin(`create database ${name} template template0`);
  // tap runs teardowns last in, first out: the database goes before the server that holds it.
  t.teardown(() => asAdmin(`drop database if exists ${name} with (force)`));
  const own = new URL(url);
  own.pathname = `/${name}`;
  return own.href;
}

/** A migrated database of its own for a test file; closed and dropped when the test ends. */
export async function freshDatabase(t: Test): Promise<{ url: string; db: Database }> {
  const url = await emptyDatabase(t);
  const migrator = connect(url, { max: 1, deadlineMs: migrationDeadlineMs });
  try {
    await migrate(migrator);
  } finally {
    await migrator.destroy();
  }
  const db = connect(url);
  // tap runs teardowns last in, first out: the connections go before the database.
  t.teardown(() => db.destroy());
  return { url, db };
}
