import { constants } from 'node:fs';
import { mkdir, open, readdir, rm, stat, writeFile, type FileHandle } from 'node:fs/promises';
import { join } from 'node:path';
import { processStart, run } from './processes.js';

/**
 * Shared ownership of one server process by several Node processes, none of which need be its parent. Each keeps a
 * named pipe open for writing; the server's watcher reads it and sees its end when the last of them is gone, however
 * they ended. A file per holder says whether the one that leaves is the last.
 */
export class Hold {
  private constructor(
    private readonly pipe: FileHandle,
    private readonly mark: string,
    private readonly directory: string,
  ) {}

  /**
   * Takes part in holding a running server; undefined when its watcher is gone, so that nobody would ever end it.
   * Call it under a lock that every holder uses.
   */
  static async join(directory: string): Promise<Hold | undefined> {
    try {
      const pipe = await open(join(directory, 'hold'), constants.O_WRONLY | constants.O_NONBLOCK);
      return new Hold(pipe, await leaveMark(directory), directory);
    } catch (error) {
      // Nobody reads it (fifo(7)), or there is none.
      if (['ENXIO', 'ENOENT'].includes((error as NodeJS.ErrnoException).code ?? '')) return undefined;
      throw error;
    }
  }

  /** Makes a new pipe and calls `launch` with the descriptor that the watcher of the new server must inherit. */
  static async found<T>(directory: string, launch: (watched: number) => Promise<T>): Promise<[Hold, T]> {
    const path = join(directory, 'hold');
    await rm(path, { force: true });
    await run('mkfifo', ['-m', '600', path]);
    // Opening one end waits for the other, opening both at once waits for nobody (fifo(7)).
    const both = await open(path, constants.O_RDWR);
    const watched = await open(path, constants.O_RDONLY);
    const pipe = await open(path, constants.O_WRONLY);
    try {
      const launched = await launch(watched.fd);
      return [new Hold(pipe, await leaveMark(directory), directory), launched];
    } catch (error) {
      await pipe.close();
      throw error;
    } finally {
      await watched.close();
      await both.close();
    }
  }

  /** Whether a living process other than this hold takes part. */
  async shared(): Promise<boolean> {
    for (const name of await readdir(join(this.directory, 'holders'))) {
      if (join(this.directory, 'holders', name) === this.mark) continue;
      const [pid = '', start] = name.split('-');
      if ((await processStart(Number(pid))) === start) return true;
      await rm(join(this.directory, 'holders', name), { force: true });
    }
    return false;
  }

  /** Leaves. `gone` tells the watcher that the server has ended already. */
  async leave(gone: boolean): Promise<void> {
    await rm(this.mark, { force: true });
    if (gone) {
      await this.pipe.write('gone\n').catch((error: unknown) => {
        // The watcher has ended too.
        if ((error as NodeJS.ErrnoException).code !== 'EPIPE') throw error;
      });
    }
    await this.pipe.close();
  }
}

async function leaveMark(directory: string): Promise<string> {
  await mkdir(join(directory, 'holders'), { recursive: true, mode: 0o700 });
  const start = (await processStart(process.pid)) ?? '';
  for (let number = 0; ; number++) {
    const mark = join(directory, 'holders', `${process.pid}-${start}-${number}`);
    if (await stat(mark).catch(() => undefined)) continue;
    await writeFile(mark, '', { flag: 'wx' });
    return mark;
  }
}
