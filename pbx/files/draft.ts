import {
  chmod,
  link,
  mkdir,
  readdir,
  readFile,
  readlink,
  rename,
  rm,
  stat,
  symlink,
  writeFile,
} from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import type { GeneratedFile } from './render.js';

/** The group is that of the directory, where that is set to Asterisk's (chmod g+s). */
const fileMode = 0o640;
const directoryMode = 0o750;

/**
 * A generation that is being written, in a directory beside those in force. Call under a lock: what others have left
 * unfinished is removed. Nothing that Asterisk reads changes before `putInForce`.
 */
export class Draft {
  #changed = false;

  private constructor(
    private readonly directory: string,
    /** Name of the generation in force. */
    private readonly current: string | undefined,
    private readonly path: string,
    private readonly group: number,
  ) {}

  static async begin(directory: string): Promise<Draft> {
    const generations = join(directory, 'generations');
    await mkdir(generations, { recursive: true, mode: directoryMode });
    const current = await linked(directory, 'current');
    const kept = new Set([current, await linked(directory, 'previous')]);
    for (const name of await readdir(generations)) {
      if (!kept.has(name)) await rm(join(generations, name), { recursive: true, force: true });
    }
    const path = join(generations, `.unfinished-${process.pid}`);
    await makeDirectory(path);
    for (const folder of ['teams', 'queues', 'phones']) await makeDirectory(join(path, folder));
    return new Draft(directory, current, path, (await stat(path)).gid);
  }

  /** Adds a file. One that the generation in force has with the same text is linked, not written anew. */
  async add({ path, text }: GeneratedFile): Promise<void> {
    const target = join(this.path, path);
    if (this.current !== undefined) {
      const old = join(this.directory, 'generations', this.current, path);
      if (await this.#isSame(old, text)) {
        // Another user's file, or a file system without links: it is written anew, and nothing has changed.
        const linkedTo = await link(old, target).then(
          () => true,
          (error: unknown) => notLinked(error),
        );
        if (!linkedTo) await writeWith(target, text);
        return;
      }
    }
    this.#changed = true;
    await writeWith(target, text);
  }

  /**
   * Puts it in force under its name: one renamed link, so that Asterisk sees the whole of the old one or the whole of
   * this one. That is the last step: before it nothing has changed, and nothing comes after it that could fail. The one
   * before stays, linked as `previous`. False when it is the one in force already, unharmed.
   */
  async putInForce(name: string): Promise<boolean> {
    if (name === this.current && !this.#changed) {
      await this.abandon();
      return false;
    }
    const target = join(dirname(this.path), name);
    // There when it was in force before, or is and somebody has harmed its files.
    await rename(target, `${this.path}-replaced`).catch((error: unknown) => {
      if (code(error) !== 'ENOENT') throw error;
    });
    await rename(this.path, target);
    await rm(`${this.path}-replaced`, { recursive: true, force: true });
    if (this.current !== undefined && this.current !== name) await this.#link('previous', this.current);
    await this.#link('current', name);
    return true;
  }

  async abandon(): Promise<void> {
    await rm(this.path, { recursive: true, force: true });
  }

  async #isSame(path: string, text: string): Promise<boolean> {
    try {
      const { gid, mode } = await stat(path);
      if (gid !== this.group || (mode & 0o777) !== fileMode) return false;
      return (await readFile(path, 'utf8')) === text;
    } catch (error) {
      if (code(error) === 'ENOENT') return false;
      throw error;
    }
  }

  async #link(name: string, generation: string): Promise<void> {
    const temporary = join(this.directory, `.${name}-${process.pid}`);
    await rm(temporary, { force: true });
    await symlink(join('generations', generation), temporary);
    await rename(temporary, join(this.directory, name));
  }
}

async function linked(directory: string, name: string): Promise<string | undefined> {
  try {
    return basename(await readlink(join(directory, name)));
  } catch (error) {
    if (code(error) === 'ENOENT') return undefined;
    throw error;
  }
}

/** The mode is the file's whatever the process masks. */
async function writeWith(path: string, text: string): Promise<void> {
  await writeFile(path, text, { mode: fileMode });
  await chmod(path, fileMode);
}

async function makeDirectory(path: string): Promise<void> {
  await mkdir(path, { mode: directoryMode });
  await chmod(path, directoryMode);
}

function notLinked(error: unknown): false {
  if (!['EPERM', 'EMLINK', 'EXDEV', 'ENOTSUP', 'EACCES'].includes(code(error) ?? '')) throw error;
  return false;
}

const code = (error: unknown): string | undefined => (error as NodeJS.ErrnoException).code;
