import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { loadSettings } from '../../cli/settings.js';
import { load, mistakes } from '../support/settings.js';

await t.test('without anything: defaults that work on one machine', async (t) => {
  const { settings, cwd } = load(t);
  t.same(await settings, {
    database: {
      is: 'unset',
      dir: '/home/anna/.local/share/star64/postgres',
      looked: [`${cwd}/star64.yml (not there)`, `${cwd}/etc/star64.yml (not there)`],
    },
    agi: { host: '127.0.0.1', port: 4573, token: undefined, maxSessions: 1000, servers: ['127.0.0.1:4573'] },
    ami: { host: '127.0.0.1', port: 5038, username: 'star64', secret: undefined, apply: undefined },
    asterisk: {
      configDir: '/etc/asterisk/star64',
      node: 'default',
      console: ['asterisk'],
      recordingsDir: '/var/spool/asterisk/monitor',
    },
    serve: { healthPort: undefined },
    web: { host: '127.0.0.1', port: 4564, webhookNetworks: [], corsOrigins: [], metricsToken: undefined },
    dataDir: '/home/anna/.local/share/star64',
    logLevel: 'info',
    logFormat: 'text',
  });
});

const whole = `
database: { url: postgres://file/star64 }
agi:
  host: 10.0.0.1
  port: 4000
  token: FileTokenFileTokenFileToken
  max_sessions: 7
  servers: [10.0.0.1:4000, '[fd00::1]:4000']
ami: { host: pbx, port: 5039, username: joe, secret: 'a;b#c' }
asterisk: { config_dir: generated, node: east, user: pbx, group: voice, console: [sudo, asterisk] }
data_dir: data
log_level: debug
log_format: json
`;

await t.test('the file beats the defaults; its directories are relative to it', async (t) => {
  const { settings, cwd, warnings } = load(t, { file: whole });
  t.same(await settings, {
    database: { is: 'named', url: 'postgres://file/star64', from: join(cwd, 'star64.yml') },
    agi: {
      host: '10.0.0.1',
      port: 4000,
      token: 'FileTokenFileTokenFileToken',
      maxSessions: 7,
      servers: ['10.0.0.1:4000', '[fd00::1]:4000'],
    },
    ami: { host: 'pbx', port: 5039, username: 'joe', secret: 'a;b#c', apply: undefined },
    asterisk: {
      configDir: join(cwd, 'generated'),
      node: 'east',
      user: 'pbx',
      group: 'voice',
      console: ['sudo', 'asterisk'],
      recordingsDir: '/var/spool/asterisk/monitor',
    },
    serve: { healthPort: undefined },
    web: { host: '127.0.0.1', port: 4564, webhookNetworks: [], corsOrigins: [], metricsToken: undefined },
    dataDir: join(cwd, 'data'),
    logLevel: 'debug',
    logFormat: 'json',
  });
  t.same(warnings, []);
});

await t.test(
  'the environment beats the file, flags beat the environment, empty variables are none',
  async (t) => {
    const { settings, cwd } = load(t, {
      file: whole,
      env: {
        DATABASE_URL: 'postgresql://env/star64',
        STAR64_AGI_HOST: '10.9.9.9',
        STAR64_AGI_PORT: '4001',
        STAR64_AGI_TOKEN: 'EnvTokenEnvTokenEnvTokenEnv',
        STAR64_AGI_MAX_SESSIONS: '8',
        STAR64_AGI_SERVERS: '10.0.0.8:1, 10.0.0.9:2',
        STAR64_AMI_HOST: 'other',
        STAR64_AMI_PORT: '5040',
        STAR64_AMI_USERNAME: 'jim',
        STAR64_AMI_SECRET: 'env secret',
        STAR64_AMI_APPLY_SECRET: 'other secret',
        STAR64_ASTERISK_CONFIG_DIR: '/somewhere',
        STAR64_ASTERISK_NODE: 'west',
        STAR64_ASTERISK_USER: 'asterisk',
        STAR64_ASTERISK_GROUP: 'phones',
        STAR64_ASTERISK_CONSOLE: ' asterisk  -C /x ',
        STAR64_DATA_DIR: 'here',
        STAR64_LOG_LEVEL: '',
        STAR64_LOG_FORMAT: 'text',
      },
      flags: [
        { path: 'agi.port', value: '4002', flag: '--port' },
        { path: 'agi.host', value: undefined, flag: '--host' },
      ],
    });
    t.same(await settings, {
      database: { is: 'named', url: 'postgresql://env/star64', from: 'DATABASE_URL' },
      agi: {
        host: '10.9.9.9',
        port: 4002,
        token: 'EnvTokenEnvTokenEnvTokenEnv',
        maxSessions: 8,
        servers: ['10.0.0.8:1', '10.0.0.9:2'],
      },
      ami: {
        host: 'other',
        port: 5040,
        username: 'jim',
        secret: 'env secret',
        apply: { username: 'star64-apply', secret: 'other secret' },
      },
      asterisk: {
        configDir: '/somewhere',
        node: 'west',
        user: 'asterisk',
        group: 'phones',
        console: ['asterisk', '-C', '/x'],
        recordingsDir: '/var/spool/asterisk/monitor',
      },
      serve: { healthPort: undefined },
      web: { host: '127.0.0.1', port: 4564, webhookNetworks: [], corsOrigins: [], metricsToken: undefined },
      dataDir: join(cwd, 'here'),
      logLevel: 'debug',
      logFormat: 'text',
    });
  },
);

