/**
 * npm runs this where it makes a package of the checkout (`npm pack`, an install from git) or installs into it: what is
 * installed must be built. Not after `npm ci`: every script that needs `dist` builds it by itself. Without the
 * development packages (`npm install --omit=dev`) there is nothing to build with, and what has been built stays.
 */
import { execFileSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import process from 'node:process';
import { URL } from 'node:url';

const compiler = new URL('node_modules/typescript/bin/tsc', import.meta.url);
const built = new URL('dist/cli/main.js', import.meta.url);

if (process.env.npm_command === 'ci') process.exit();
if (existsSync(compiler)) {
  execFileSync('npm', ['run', '--silent', 'build'], {
    cwd: new URL('.', import.meta.url),
    // The output of npm pack --json is for a program.
    stdio: ['ignore', 2, 'inherit'],
  });
} else if (!existsSync(built)) {
  process.stderr.write(
    'star64 is not built, and its development packages are not here: npm ci, then npm pack\n',
  );
  if (process.env.npm_command === 'pack') process.exit(1);
}
