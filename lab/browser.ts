import { access, chmod, copyFile, mkdir, readdir, rm, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { temporaryDirectory } from '../domain/machine/temporary.js';
import { tree, type TreeOptions } from './debian.js';
import { loaderOf } from './loader.js';

/** How Chromium is started here, and what takes its files away again. */
export interface Browser {
  command: string;
  args: string[];
  env: Record<string, string>;
  remove: () => Promise<void>;
}

/** It asks nobody outside for anything by itself, and needs neither root nor a graphics card. */
const args = [
  '--headless',
  '--no-sandbox',
  '--disable-gpu',
  '--disable-quic',
  '--no-first-run',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
];

const installed = '/usr/bin/chromium';

/** Whether the machine has one of its own; then none is fetched. */
export const installedBrowser = (): Promise<boolean> =>
  access(installed).then(
    () => true,
    () => false,
  );

/** The machine's Chromium, or Debian's out of the cache, which is run in place. */
export async function browser(options: TreeOptions = {}): Promise<Browser> {
  if (await installedBrowser()) return { command: installed, args, env: {}, remove: () => Promise.resolve() };
  const { root } = await tree('browser', options);
  const { loader, path } = await loaderOf(root);
  const dir = await temporaryDirectory('browser');
  const program = join(root, 'usr/lib/chromium');
  // It looks for its own files beside the program that runs, which is the loader.
  await copyFile(loader, join(dir, 'loader'));
  for (const name of await readdir(program)) await symlink(join(program, name), join(dir, name));
  const libraries = [...path.split(':').flatMap((one) => [one, join(one, 'pulseaudio')]), program].join(':');
  const command = join(dir, 'browser');
  await writeFile(
    command,
    `#!/bin/sh\nexec '${dir}/loader' --library-path '${libraries}' '${program}/chromium-headless-shell' "$@"\n`,
  );
  await chmod(command, 0o755);
  const fonts = join(dir, 'fonts.conf');
  await mkdir(join(dir, 'fonts'));
  await writeFile(
    fonts,
    `<?xml version="1.0"?><fontconfig><dir>${root}/usr/share/fonts</dir><cachedir>${dir}/fonts</cachedir></fontconfig>\n`,
  );
  return {
    command,
    // Its processes are started by the loader as well.
    args: [...args, '--no-zygote', `--browser-subprocess-path=${command}`],
    env: { FONTCONFIG_FILE: fonts, HOME: dir },
    remove: () => rm(dir, { recursive: true, force: true }),
  };
}
