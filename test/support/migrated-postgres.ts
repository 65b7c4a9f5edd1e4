import { createHash } from 'node:crypto';
import { existsSync } from 'node:fs';
import { rename, rm } from 'node:fs/promises';
import { tmpdir, userInfo } from 'node:os';
import { join } from 'node:path';
import { postgresMajor } from '../../domain/database/embedded/install.js';
import { LabPostgres } from '../../domain/database/embedded/postgres.js';
import { FileLock } from '../../domain/machine/lock.js';
import { migratedPostgres } from '../../lab/centre.js';
import { migrations } from '../../migrations/index.js';

/**
 * A temporary PostgreSQL of its own with a migrated database, as every centre needs one: a copy of one that the first test
 * process has made, since to make it takes longer than to start Asterisk. Its name says of which migrations.
 */
export async function copiedPostgres(): Promise<LabPostgres> {
  const made = createHash('sha1')
    .update(JSON.stringify(migrations))
    .update(await postgresMajor());
  const dir = join(tmpdir(), `star64-test-centre-${userInfo().uid}-${made.digest('hex').slice(0, 12)}`);
  if (!existsSync(dir)) {
    const lock = await FileLock.acquire(`${dir}.lock`);
    try {
      if (!existsSync(dir)) await make(dir);
    } finally {
      await lock.release();
    }
  }
  return LabPostgres.start({ copyOf: dir });
}

/** It has its name only once it is whole. */
async function make(dir: string): Promise<void> {
  const draft = `${dir}.draft`;
  await rm(draft, { recursive: true, force: true });
  const postgres = await migratedPostgres({ dir: draft, fleeting: true });
  await postgres.stop();
  await rename(draft, dir);
}
