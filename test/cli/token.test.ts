import { chmodSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import t, { type Test } from 'tap';
import { loadSettings, type Settings } from '../../cli/settings.js';
import { loadToken } from '../../cli/token.js';

const settingsIn = (t: Test, env: Record<string, string> = {}): Promise<Settings> => {
  const cwd = t.testdir();
  return loadSettings({ env: { STAR64_DATA_DIR: join(cwd, 'a', 'b'), ...env }, cwd, warn: () => undefined });
};

await t.test('a token is made once, for its owner only, and kept', async (t) => {
  const settings = await settingsIn(t);
  const token = await loadToken(settings);
  t.match(token, /^[A-Za-z0-9]{32}$/);
  t.equal(await loadToken(settings), token);
  t.equal(readFileSync(join(settings.dataDir, 'token'), 'utf8'), `${token}\n`);
  t.equal(statSync(join(settings.dataDir, 'token')).mode & 0o777, 0o600);
  t.equal(statSync(settings.dataDir).mode & 0o066, 0, 'nobody else lists or fills the directory');
});

await t.test('ten that start at once have the same token and leave nothing else behind', async (t) => {
  const settings = await settingsIn(t);
  const tokens = await Promise.all(Array.from({ length: 10 }, () => loadToken(settings)));
  t.equal(new Set(tokens).size, 1);
  t.same(readdirSync(settings.dataDir), ['token']);
});

await t.test('a token from the settings is taken as it is, and no file is made', async (t) => {
  const settings = await settingsIn(t, { STAR64_AGI_TOKEN: 'TokenTokenTokenTokenToken' });
  t.equal(await loadToken(settings), 'TokenTokenTokenTokenToken');
  t.throws(() => statSync(settings.dataDir), { code: 'ENOENT' });
});

await t.test('a token that others can read, or that is none, is refused', async (t) => {
  const settings = await settingsIn(t);
  await loadToken(settings);
  const path = join(settings.dataDir, 'token');
  chmodSync(path, 0o640);
  await t.rejects(loadToken(settings), { kind: 'failure', message: /read by others/ });
  chmodSync(path, 0o600);
  writeFileSync(path, 'short\n');
  await t.rejects(loadToken(settings), { kind: 'failure', message: /holds no token/ });
});