await t.test('a file that was named must be there', async (t) => {
  t.match(await mistakes(load(t, { config: 'other.yml' }).settings), [
    /other\.yml: cannot be read \(ENOENT\)/,
  ]);
  t.match(await mistakes(load(t, { env: { STAR64_CONFIG: 'other.yml' } }).settings), [
    /other\.yml: cannot be read/,
  ]);
});

await t.test(
  'without a name: the file of the directory, else the one of this machine, else none',
  async (t) => {
    const dir = t.testdir({ 'system.yml': 'log_level: warn\nasterisk: { node: system }\n' });
    const system = join(dir, 'system.yml');
    const alone = await loadSettings({ env: {}, cwd: dir, systemConfig: system, warn: () => undefined });
    t.match(alone, { logLevel: 'warn', asterisk: { node: 'system' } });
    t.match(alone.database, { looked: [`${dir}/star64.yml (not there)`, system] });

    writeFileSync(join(dir, 'star64.yml'), 'log_level: error\n');
    const own = await loadSettings({ env: {}, cwd: dir, systemConfig: system, warn: () => undefined });
    t.match(own, { logLevel: 'error', asterisk: { node: 'default' } }, 'one of the two counts, whole');
    t.match(own.database, { looked: [`${dir}/star64.yml`] });

    const wrong = t.testdir({ 'system.yml': 'colour: red\n' });
    t.match(await mistakes(load(t, { system: join(wrong, 'system.yml') }).settings), []);
    const closed = loadSettings({
      env: {},
      cwd: '/nonexistent',
      // A directory: there, and not to be read, for root too.
      systemConfig: dir,
      warn: () => undefined,
    });
    t.match(
      await mistakes(closed),
      [/cannot be read \(EISDIR\)/],
      'what is there and closed is not passed over',
    );
  },
);

await t.test("star64's own PostgreSQL is used where that is said, and a stronger word counts", async (t) => {
  const database = async (file: string | undefined, env: Record<string, string> = {}) =>
    (await load(t, { env, ...(file !== undefined && { file }) }).settings).database;
  t.match(await database('database: { embedded: true }'), {
    is: 'own',
    dir: '/home/anna/.local/share/star64/postgres',
    from: /star64\.yml$/,
  });
  t.match(await database(undefined, { STAR64_DATABASE_EMBEDDED: 'true' }), {
    is: 'own',
    from: 'STAR64_DATABASE_EMBEDDED',
  });
  t.match(await database('database: { embedded: false }'), { is: 'unset' });
  const url = 'postgres://there/star64';
  t.match(await database('database: { embedded: true }', { DATABASE_URL: url }), { is: 'named', url });
  t.match(await database(`database: { url: '${url}' }`, { STAR64_DATABASE_EMBEDDED: '1' }), { is: 'own' });
  t.match(await mistakes(load(t, { file: `database: { url: '${url}', embedded: true }` }).settings), [
    /star64\.yml: database\.url and database\.embedded exclude each other/,
  ]);
  for (const wrong of [
    'postgres://u:a#b@h/d',
    'postgres://u:a%zz@h/d',
    'postgres://u:a/b@h/d',
    'mysql://h/d',
  ]) {
    t.match(await mistakes(load(t, { env: { DATABASE_URL: wrong } }).settings), [/%23/], wrong);
  }
});

await t.test('own data goes where the XDG base directory specification says', async (t) => {
  const dataDir = async (env: Record<string, string>) => (await load(t, { env }).settings).dataDir;
  t.equal(await dataDir({ XDG_DATA_HOME: '/data' }), '/data/star64');
  t.equal(
    (await load(t, { root: true }).settings).dataDir,
    '/var/lib/star64',
    "PostgreSQL's user cannot reach into root's home",
  );
  t.equal(await dataDir({ XDG_DATA_HOME: 'relative' }), '/home/anna/.local/share/star64');
});
