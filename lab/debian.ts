import { access, mkdir, readdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { Star64Error } from '../domain/errors.js';
import { cacheDirectory, cached, type CachedTree, type Recipe } from '../domain/machine/cache.js';
import { run } from '../domain/machine/processes.js';

const asterisk = [
  'asterisk',
  'asterisk-core-sounds-en',
  'asterisk-core-sounds-en-wav',
  'asterisk-moh-opsound-gsm',
] as const;

/** What the lab is made of: Debian packages, unpacked side by side into one directory each and run in place. */
const trees = {
  asterisk: { suite: 'sid', packages: asterisk },
  // The oldest Asterisk that is promised, as Debian 11 has it: `labVersion` says when it is meant by `asterisk`.
  asterisk16: { suite: 'bullseye', packages: asterisk },
  phones: { suite: 'bookworm', packages: ['sip-tester', 'baresip-core'] },
  pgbouncer: { suite: 'bookworm', packages: ['pgbouncer'] },
  // The one without windows, with fonts for the languages of our pages.
  browser: {
    suite: 'bookworm',
    packages: ['chromium-headless-shell', 'fonts-dejavu-core', 'fonts-droid-fallback'],
    // Drivers of graphics cards, which it depends on and does not load: a third of it.
    without: ['libgl1-mesa-dri', 'libllvm15', 'libz3-4'],
  },
} as const satisfies Record<
  string,
  { suite: string; packages: readonly string[]; without?: readonly string[] }
>;

export type TreeName = Exclude<keyof typeof trees, 'asterisk16'>;

export interface Progress {
  tree: TreeName;
  step: 'waiting' | 'index' | 'download' | 'unpack';
  /** 0 to 100 within the step. */
  percent: number;
}

export interface TreeOptions {
  directory?: string;
  onProgress?: (progress: Progress) => void;
  /** Told when a newer tree was wanted but could not be had, and the older one is used. */
  onStale?: (reason: Error) => void;
}

/** Debian's own signing keys, installed on every Debian; packages for the lab are accepted under no other key. */
const keyring = '/usr/share/keyrings/debian-archive-keyring.gpg';

/** What a call centre on this machine needs. */
const centreTrees: readonly TreeName[] = ['asterisk', 'phones'];

/**
 * Which Asterisk the lab has: 22, or what STAR64_LAB_ASTERISK says, 16 or 22, so that everything that is made for the
 * lab runs on either.
 */
export function labVersion(env: NodeJS.ProcessEnv = process.env): '16' | '22' {
  const version = env['STAR64_LAB_ASTERISK'] ?? '';
  if (version === '16' || version === '22') return version;
  if (version !== '') throw new Star64Error('usage', `STAR64_LAB_ASTERISK is 16 or 22, not "${version}"`);
  return '22';
}

/** What this process has found whole: every phone asks for its tree, and to count thousands of files takes a while. */
const found = new Map<string, CachedTree>();

/**
 * The tree, downloaded at its first use: about 120 MB for `asterisk`, 100 MB for `phones`, 165 MB for `browser`. No root
 * needed. Whether it is whole is looked at once in a process.
 */
export async function tree(name: TreeName, options: TreeOptions = {}): Promise<CachedTree> {
  const kept = name === 'asterisk' && labVersion() === '16' ? 'asterisk16' : name;
  const home = join(options.directory ?? cacheDirectory(), kept);
  const whole = found.get(home) ?? (await fetchTree(kept, name, options));
  found.set(home, whole);
  return whole;
}

async function fetchTree(
  kept: keyof typeof trees,
  name: TreeName,
  options: TreeOptions,
): Promise<CachedTree> {
  const {
    suite,
    packages,
    without = [],
  }: { suite: string; packages: readonly string[]; without?: readonly string[] } = trees[kept];
  const report = (step: Progress['step'], percent: number): void =>
    options.onProgress?.({ tree: name, step, percent });
  const architecture = await debianArchitecture();
  const recipe: Recipe = {
    name: `${kept}-${architecture}`,
    recipe: `1 ${suite} ${[...packages, ...without.map((one) => `-${one}`)].join(' ')}`,
    make: async ({ root, work, lockFd }) => {
      const archives = await download(work, suite, [...packages], lockFd, report);
      const versions: Record<string, string> = {};
      for (const [index, archive] of archives.entries()) {
        report('unpack', Math.floor((100 * index) / archives.length));
        if (without.some((one) => archive.startsWith(`${one}_`))) continue;
        await run('dpkg', ['-x', join(work, 'cache/archives', archive), root], { inherit: [lockFd] });
        const [packageName = archive, version = ''] = archive.split('_');
        // An epoch's colon is written %3a in archive names.
        versions[packageName] = version.replace('%3a', ':');
      }
      return versions;
    },
  };
  return await cached(recipe, { ...options, onWait: () => report('waiting', 0) });
}

/**
 * Why the lab cannot be had on this machine, or undefined when it can; the trees are in the cache then. The reason
 * is one line for a person.
 */
export async function labUnavailable(
  options: TreeOptions = {},
  names: readonly TreeName[] = centreTrees,
): Promise<string | undefined> {
  try {
    for (const name of names) await tree(name, options);
    return undefined;
  } catch (error) {
    if (!(error instanceof Star64Error)) throw error;
    return error.message.replace(/\s*\n\s*/g, '; ');
  }
}

async function debianArchitecture(): Promise<string> {
  for (const tool of ['apt-get', 'dpkg', 'flock']) {
    await run('/bin/sh', ['-c', `command -v ${tool}`]).catch((cause: unknown) => {
      throw new Star64Error('failure', `the lab needs ${tool}, which is not installed here`, { cause });
    });
  }
  const architecture = (await run('dpkg', ['--print-architecture'])).stdout.trim();
  if (architecture !== 'amd64' && architecture !== 'arm64') {
    throw new Star64Error('failure', `the lab runs on amd64 and arm64, not on ${architecture}`);
  }
  return architecture;
}

async function download(
  work: string,
  suite: string,
  packages: string[],
  lockFd: number,
  report: (step: Progress['step'], percent: number) => void,
): Promise<string[]> {
  await access(keyring).catch((cause: unknown) => {
    throw new Star64Error(
      'failure',
      `the lab needs Debian's keys in ${keyring} (package debian-archive-keyring)`,
      {
        cause,
      },
    );
  });
  const failures: string[] = [];
  for (const mirror of await debianMirrors()) {
    try {
      await writeAptDirectories(work, `deb [signed-by=${keyring}] ${mirror} ${suite} main\n`);
      const apt = async (step: 'index' | 'download', args: string[]): Promise<void> => {
        await run('apt-get', ['-c', join(work, 'apt.conf'), '-y', '-q', ...args], {
          env: { ...process.env, LC_ALL: 'C' },
          inherit: [lockFd],
          onLine: (line) => {
            // APT's status lines: "dlstatus:<number>:<percent>:<text>".
            const percent = /^dlstatus:\d+:([\d.]+):/.exec(line)?.[1];
            if (percent !== undefined) report(step, Math.floor(Number(percent)));
          },
        });
      };
      await apt('index', ['update']);
      await apt('download', ['--download-only', 'install', ...packages]);
      const archives = await readdir(join(work, 'cache/archives'));
      return archives.filter((name) => name.endsWith('.deb')).sort();
    } catch (error) {
      failures.push((error as Error).message);
    }
  }
  throw new Star64Error(
    'failure',
    failures.length === 0
      ? "the lab is made of Debian packages, and this machine's apt knows no Debian mirror"
      : `the lab's packages cannot be downloaded: ${failures.join('; ')}`,
  );
}

/**
 * Directories of apt's own for one download, so that it needs no root and leaves the machine's state alone, while
 * proxies and the like stay as the machine has them: this file is read after the machine's own configuration.
 */
async function writeAptDirectories(work: string, source: string): Promise<void> {
  await mkdir(join(work, 'state/lists/partial'), { recursive: true });
  await mkdir(join(work, 'cache/archives/partial'), { recursive: true });
  await writeFile(join(work, 'sources.list'), source);
  await writeFile(join(work, 'status'), '');
  const settings = {
    'Dir::Etc::SourceList': join(work, 'sources.list'),
    'Dir::Etc::SourceParts': '/nonexistent',
    'Dir::Etc::Preferences': '/nonexistent',
    'Dir::Etc::PreferencesParts': '/nonexistent',
    'Dir::State': join(work, 'state'),
    'Dir::State::status': join(work, 'status'),
    'Dir::Cache': join(work, 'cache'),
    'Debug::NoLocking': '1',
    'APT::Install-Recommends': '0',
    'APT::Install-Suggests': '0',
    'APT::Sandbox::User': '',
    'APT::Status-Fd': '1',
    'APT::Update::Error-Mode': 'any',
    'Acquire::Retries': '2',
    'Acquire::http::Timeout': '20',
    'Acquire::https::Timeout': '20',
    'Acquire::Languages': 'none',
  };
  const hooks = ['APT::Update::Pre-Invoke', 'APT::Update::Post-Invoke', 'APT::Update::Post-Invoke-Success'];
  const quoted = Object.entries(settings).map(([name, value]) => {
    if (/["\n;]/.test(value)) {
      throw new Star64Error(
        'usage',
        `the cache directory's name has a character that apt cannot take: ${value}`,
      );
    }
    return `${name} "${value}";`;
  });
  await writeFile(
    join(work, 'apt.conf'),
    // Hooks serve the machine's own package state (some delete downloads) and need root.
    [...hooks, 'DPkg::Pre-Invoke', 'DPkg::Post-Invoke'].map((hook) => `#clear ${hook};\n`).join('') +
      quoted.map((line) => `${line}\n`).join(''),
  );
}

/**
 * Addresses of the Debian mirrors in the machine's own apt configuration, the likeliest first. Where package lists
 * were downloaded, an entry says itself that it is Debian's; else it is one that serves the running Debian's release.
 */
export async function debianMirrors(): Promise<string[]> {
  const list = async (args: string[]): Promise<string[][]> => {
    const { stdout } = await run('apt-get', ['indextargets', ...args, 'Created-By: Packages']);
    return stdout.split('\n').map((line) => line.split('|'));
  };
  const known = await list(['--format', '$(ORIGIN)|$(LABEL)|$(SITE)']);
  const sites = known.flatMap(([origin, label, site]) =>
    origin === 'Debian' && label === 'Debian' && site !== undefined ? [site] : [],
  );
  if (sites.length > 0) return [...new Set(sites)];

  const codename = /^VERSION_CODENAME="?([a-z]+)/m.exec(await readFile('/etc/os-release', 'utf8'))?.[1];
  const configured = await list(['--no-release-info', '--format', '$(RELEASE)|$(COMPONENT)|$(SITE)']);
  const suites = [codename, 'sid', 'unstable', 'testing', 'stable'];
  return [
    ...new Set(
      configured.flatMap(([release, component, site]) =>
        suites.includes(release) && component === 'main' && site !== undefined ? [site] : [],
      ),
    ),
  ];
}
