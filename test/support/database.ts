import { randomBytes } from 'node:crypto';
import type { Test } from 'tap';
import { connect, migrate, migrationDeadlineMs, type Database } from '../../domain/database.js';

/** URL of a PostgreSQL where tests may create databases. */
function adminUrl(): string {
  const url = process.env['STAR64_TEST_DATABASE_URL'];
  if (!url) throw new Error('set STAR64_TEST_DATABASE_URL to a PostgreSQL where databases may be created');
  return url;
}

/** A new database of its own for a test file, dropped when the test ends; not migrated. */
export async function emptyDatabase(t: Test): Promise<string> {
  const name = `star64_test_${randomBytes(6).toString('hex')}`;
  const admin = connect(adminUrl(), { max: 1, deadlineMs: migrationDeadlineMs });
  try {
    await admin.raw(`create database ${name} template template0`);
  } finally {
    await admin.destroy();
  }
  t.teardown(async () => {
    const last = connect(adminUrl(), { max: 1, deadlineMs: migrationDeadlineMs });
    try {
      await last.raw(`drop database if exists ${name} with (force)`);
    } finally {
      await last.destroy();
    }
  });
  const url = new URL(adminUrl());
  url.pathname = `/${name}`;
  return url.href;
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
