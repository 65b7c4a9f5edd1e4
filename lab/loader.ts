import { access } from 'node:fs/promises';
import { join } from 'node:path';
import { Star64Error } from '../domain/errors.js';

const triplets = { x64: 'x86_64-linux-gnu', arm64: 'aarch64-linux-gnu' } as const;
const loaders = { x64: 'ld-linux-x86-64.so.2', arm64: 'ld-linux-aarch64.so.1' } as const;

/** The dynamic loader of an unpacked Debian tree and its library path, with which its programs run in place. */
export async function loaderOf(root: string): Promise<{ loader: string; libraries: string; path: string }> {
  const arch = process.arch === 'arm64' ? 'arm64' : 'x64';
  // Before Debian 13 the loader and libc are packed under /lib, later under /usr/lib.
  const directories = ['usr/lib', 'lib'].map((directory) => join(root, directory, triplets[arch]));
  for (const directory of directories) {
    const loader = join(directory, loaders[arch]);
    const found = await access(loader).then(
      () => true,
      () => false,
    );
    if (found) return { loader, libraries: directories[0] ?? '', path: directories.join(':') };
  }
  throw new Star64Error('failure', `no dynamic loader in ${root}`);
}
