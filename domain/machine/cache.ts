import { mkdir, readdir, readFile, rename, rm, stat, writeFile } from 'node:fs/promises';
import { homedir } from 'node:os';
import { join } from 'node:path';
import { z } from 'zod';
import { Star64Error } from '../errors.js';
import { FileLock } from './lock.js';

/** Where downloads are kept: `STAR64_CACHE`, else the XDG cache directory, each with `star64` in it. */
export function cacheDirectory(env: NodeJS.ProcessEnv = process.env): string {
  // The XDG base directory specification: an empty value counts as unset.
  const base = [env['STAR64_CACHE'], env['XDG_CACHE_HOME']].find(
    (value) => value !== undefined && value !== '',
  );
  return join(base ?? join(homedir(), '.cache'), 'star64');
}

const Manifest = z.object({
  recipe: z.string(),
  files: z.number().int(),
  bytes: z.number().int(),
  packages: z.record(z.string(), z.string()),
});
/** Written last into a finished tree: what it was made of, and its size. */
export type Manifest = z.infer<typeof Manifest>;

export interface Recipe {
  /** Directory name in the cache. */
  name: string;
  /** Changes whenever a tree made earlier would no longer do. */
  recipe: string;
  /**
   * Fills `root` (empty) and returns the versions of what is in it. `work` keeps what an interrupted run had
   * downloaded. A child that writes there must inherit `lockFd`, so that no second starter gets in its way.
   */
  make: (target: { root: string; work: string; lockFd: number }) => Promise<Record<string, string>>;
}

export interface CachedTree {
  root: string;
  manifest: Manifest;
}

/**
 * Returns the cached tree, making it first when it is missing, incomplete or of another recipe. Of several starters
 * at once, one makes it and the others wait. A run that is interrupted at any point leaves no tree, or a whole one:
 * it is made under another name, its manifest is written last, and then it is renamed. When making fails but a whole
 * tree of an older recipe is there, that one is used, after `onStale` was told why.
 */
export async function cached(
  recipe: Recipe,
  options: { directory?: string; onWait?: () => void; onStale?: (reason: Error) => void } = {},
): Promise<CachedTree> {
  const directory = options.directory ?? cacheDirectory();
  const home = join(directory, recipe.name);
  const ready = await complete(home);
  if (ready?.manifest.recipe === recipe.recipe) return ready;

  const lock = await mkdir(directory, { recursive: true, mode: 0o755 })
    .then(() => FileLock.acquire(`${home}.lock`, options.onWait))
    .catch((cause: unknown) => {
      throw unusable(directory, cause);
    });
  try {
    const older = await complete(home);
    if (older?.manifest.recipe === recipe.recipe) return older;
    try {
      return await make(recipe, home, lock.fd);
    } catch (error) {
      if (older === undefined) throw unusable(directory, error);
      options.onStale?.(error as Error);
      return older;
    }
  } finally {
    await lock.release();
  }
}

/** What is said where files cannot be kept: a directory that is none, or of others, or a full disk. */
function unusable(directory: string, cause: unknown): unknown {
  const { syscall } = cause as NodeJS.ErrnoException;
  if (syscall === undefined || syscall.startsWith('spawn')) return cause;
  return new Star64Error(
    'failure',
    `nothing can be kept in ${directory}: ${(cause as Error).message}; STAR64_CACHE names another place`,
    { cause },
  );
}

async function make(recipe: Recipe, home: string, lockFd: number): Promise<CachedTree> {
  const work = `${home}.download`;
  const fresh = `${home}.new`;
  const old = `${home}.old`;
  await rm(fresh, { recursive: true, force: true });
  await rm(old, { recursive: true, force: true });
  await mkdir(work, { recursive: true });
  await mkdir(join(fresh, 'root'), { recursive: true });
  const packages = await recipe.make({ root: join(fresh, 'root'), work, lockFd });
  const manifest: Manifest = { recipe: recipe.recipe, packages, ...(await measure(join(fresh, 'root'))) };
  await writeFile(join(fresh, 'manifest.json'), `${JSON.stringify(manifest, null, 2)}\n`);
  await rename(home, old).catch((error: unknown) => {
    // The usual case: there was no tree before.
    if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error;
  });
  await rename(fresh, home);
  await rm(old, { recursive: true, force: true });
  await rm(work, { recursive: true, force: true });
  return { root: join(home, 'root'), manifest };
}

/** The tree when it is whole: its manifest is there and the files are as many and as large as it says. */
async function complete(home: string): Promise<CachedTree | undefined> {
  try {
    const manifest = Manifest.parse(JSON.parse(await readFile(join(home, 'manifest.json'), 'utf8')));
    const found = await measure(join(home, 'root'));
    if (found.files !== manifest.files || found.bytes !== manifest.bytes) return undefined;
    return { root: join(home, 'root'), manifest };
  } catch {
    // Missing, unreadable or not a manifest: in every case there is no tree to rely on.
    return undefined;
  }
}

async function measure(root: string): Promise<{ files: number; bytes: number }> {
  const entries = await readdir(root, { recursive: true, withFileTypes: true });
  const files = entries.filter((entry) => entry.isFile());
  let bytes = 0;
  for (let at = 0; at < files.length; at += 256) {
    const sizes = await Promise.all(
      files.slice(at, at + 256).map(async (entry) => (await stat(join(entry.parentPath, entry.name))).size),
    );
    bytes = sizes.reduce((sum, size) => sum + size, bytes);
  }
  return { files: files.length, bytes };
}
