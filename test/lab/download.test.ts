import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import t from 'tap';
import { labUnavailable, tree } from '../../lab/debian.js';
import { run } from '../../domain/machine/processes.js';
import { requireLab } from '../support/lab.js';

const skip = await requireLab();

await t.test(
  'a download killed in the middle is taken up again and leaves a whole tree',
  { skip },
  async (t) => {
    const directory = t.testdir();
    const module = new URL('../../lab/debian.js', import.meta.url).href;
    const script = `import { tree } from ${JSON.stringify(module)};
    await tree('phones', { directory: ${JSON.stringify(directory)},
      onProgress: ({ step, percent }) => {
        console.log(step, percent);
        // It stands still in the middle, until it is killed.
        if (step === 'unpack' && percent > 0) Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0);
      } });`;
    const child = spawn(process.execPath, ['--input-type=module', '-e', script], {
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    t.teardown(() => child.kill('SIGKILL'));
    let told = '';
    for await (const text of child.stdout) {
      told += String(text);
      if (/unpack [1-9]/.test(told)) break;
    }
    child.kill('SIGKILL');
    if (child.exitCode === null && child.signalCode === null) await once(child, 'exit');
    t.match(told, /index \d+[^]*download \d+[^]*unpack 0/, 'progress is told in this order');
    t.ok(
      (await readdir(directory)).includes('phones-' + (await arch()) + '.download'),
      'it was in the middle',
    );

    const { root, manifest } = await tree('phones', { directory });
    t.ok(existsSync(join(root, 'usr/bin/baresip')));
    t.ok(existsSync(join(root, 'usr/bin/sipp')));
    t.match(manifest.packages, { 'sip-tester': /^\d/, 'baresip-core': /^\d/ });
    const left = (await readdir(directory)).sort();
    t.same(
      left,
      [`phones-${await arch()}`, `phones-${await arch()}.lock`],
      'what was downloaded is not kept twice',
    );
  },
);

await t.test('where it cannot be had, the reason is one line for a person', async (t) => {
  const path = process.env['PATH'];
  process.env['PATH'] = t.testdir();
  t.teardown(() => (process.env['PATH'] = path));
  const reason = await labUnavailable({ directory: t.testdir() });
  t.match(reason, /^the lab needs apt-get, which is not installed here$/);
});

await t.test(
  'where nothing can be kept a test is skipped with a clear word, or fails where it must run',
  async (t) => {
    const before = { ...process.env };
    t.teardown(() => (process.env = before));
    const STAR64_CACHE = join(t.testdir({ file: '' }), 'file');
    process.env = { ...before, STAR64_CACHE, CI: '', STAR64_REQUIRE_LAB: '' };
    t.match(
      await requireLab(['browser']),
      /^skipped: nothing can be kept in .*file\/star64: ENOTDIR.*; STAR64_CACHE names another place$/,
    );
    process.env['STAR64_REQUIRE_LAB'] = '1';
    await t.rejects(requireLab(['browser']), /^the lab is required: nothing can be kept in /);
  },
);

await t.test('no address of a mirror is written into the project', async (t) => {
  const source = await readFile(new URL('../../lab/debian.js', import.meta.url), 'utf8');
  t.notMatch(source, /https?:\/\//);
});

async function arch(): Promise<string> {
  return (await run('dpkg', ['--print-architecture'])).stdout.trim();
}
