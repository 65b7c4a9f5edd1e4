import { createHash } from 'node:crypto';
import { existsSync } from 'node:fs';
import { rename, rm } from 'node:fs/promises';
import { tmpdir, userInfo } from 'node:os';
import { join } from 'node:path';
import { FileLock } from '../domain/machine/lock.js';
import { cutSounds } from './wav.js';

/**
 * A directory with the first tenth of a second of each sound of another one. All who ask share it, since to make it takes as
 * long as Asterisk takes to start: nobody writes there.
 */
export async function briefSounds(from: string): Promise<string> {
  const name = createHash('sha1').update(from).digest('hex').slice(0, 12);
  const dir = join(tmpdir(), `star64-brief-sounds-${userInfo().uid}-${name}`);
  if (existsSync(dir)) return dir;
  const lock = await FileLock.acquire(`${dir}.lock`);
  try {
    if (existsSync(dir)) return dir;
    const draft = `${dir}.draft`;
    await rm(draft, { recursive: true, force: true });
    await cutSounds(from, draft, []);
    // It has its name only once it is whole.
    await rename(draft, dir);
    return dir;
  } finally {
    await lock.release();
  }
}
