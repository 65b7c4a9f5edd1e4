import { chmodSync, existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import t, { type Test } from 'tap';
import { loadSettings, type Settings } from '../../cli/settings.js';
import { loadToken } from '../../cli/token.js';
import { star64 } from '../support/processes/cli.js';
import { freshDatabase } from '../support/database.js';

const left = 'OldTokenOldTokenOldTokenOld';

/** The settings of a user with a data directory of their own; `token` is what an earlier version has left in it. */
async function user(dir: string, token?: string, env: Record<string, string> = {}): Promise<Settings> {
  if (token !== undefined) {
    mkdirSync(dir, { recursive: true });
    writeFileSync(join(dir, 'token'), `${token}\n`, { mode: 0o600 });
  }
  return loadSettings({
    env: { STAR64_DATA_DIR: dir, ...env },
    cwd: '/nonexistent',
    systemConfig: '/nonexistent/star64.yml',
    warn: () => undefined,
  });
}

async function given(t: Test) {
  const { db, url } = await freshDatabase(t);
  const dir = t.testdir();
  const said: string[] = [];
  const load = (settings: Settings): Promise<string> => loadToken(settings, db, (text) => said.push(text));
  return {
    url,
    said,
    load,
    users: ['root', 'service', 'third'].map((name) => join(dir, name)) as [string, string, string],
  };
}

await t.test('whoever works on a database has its token, and no file is made', async (t) => {
  const { load, users, said } = await given(t);
  const tokens = await Promise.all(users.map(async (dir) => load(await user(dir))));
  t.match(tokens[0], /^[A-Za-z0-9]{24,128}$/);
  t.equal(new Set(tokens).size, 1);
  t.notOk(users.some(existsSync));
  t.same(said, []);
});

await t.test('a token from the settings is taken as it is', async (t) => {
  const { load, users } = await given(t);
  t.equal(
    await load(await user(users[0], left, { STAR64_AGI_TOKEN: 'TokenTokenTokenTokenToken' })),
    'TokenTokenTokenTokenToken',
  );
});

await t.test(
  'what an earlier version has left goes on working: the first who has it hands it over',
  async (t) => {
    const { load, users, said } = await given(t);
    t.equal(await load(await user(users[0], left)), left);
    t.match(said, [/root\/token is in the database now/]);
    t.equal(await load(await user(users[1])), left, 'others have it too');
    t.equal(await load(await user(users[2], 'AnotherTokenAnotherTokenAnother')), left, 'the first decides');
    t.equal(said.length, 1);
  },
);

await t.test(
  'an upgrade begins with migrate, which hands it over; of one who has none it takes none',
  async (t) => {
    const { load, users, url } = await given(t);
    const migrate = (dir: string) =>
      star64(['migrate'], { env: { DATABASE_URL: url, STAR64_DATA_DIR: dir } });
    t.match(await migrate(users[1]), { status: 0 });
    await user(users[0], left);
    t.match(await migrate(users[0]), { status: 0, err: /is in the database now/ });
    t.equal(await load(await user(users[1])), left);
  },
);

await t.test('a token that is in use is not replaced', async (t) => {
  const { load, users } = await given(t);
  const token = await load(await user(users[1]));
  t.equal(await load(await user(users[0], left)), token);
});

await t.test('a file that others can read, or that holds no token, is not taken over', async (t) => {
  const { load, users, said } = await given(t);
  const open = await user(users[0], left);
  chmodSync(join(users[0], 'token'), 0o640);
  t.not(await load(open), left);
  t.match(said, [/root\/token is not taken over/]);
  t.not(await load(await user(users[1], 'short')), 'short');
  t.match(said[1], /service\/token is not taken over/);
});

await t.test('generate and serve of different users on one database know each other', async (t) => {
  const { url, users, load } = await given(t);
  const dir = join(t.testdirName, 'generated');
  const env = { DATABASE_URL: url, STAR64_DATA_DIR: users[0], STAR64_ASTERISK_CONFIG_DIR: dir };
  t.match(await star64(['generate'], { env }), { status: 0 });
  const token = await load(await user(users[1]));
  const files = readFileSync(join(dir, 'current', 'star64-settings.conf'), 'utf8');
  t.ok(files.includes(`:${token})}`));
});
