import { mkdir, stat } from 'node:fs/promises';
import { dirname, resolve } from 'node:path';
import { Star64Error } from '../errors.js';

/**
 * Makes a directory and those above it that are missing, each with `mode`. Node's own recursive mkdir never ends where
 * nothing can be made below a directory that is there, such as /proc. Returns whether any was missing.
 * @throws Star64Error `failure` with the cure.
 */
export async function makeDirectory(path: string, mode: number): Promise<boolean> {
  const directory = resolve(path);
  const missing: string[] = [];
  try {
    for (let at = directory; !(await isThere(at)); at = dirname(at)) missing.unshift(at);
    for (const one of missing) {
      await mkdir(one, { mode }).catch((error: unknown) => {
        // Somebody else has made it meanwhile.
        if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
      });
    }
    return missing.length > 0;
  } catch (error) {
    const { code = 'unknown error' } = error as NodeJS.ErrnoException;
    throw new Star64Error(
      'failure',
      `the directory ${directory} cannot be made (${code}): make it, owned by the user who runs star64, or name another one.`,
      { cause: error },
    );
  }
}

/** Whether the directory is there. @throws ENOTDIR where something else is. */
async function isThere(path: string): Promise<boolean> {
  try {
    if ((await stat(path)).isDirectory()) return true;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return false;
    throw error;
  }
  throw Object.assign(new Error(`${path} is no directory`), { code: 'ENOTDIR' });
}
