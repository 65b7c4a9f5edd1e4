import t from 'tap';
import { load, mistakes } from '../support/settings.js';

await t.test('all mistakes are reported together, with their source, without their values', async (t) => {
  const found = await mistakes(
    load(t, {
      file: `
database: { url: 'mysql://root:hunter2@db' }
agi: { prot: 1, token: 'hunter2', servers: ['10.0.0.1'] }
ami: 5
colour: red
log_level: loud
`,
      env: { STAR64_AGI_PORT: '70000', STAR64_ASTERISK_NODE: 'a b', STAR64_AMI_SECRET: 'hunter2\nx' },
      flags: [{ path: 'agi.max_sessions', value: 'many', flag: '--max-sessions' }],
    }).settings,
  );
  for (const expected of [
    /star64\.yml: ami must be a section/,
    /star64\.yml: database\.url must be a URL like postgres:/,
    /star64\.yml: agi\.prot is not a setting/,
    /star64\.yml: agi\.token must be 24 to 128/,
    /star64\.yml: agi\.servers must be a list of host:port/,
    /star64\.yml: colour is not a setting/,
    /star64\.yml: log_level must be one of trace/,
    /STAR64_AGI_PORT: agi\.port must be a whole number from 0 to 65535/,
    /STAR64_ASTERISK_NODE: asterisk\.node must be 1 to 40/,
    /STAR64_AMI_SECRET: ami\.secret must be/,
    /--max-sessions: agi\.max_sessions must be a whole number/,
  ]) {
    t.ok(
      found.some((line) => expected.test(line)),
      String(expected),
    );
  }
  t.equal(found.length, 11, found.join('\n'));
  t.notMatch(found.join('\n'), /hunter2/);
});

await t.test('a file that is no YAML is reported by line, and no line of it is shown', async (t) => {
  const found = await mistakes(load(t, { file: 'agi:\n  token: hunter2: x\n  - hunter2\n' }).settings);
  t.ok(found.length > 0);
  t.match(found[0], /star64\.yml: line 2 is not valid YAML/);
  t.notMatch(found.join('\n'), /hunter2/);
  t.match(await mistakes(load(t, { file: 'just a word' }).settings), [/must hold settings/]);
  t.match(await mistakes(load(t, { file: 'agi.port: 1' }).settings), [/agi\.port is not a setting/]);
  t.same(await mistakes(load(t, { file: '' }).settings), []);
});

await t.test('secrets that everybody can read are warned of; other settings are not', async (t) => {
  const open = load(t, { file: 'ami: { secret: abc }', mode: 0o644 });
  await open.settings;
  t.match(open.warnings, [/star64\.yml holds secrets.*chmod 640/]);
  const harmless = load(t, { file: 'log_level: warn', mode: 0o644 });
  await harmless.settings;
  t.same(harmless.warnings, []);
  const closed = load(t, { file: 'ami: { secret: abc }', mode: 0o640 });
  await closed.settings;
  t.same(closed.warnings, []);
});

await t.test('an origin is what a browser sends, and none stands for all', async (t) => {
  const good = ['https://crm.example.org', 'http://localhost:8080', 'http://[::1]:3000'];
  const file = `web: { cors_origins: ${JSON.stringify(good)} }`;
  t.same((await load(t, { file }).settings).web.corsOrigins, good);
  const told = load(t, { env: { STAR64_WEB_CORS_ORIGINS: good.join(', ') } });
  t.same((await told.settings).web.corsOrigins, good);
  for (const bad of [
    '*',
    'null',
    'crm.example.org',
    'https://*.example.org',
    'https://crm.example.org/',
    'https://crm.example.org/page',
    'https://crm.example.org:443',
    'https://CRM.example.org',
    'https://anna:secret@crm.example.org',
    'ftp://crm.example.org',
    'https://crm.example.org,',
    'https://crm.example.org, *',
  ])
    t.match(
      await mistakes(load(t, { env: { STAR64_WEB_CORS_ORIGINS: bad } }).settings),
      [/STAR64_WEB_CORS_ORIGINS: web\.cors_origins must be a list of origins as browsers send them/],
      bad,
    );
  t.match(await mistakes(load(t, { file: 'web: { cors_origins: [] }' }).settings), [
    /web\.cors_origins must/,
  ]);
});

await t.test('Asterisk is told an address that it can reach', async (t) => {
  t.match(await mistakes(load(t, { env: { STAR64_AGI_HOST: '0.0.0.0' } }).settings), [
    /STAR64_AGI_HOST: agi\.host means every address.*STAR64_AGI_SERVERS/,
  ]);
  const told = load(t, { env: { STAR64_AGI_HOST: '0.0.0.0', STAR64_AGI_SERVERS: '10.0.0.1:4573' } });
  t.same((await told.settings).agi.servers, ['10.0.0.1:4573']);
  t.same((await load(t, { env: { STAR64_AGI_HOST: '::1' } }).settings).agi.servers, ['[::1]:4573']);
  for (const servers of ['x', '10.0.0.1:4573,', 'a b:1', '10.0.0.1:4573;x', '${x}:1', '10.0.0.1:1\n[evil]']) {
    t.match(
      await mistakes(load(t, { env: { STAR64_AGI_SERVERS: servers } }).settings),
      [/agi\.servers/],
      servers,
    );
  }
});
