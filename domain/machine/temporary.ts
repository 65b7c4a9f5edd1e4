import { mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { processStart } from './processes.js';

/**
 * A new directory `star64-<kind>-…` for this process, 0700. Those that killed processes left behind are removed on
 * the way: the name holds the process id.
 */
export async function temporaryDirectory(kind: string, parent = tmpdir()): Promise<string> {
  const prefix = `star64-${kind}-`;
  for (const name of await readdir(parent)) {
    const pid = new RegExp(`^${prefix}(\\d+)-`).exec(name)?.[1];
    if (pid === undefined || (await processStart(Number(pid))) !== undefined) continue;
    await rm(join(parent, name), { recursive: true, force: true }).catch((error: unknown) => {
      // Another user's, or another process is removing it too.
      if (!['EACCES', 'EPERM', 'ENOTEMPTY'].includes((error as NodeJS.ErrnoException).code ?? ''))
        throw error;
    });
  }
  return await mkdtemp(join(parent, `${prefix}${process.pid}-`));
}
