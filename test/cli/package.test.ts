import { existsSync, symlinkSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import t from 'tap';
import { packageRoot } from '../../domain/machine/package-root.js';
import { run } from '../../domain/machine/processes.js';
import { freshDatabase } from '../support/database.js';

const root = fileURLToPath(packageRoot);
const dir = t.testdir();

interface Packed {
  filename: string;
  files: { path: string }[];
}

// What `npm pack` does after it has built, which the test runner has done already.
const pack = ['pack', '--json', '--ignore-scripts', '--offline', '--pack-destination', dir];
const { stdout } = await run('npm', pack, { cwd: root });
const [packed] = JSON.parse(stdout) as Packed[];
const paths = packed?.files.map(({ path }) => path) ?? [];

await t.test('the package has what star64 reads when it runs, and no tests', (t) => {
  for (const needed of [
    'dist/cli/main.js',
    'dist/migrations/index.js',
    'dialplan-templates/extensions.conf.hbs',
    'dialplan-templates/star64-code.conf',
    'lab/scenarios/crowd.xml',
    'fixtures/demo-team.json',
    'README.md',
    'LICENSE',
  ]) {
    t.ok(paths.includes(needed), needed);
  }
  t.same(
    paths.filter((path) => /(^|\/)test\/|\.test\.|golden|\.ts$|\.map$|tsbuildinfo|\.tap/.test(path)),
    [],
  );
  t.end();
});

await t.test('unpacked elsewhere, it works', async (t) => {
  await run('tar', ['-xzf', packed?.filename ?? '', '-C', dir], { cwd: dir });
  const unpacked = join(dir, 'package');
  symlinkSync(join(root, 'node_modules'), join(unpacked, 'node_modules'));
  const { url } = await freshDatabase(t);
  const star64 = async (...args: string[]): Promise<string> => {
    const command = ['--unset=NODE_OPTIONS', process.execPath, join(unpacked, 'dist/cli/main.js'), ...args];
    const env = { PATH: process.env['PATH'], STAR64_CONFIG: '/dev/null', DATABASE_URL: url };
    return (await run('env', command, { cwd: dir, env })).stdout;
  };
  t.match(await star64('--version'), /^\d+\.\d+\.\d+\n$/);
  t.match(await star64('--help'), /^Usage: star64/);
  t.match(await star64('demo', '--help'), /private Asterisk/);
  await star64('migrate');
  await star64('generate', '--dir', join(dir, 'generated'));
  t.ok(existsSync(join(dir, 'generated', 'current', 'extensions.conf')), 'its templates are found');
});
