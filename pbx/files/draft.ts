import { link, mkdir, readdir, readFile, readlink, rename, rm, symlink, writeFile } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { checkReadable, directoryMode, fileMode, settle, settleTree, type Access } from './access.js';
import type { GeneratedFile } from './render.js';

/** Which generations are in force and before it, by name. */
export interface Links {
  current: string | undefined;
  previous: string | undefined;
}

export const readLinks = async (directory: string): Promise<Links> => ({
  current: await linked(directory, 'current'),
  previous: await linked(directory, 'previous'),
});

/** Where the files of a generation are. */
export const generationPath = (directory: string, name: string): string =>
  join(directory, 'generations', name);

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
    readonly path: string,
    private readonly access: Access,
  ) {}

  static async begin(directory: string, access: Access, keep?: string): Promise<Draft> {
    const generations = join(directory, 'generations');
    await mkdir(generations, { recursive: true, mode: directoryMode });
    await settle(generations, access, directoryMode);
    const { current, previous } = await readLinks(directory);
    const kept = new Set([current, previous, keep]);
    for (const name of await readdir(generations)) {
      if (!kept.has(name)) await rm(join(generations, name), { recursive: true, force: true });
    }
    const path = join(generations, `.unfinished-${process.pid}`);
    for (const made of [path, ...['teams', 'queues', 'phones'].map((folder) => join(path, folder))]) {
      await mkdir(made, { mode: directoryMode });
      await settle(made, access, directoryMode);
    }
    return new Draft(directory, current, path, access);
  }

  /** Adds a file. One that the generation in force has with the same text is linked, not written anew. */
  async add({ path, text }: GeneratedFile): Promise<void> {
    const target = join(this.path, path);
    if (this.current !== undefined) {
      const old = join(generationPath(this.directory, this.current), path);
      if (await this.#isSame(old, text)) {
        // Another user's file, or a file system without links: it is written anew, and nothing has changed.
        const linkedTo = await link(old, target).then(
          () => true,
          (error: unknown) => notLinked(error),
        );
        if (!linkedTo) await writeSettled(target, text, this.access);
        return;
      }
    }
    this.#changed = true;
    await writeSettled(target, text, this.access);
  }

  /**
   * Settles owner, group and mode of everything that is here, whatever has changed, and checks that Asterisk's user can
   * read the draft. Throws with the cure, before anything is in force.
   */
  async settle(): Promise<void> {
    const { current, previous } = await readLinks(this.directory);
    for (const name of new Set([current, previous])) {
      if (name !== undefined) await settleTree(generationPath(this.directory, name), this.access);
    }
    const files = await readdir(this.path, { recursive: true });
    const one = ['', 'teams', 'queues', 'phones'].flatMap(
      (folder) => files.find((file) => file.endsWith('.conf') && dirname(file) === (folder || '.')) ?? [],
    );
    await checkReadable(
      this.directory,
      one.map((file) => join(this.path, file)),
      this.access,
    );
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
    if (this.current !== undefined && this.current !== name)
      await setLink(this.directory, 'previous', this.current);
    await setLink(this.directory, 'current', name);
    return true;
  }

  async abandon(): Promise<void> {
    await rm(this.path, { recursive: true, force: true });
  }

  async #isSame(path: string, text: string): Promise<boolean> {
    try {
      if ((await readFile(path, 'utf8')) !== text) return false;
      return await settle(path, this.access, fileMode).then(
        () => true,
        // Another user's: it is written anew.
        () => false,
      );
    } catch (error) {
      if (code(error) === 'ENOENT') return false;
      throw error;
    }
  }
}

/** Makes `current` or `previous` lead to a generation, in one step. */
export async function setLink(directory: string, name: keyof Links, generation: string): Promise<void> {
  const temporary = join(directory, `.${name}-${process.pid}`);
  await rm(temporary, { force: true });
  await symlink(join('generations', generation), temporary);
  await rename(temporary, join(directory, name));
}

/** Puts links back as they were before another generation was put in force. */
export async function restoreLinks(directory: string, { current, previous }: Links): Promise<void> {
  if (current !== undefined) await setLink(directory, 'current', current);
  if (previous !== undefined) await setLink(directory, 'previous', previous);
  else await rm(join(directory, 'previous'), { force: true });
}

async function linked(directory: string, name: string): Promise<string | undefined> {
  try {
    return basename(await readlink(join(directory, name)));
  } catch (error) {
    if (code(error) === 'ENOENT') return undefined;
    throw error;
  }
}

/** Owner, group and mode are those of all files, whatever the process masks. */
async function writeSettled(path: string, text: string, access: Access): Promise<void> {
  await writeFile(path, text, { mode: fileMode });
  await settle(path, access, fileMode);
}

/** Writes a file of a generation that is in force anew, in one step; it may share its old text with another generation. */
export async function replaceFile(path: string, text: string, access: Access): Promise<void> {
  const temporary = join(dirname(path), `.${basename(path)}-${process.pid}`);
  await rm(temporary, { force: true });
  await writeSettled(temporary, text, access);
  await rename(temporary, path);
}

function notLinked(error: unknown): false {
  if (!['EPERM', 'EMLINK', 'EXDEV', 'ENOTSUP', 'EACCES'].includes(code(error) ?? '')) throw error;
  return false;
}

const code = (error: unknown): string | undefined => (error as NodeJS.ErrnoException).code;
