import { spawn } from 'node:child_process';
import { open, type FileHandle } from 'node:fs/promises';
import { Star64Error } from '../errors.js';

/**
 * An exclusive lock on a file, held across processes by the kernel (flock(2)): it cannot be left behind by a holder
 * that died, and there is no process id to misjudge. It belongs to the open file: a child that inherits `fd` keeps it.
 */
export class FileLock {
  private constructor(private readonly file: FileHandle) {}

  /** Waits for the lock. `onWait` is called once when somebody else holds it. */
  static async acquire(path: string, onWait?: () => void): Promise<FileLock> {
    const file = await open(path, 'a', 0o600);
    try {
      if (!(await flock(file.fd, true))) {
        onWait?.();
        await flock(file.fd, false);
      }
    } catch (error) {
      await file.close();
      throw error;
    }
    return new FileLock(file);
  }

  get fd(): number {
    return this.file.fd;
  }

  async release(): Promise<void> {
    await this.file.close();
  }
}

/** Node has no flock; flock(1) of util-linux locks the open file that it inherits, and the lock stays with us. */
async function flock(fd: number, tryOnly: boolean): Promise<boolean> {
  const child = spawn('flock', [...(tryOnly ? ['--nonblock'] : []), '3'], {
    stdio: ['ignore', 'ignore', 'inherit', fd],
  });
  const status = await new Promise<number | null>((resolve, reject) => {
    child.once('error', reject);
    child.once('exit', resolve);
  });
  if (status === 0) return true;
  if (tryOnly && status === 1) return false;
  throw new Star64Error('failure', `flock ended with status ${String(status)}`);
}
