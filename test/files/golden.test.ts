import { mkdir, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import t, { type Test } from 'tap';
import { generate } from '../../pbx/files/generate.js';
import { teamModel } from '../../pbx/files/model/model.js';
import { bucketModels, siteModel } from '../../pbx/files/model/site-model.js';
import { noMarks, renderMarked, renderShared, renderTeam } from '../../pbx/files/render.js';
import { readRows } from '../../pbx/files/model/rows.js';
import { readTemplates } from '../../pbx/files/templates.js';
import { knowsDigest } from '../../pbx/files/version.js';
import { soundsOf } from '../../agi/prompts.js';
import { packageRoot } from '../../domain/machine/package-root.js';
import { addAgent } from '../../domain/provisioning/people/agent.js';
import type { Database } from '../../domain/database/pool.js';
import { announcements } from '../../domain/provisioning/features/announcement.js';
import { addDid } from '../../domain/provisioning/numbers/did.js';
import { menus } from '../../domain/provisioning/features/menu.js';
import { addExtension } from '../../domain/provisioning/numbers/extension.js';
import { addGroup, removeGroup, setGroup } from '../../domain/provisioning/people/group.js';
import { addHours, allHours } from '../../domain/provisioning/features/hours.js';
import { addRingGroup } from '../../domain/provisioning/features/ring-group.js';
import { addRoom } from '../../domain/provisioning/features/room.js';
import { addTeam, setTeam } from '../../domain/provisioning/team.js';
import { addTrunk } from '../../domain/provisioning/numbers/trunk.js';
import { addUser } from '../../domain/provisioning/people/user.js';
import { freshDatabase } from '../support/database.js';
import { refused } from '../support/refusal.js';

/** Whole files are compared with those under fixtures/golden; STAR64_UPDATE_FIXTURES=1 writes them, the diff is read. */
const settings = {
  servers: ['192.0.2.1:4573', '192.0.2.2:4573'],
  token: 'golden0000000000000000000000token',
  passwordDigest: true,
  node: 'default',
  nobodyAnswers: soundsOf('unavailable').join('&'),
};

/** What has a meaning of its own somewhere in Asterisk's files. */
const hostile = [
  'a\nb',
  'a\rb',
  'a;b',
  'a;--b',
  '[x]',
  '#include "x"',
  '${SHELL(id)}',
  '"',
  "'",
  '\\',
  '李',
  'a\u2028b',
  'a=>b',
  'a|b',
  '(!)',
];

/** A team with everything that reaches a file, owned by somebody whose name is no name of Asterisk. */
async function populate(db: Database, team: string): Promise<void> {
  await addUser(db, team, { username: 'anna', name: 'Anna "die Ärztin" O\'Neil 李;#include' });
  for (const number of ['5000', '5001']) {
    await addExtension(db, team, {
      number,
      user: 'anna',
      secret: `secret0000000000000000${team}${number}`,
    });
  }
  await addExtension(db, team, { number: '7000', user: 'anna', kind: 'external', telephone: '+4930123456' });
  if (team === 'astercc') {
    await addTrunk(db, team, { name: 'provider', endpoint: 'provider.1', trusted: true });
    await setTeam(db, team, { trunk: 'provider' });
    await addTrunk(db, team, {
      name: 'main',
      addresses: ['sip.example.net', '[2001:db8::7]:5080'],
      username: '4930600100@example.net',
      secret: ';pass;--#word ${x}\\"',
      register: true,
      byAddress: false,
      numberIn: 'to',
      transport: 'transport-tls',
      protocol: 'tls',
      fromUser: '4930600100',
      fromDomain: 'example.org',
      identityHeader: 'pai',
      codecs: 'g722,alaw',
      dtmf: 'auto',
    });
    await addTrunk(db, null, {
      name: 'carrier',
      addresses: ['198.51.100.7', '198.51.100.8:5080'],
      identityHeader: 'rpid',
      privacy: false,
      trusted: true,
      qualifySeconds: 0,
    });
  }
  await addGroup(db, team, { name: 'support', number: '6000' });
  await addAgent(db, team, { number: '1002', user: 'anna', groups: ['support'] });
  await addAgent(db, team, {
    number: '1003',
    user: 'anna',
    groups: ['support'],
    kind: 'fixed',
    extension: '5001',
  });
  await addGroup(db, team, {
    name: 'sales',
    wrapUp: 'ring',
    strategy: 'ringall',
    ringSeconds: 20,
    record: 'always',
  });
  if (team === 'astercc') {
    await setTeam(db, team, { timeZone: 'Europe/Berlin' });
    await addHours(db, team, {
      name: 'office',
      number: '1',
      week: ['mon-fri 09:00-12:00,13:00-17:30', 'fri-sat 18:00-02:30'],
      openOn: ['2026-12-31 09:00-12:00'],
      closedOn: ['2026-12-27..2026-12-30', '12-24..01-06', '05-01'],
    });
    await setGroup(db, team, 'support', { hours: 'office', closed: 'hangup:busy' });
    await allHours.set(db, team, 'office', { open: 'group:sales', closed: 'extension:5001' });
  }
  await addGroup(db, team, {
    name: 'helped',
    maxCallers: 20,
    greeting: 'custom/welcome',
    musicClass: 'waltz',
    announcePosition: true,
    periodicSound: 'custom/patience',
    overflow: 'sales',
    overflowSeconds: 20,
    timeout: 'group:support',
    full: 'hangup:busy',
    empty: 'extension:5001',
    key0: 'extension:5000',
    key9: 'hangup:normal',
  });
  await addGroup(db, team, { name: 'old', number: '6009' });
  await removeGroup(db, team, 'old');
  await addAgent(db, team, { number: '1001', user: 'anna', groups: ['support', 'sales'] });
}

/** Phones of the team call outside over its trunk, those of anna over two others, in office hours, and no mobiles. */
async function callsOutside(db: Database, team: string): Promise<void> {
  await addTrunk(db, team, { name: 'carrier', endpoint: 'provider.2', country: 'DE' });
  await addTrunk(db, team, { name: 'reserve', endpoint: 'provider.3', country: 'AT' });
  await db.raw(
    `with t as (
       update teams set outside_prefix = '0', country = 'DE', area = '30', caller_id = '+4930600101' where identity = ? returning id),
     changed as (
       update trunks k set channels = 30, number_format = 'national', next_on = '403,5xx', reply_seconds = 4 from t
       where k.team_id = t.id and k.name = 'carrier'),
     ways as (insert into trunk_groups (team_id, name) select id, 'ways' from t returning id, team_id),
     members as (
       insert into trunk_group_members (trunk_group_id, trunk_id, position)
       select w.id, k.id, row_number() over (order by k.name) from ways w join trunks k on k.team_id = w.team_id
       where k.name in ('carrier', 'reserve')),
     rules as (
       insert into trunk_group_rules (trunk_group_id, beginning, refused, strip, added)
       select id, beginning, refused, strip, added from ways,
         (values ('+49180', true, 0, ''), ('+4930', false, 3, '0')) as v (beginning, refused, strip, added)),
     classes as (
       insert into number_classes (team_id, beginning, class) select id, beginning, class from t,
         (values ('+49', 'national'), ('+4915', 'mobile'), ('0900', 'premium'), ('115', 'national')) as v (beginning, class)),
     groups as (
       insert into user_groups (team_id, name, position, trunk_group_id, may_call, hours_id)
       select team_id, 'sales', 1, id, 'national,international',
         (select h.id from hours h where h.team_id = ways.team_id and h.name = 'office') from ways returning id, team_id)
     insert into user_group_members (team_id, user_group_id, user_id)
     select g.team_id, g.id, u.id from groups g join users u on u.team_id = g.team_id where u.username = 'anna'`,
    [team],
  );
}

/** Generates as the command does, and compares the tree with the golden one; paths and names of generations aside. */
async function compare(test: Test, name: string, db: Database, changed: Partial<typeof settings> = {}) {
  const directory = test.testdir();
  await generate(db, { ...settings, ...changed, directory });
  const current = join(directory, 'current');
  const golden = new URL(`fixtures/golden/${name}/`, packageRoot).pathname;
  const texts: Record<string, string> = {};
  for (const file of await filesBelow(current)) {
    texts[file] = (await readFile(join(current, file), 'utf8'))
      .replaceAll(directory, '/etc/asterisk/star64')
      .replaceAll(/\bg[0-9a-f]{16}\b/g, 'g0123456789abcdef');
  }
  if (process.env['STAR64_UPDATE_FIXTURES'] === '1') {
    await rm(golden, { recursive: true, force: true });
    for (const [file, text] of Object.entries(texts)) {
      await mkdir(dirname(join(golden, file)), { recursive: true });
      await writeFile(join(golden, file), text);
    }
  }
  test.same(Object.keys(texts), await filesBelow(golden), `the files of ${name}`);
  for (const [file, text] of Object.entries(texts))
    test.equal(text, await readFile(join(golden, file), 'utf8'), `${name}/${file}`);
  return texts;
}

async function filesBelow(directory: string): Promise<string[]> {
  const entries = await readdir(directory, { recursive: true });
  return entries.filter((entry) => entry.endsWith('.conf')).sort();
}

void t.test('which Asterisk knows digests of passwords in place of md5_cred', (t) => {
  const known = ['20.12', '20.12.1', '20', '21.7', '22', '22.2', '22.10', '23.0'];
  for (const version of known) t.ok(knowsDigest(version), version);
  for (const version of ['16', '18', '18.26.4', '20.11', '21.6', '22.1'])
    t.notOk(knowsDigest(version), version);
  t.ok(knowsDigest(undefined), 'the newest, unless said');
  t.end();
});

void t.test('a database with nothing but the default team', async (t) => {
  const { db } = await freshDatabase(t);
  await compare(t, 'empty', db);
});

void t.test(
  'two teams with the same numbers (spec 4), names of people that are no names of Asterisk',
  async (t) => {
    const { db } = await freshDatabase(t);
    for (const team of ['astercc', 'b2']) {
      if (team !== 'astercc')
        await addTeam(db, team, { name: 'Second; [team]', language: 'pt_BR', record: 'always' });
      await populate(db, team);
    }
    await addDid(db, 'astercc', { number: '600100', to: 'group:support' });
    await addDid(db, 'astercc', {
      number: '+4930600101',
      to: 'extension:5001',
      hours: 'office',
      closed: 'hours:office',
    });
    await addDid(db, 'astercc', { number: '600199', to: 'feature:sign-in' });
    await addDid(db, 'b2', { number: '600200', to: 'group:sales' });
    await callsOutside(db, 'astercc');
    await announcements.add(db, 'astercc', 'closed', { sound: 'custom/closed', times: 2 });
    await announcements.add(db, 'astercc', 'sorry', { sound: 'custom/sorry', then: 'hangup:busy' });
    await menus.add(db, 'astercc', 'welcome', {
      sound: 'custom/welcome',
      key1: 'group:support',
      key2: 'agent:1002',
      key3: 'agent:1003',
      key9: 'outside:+4915112345678',
      timeout: 'announcement:sorry',
    });
    await addDid(db, 'astercc', { number: '600102', to: 'menu:welcome' });
    await addDid(db, 'astercc', { number: '600103', to: 'announcement:closed' });
    // 1001 is no fixed agent: without a server nobody knows where they are.
    await addRingGroup(db, 'astercc', {
      number: '701',
      strategy: 'round-robin',
      members: ['5001', 'agent:1001', '7000', 'outside:+4915112345678', '5000'],
      prefix: 'Sales:',
      hears: 'music',
      record: 'always',
      hours: 'office',
      closed: 'announcement:closed',
      noAnswer: 'group:support',
      allBusy: 'announcement:closed',
    });
    await addDid(db, 'astercc', { number: '600104', to: 'ring-group:701' });
    await addRoom(db, 'astercc', { number: '801', most: 5, tones: false });
    await addRoom(db, 'astercc', { number: '802', administrator: 'anna', music: false });
    await addRoom(db, 'astercc', { number: '803', pin: '730551' });
    await addDid(db, 'astercc', { number: '600105', to: 'room:801' });
    // This team has no trunk.
    await addRingGroup(db, 'b2', { number: '701', members: ['outside:+4915112345678', '5000'] });
    await addDid(db, 'astercc', { number: '600300..600302', to: 'group:support' });
    await addDid(db, 'astercc', { number: '600301', to: 'group:sales' });
    await addDid(db, 'b2', { number: '+493060040123*', to: 'group:support' });

    const first = await compare(t, 'two-teams', db);
    t.same(await compare(t, 'two-teams', db), first, 'generated twice, it is the same');
    for (const text of Object.values(first)) {
      t.notMatch(text, /Anna|Ärztin|李|Second/, 'free text stays in the database');
      t.notMatch(text, /secret0000/, 'no secret in clear');
    }
    const passwordDigest = knowsDigest('18');
    await compare(t, 'older-asterisk', db, { passwordDigest, servers: ['192.0.2.1:4573'] });
  },
);

void t.test('what is not a plain value is refused, whichever setting it came from', async (t) => {
  const templates = await readTemplates();
  for (const value of hostile) {
    for (const changed of [{ directory: `/etc/${value}` }, { servers: [value] }, { token: value }]) {
      const model = siteModel(
        { teams: [], trunks: [] },
        { directory: '/etc/asterisk/star64', ...settings, ...changed },
      );
      for (const render of [
        () => renderShared(templates, model, []),
        () => renderMarked(templates, model, noMarks),
      ])
        await refused(t, 'usage', ['cannot be written to an Asterisk file'], async () =>
          Promise.resolve(render()),
        );
    }
  }
});

void t.test('nor does such a value reach a file from any place in the database', async (t) => {
  const { db } = await freshDatabase(t);
  await populate(db, 'astercc');
  await addDid(db, 'astercc', { number: '600100', to: 'group:support' });
  await announcements.add(db, 'astercc', 'closed', { sound: 'custom/closed', then: 'agent:1002' });
  await menus.add(db, 'astercc', 'welcome', { sound: 'custom/welcome', key0: 'outside:+4915112345678' });
  const rows = await readRows(db, 'default');
  const templates = await readTemplates();
  const [team] = rows.teams.map((one) => teamModel(one, settings, rows.formsOf));
  const [bucket] = bucketModels(rows);
  const site = siteModel(rows, { ...settings, directory: '/etc/asterisk/star64' });
  // The database's own checks keep such values out; a row that got in all the same does not reach a file.
  const refuses = async <T extends object>(model: T, render: (model: T) => unknown): Promise<void> => {
    const leaves = textsOf(model);
    t.ok(leaves.length > 3, `${leaves.length} texts`);
    for (const path of leaves) {
      for (const value of hostile) {
        const changed = JSON.parse(JSON.stringify(model)) as T;
        put(changed, path, value);
        await refused(t, 'usage', [path.join('.')], async () => Promise.resolve(render(changed)));
      }
    }
  };
  t.ok(team && bucket);
  if (team) await refuses(team, (model) => renderTeam(templates, model));
  if (bucket) await refuses(bucket, (model) => renderShared(templates, site, [model]));
  await refuses(site, (model) => renderShared(templates, model, []));
  await refuses(site, (model) => renderMarked(templates, model, noMarks));
});

/** Paths to every text in a model. */
function textsOf(value: unknown, path: string[] = []): string[][] {
  if (typeof value === 'string') return [path];
  if (typeof value !== 'object' || value === null) return [];
  return Object.entries(value).flatMap(([key, inner]) => textsOf(inner, [...path, key]));
}

function put(target: object, path: string[], value: string): void {
  const last = path.at(-1) ?? '';
  const parent = path.slice(0, -1).reduce<object>((at, key) => Reflect.get(at, key) as object, target);
  Reflect.set(parent, last, value);
}
