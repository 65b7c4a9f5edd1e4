import { createHash, randomBytes } from 'node:crypto';
import { tmpdir, userInfo } from 'node:os';
import { join } from 'node:path';
import type { Test } from 'tap';
import { migrations } from '../../migrations/index.js';
import { connect, type Database } from '../../domain/database/pool.js';
import { migrate, migrationDeadlineMs } from '../../domain/database/migrate.js';
import { sqlError } from '../../domain/database/sql-errors.js';
import { patient } from '../../lab/patience.js';

/** Of the same name only with the same migrations, so that checkouts of different versions can share a server. */
const template = `star64_template_${createHash('sha1').update(JSON.stringify(migrations)).digest('hex').slice(0, 12)}`;

/** Any fixed number does, as long as nothing else in the database `postgres` takes the same one. */
const templateLock = 640065;

/**
 * URL of a PostgreSQL where tests may create databases: STAR64_TEST_DATABASE_URL, or one of star64's own that all test
 * processes share: the first starts it, and it ends with the last, its files kept for the next run.
 */
async function adminUrl(t: Test): Promise<string> {
  const given = process.env['STAR64_TEST_DATABASE_URL'];
  if (given) return given;
  const { LabPostgres } = await import('../../domain/database/embedded/postgres.js');
  const dir = join(tmpdir(), `star64-test-postgres-${userInfo().uid}`);
  const postgres = await LabPostgres.start({ dir, fleeting: true });
  t.teardown(() => postgres.stop());
  return postgres.url;
}

/** Runs what an administrator may do, over a connection of its own. */
async function asAdmin<T>(url: string, work: (admin: Database) => Promise<T>): Promise<T> {
  const admin = connect(url, {
    ...patient,
    max: 1,
    deadlineMs: migrationDeadlineMs,
    idleMs: migrationDeadlineMs,
  });
  try {
    return await work(admin);
  } finally {
    await admin.destroy();
  }
}

function urlOf(server: string, database: string): string {
  const url = new URL(server);
  url.pathname = `/${database}`;
  return url.href;
}

/** A new database of its own for a test file, a copy of another one, dropped when the test ends. */
async function newDatabase(t: Test, server: string, source: string): Promise<string> {
  const name = `star64_test_${randomBytes(6).toString('hex')}`;
  await asAdmin(server, (admin) => admin.raw(`create database ${name} template ${source}`));
  // tap runs teardowns last in, first out: the database goes before the server that holds it.
  t.teardown(() => asAdmin(server, (admin) => admin.raw(`drop database if exists ${name} with (force)`)));
  return urlOf(server, name);
}

/** Makes the template where there is none; who comes meanwhile waits. It has its name only once it is whole. */
async function makeTemplate(server: string): Promise<void> {
  await asAdmin(server, async (admin) => {
    await admin.raw('select pg_advisory_lock(?)', [templateLock]);
    const { rows } = await admin.raw<{ rows: unknown[] }>('select 1 from pg_database where datname = ?', [
      template,
    ]);
    if (rows.length > 0) return;
    const draft = `${template}_draft`;
    await admin.raw(`drop database if exists ${draft} with (force)`);
    await admin.raw(`create database ${draft} template template0`);
    await asAdmin(urlOf(server, draft), migrate);
    await admin.raw(`alter database ${draft} rename to ${template}`);
  });
}

/** A new database of its own for a test file, dropped when the test ends; not migrated. */
export async function emptyDatabase(t: Test): Promise<string> {
  return newDatabase(t, await adminUrl(t), 'template0');
}

/** A migrated database of its own for a test file; closed and dropped when the test ends. */
export async function freshDatabase(t: Test): Promise<{ url: string; db: Database }> {
  const server = await adminUrl(t);
  const copy = (): Promise<string> => newDatabase(t, server, template);
  const url = await copy().catch(async (error: unknown) => {
    const noSuchDatabase = '3D000';
    if (sqlError(error)?.code !== noSuchDatabase) throw error;
    await makeTemplate(server);
    return copy();
  });
  const db = connect(url, patient);
  // tap runs teardowns last in, first out: the connections go before the database.
  t.teardown(() => db.destroy());
  return { url, db };
}
