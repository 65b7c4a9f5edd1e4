import { mkdir, readdir, readFile, readlink, rename, rm, symlink, writeFile } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { fileNames, type Generation } from './render.js';

/** By which lock of the database one generates after the other; two at once would take each other's files away. */
export const generationLock = 640065;

/**
 * Puts a generation in force: a directory of its own, then one renamed link, so that Asterisk sees the whole of the
 * old one or the whole of the new one. The one before stays, linked as `previous`. Returns whether anything changed.
 * Files are 0640: the group is the directory's, where that is set to Asterisk's (chmod g+s).
 */
export async function writeGeneration(directory: string, generation: Generation): Promise<boolean> {
  const current = await linked(join(directory, 'current'));
  if (current === generation.name && (await isWhole(directory, generation))) return false;

  const generations = join(directory, 'generations');
  await mkdir(generations, { recursive: true, mode: 0o750 });
  const target = join(generations, generation.name);
  const unfinished = join(generations, `.unfinished-${process.pid}`);
  await rm(unfinished, { recursive: true, force: true });
  await mkdir(unfinished, { mode: 0o750 });
  for (const file of fileNames)
    await writeFile(join(unfinished, file), generation.files[file], { mode: 0o640 });
  await rm(target, { recursive: true, force: true });
  await rename(unfinished, target);

  if (current !== undefined && current !== generation.name) await link(directory, 'previous', current);
  await link(directory, 'current', generation.name);
  await removeOthers(directory);
  return true;
}

async function isWhole(directory: string, { files }: Generation): Promise<boolean> {
  const contents = await Promise.all(
    fileNames.map((file) => readFile(join(directory, 'current', file), 'utf8').catch(() => undefined)),
  );
  return fileNames.every((file, index) => contents[index] === files[file]);
}

async function linked(path: string): Promise<string | undefined> {
  try {
    return basename(await readlink(path));
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw error;
  }
}

async function link(directory: string, name: string, generation: string): Promise<void> {
  const temporary = join(directory, `.${name}-${process.pid}`);
  await rm(temporary, { force: true });
  await symlink(join('generations', generation), temporary);
  await rename(temporary, join(directory, name));
}

async function removeOthers(directory: string): Promise<void> {
  const kept = new Set([await linked(join(directory, 'current')), await linked(join(directory, 'previous'))]);
  for (const name of await readdir(join(directory, 'generations'))) {
    if (!kept.has(name)) await rm(join(directory, 'generations', name), { recursive: true, force: true });
  }
}
