import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { chmod, mkdir, readdir, readFile, readlink, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import t from 'tap';
import type { Database } from '../../domain/database/pool.js';
import { addDid } from '../../domain/provisioning/numbers/did.js';
import { addGroup } from '../../domain/provisioning/people/group.js';
import { addTeam, setTeam } from '../../domain/provisioning/team.js';
import { FileLock } from '../../domain/machine/lock.js';
import { packageRoot } from '../../domain/machine/package-root.js';
import { generate } from '../../pbx/files/generate.js';
import { readRows } from '../../pbx/files/model/rows.js';
import { freshDatabase } from '../support/database.js';
import { refused } from '../support/refusal.js';

const settings = {
  servers: ['192.0.2.1:4573'],
  token: 'aTokenOfTheTests6464646464',
  passwordDigest: true,
  node: 'default',
  nobodyAnswers: 'an-error-has-occurred',
};
const { db } = await freshDatabase(t);
await addGroup(db, 'astercc', { name: 'support', number: '6000' });
await addDid(db, 'astercc', { number: '600100', to: 'group:support' });

/** Those in use, of the connections of this process. */
const used = (): number => (db.client as { pool: { numUsed: () => number } }).pool.numUsed();

async function statements(run: () => Promise<unknown>): Promise<string[]> {
  const seen: string[] = [];
  const listener = ({ sql }: { sql: string }): void => void seen.push(sql);
  db.on('query', listener);
  await run();
  db.removeListener('query', listener);
  return seen;
}

void t.test('the number of statements is the same for one team and for forty', async (t) => {
  const one = await statements(() => readRows(db, 'default'));
  for (let index = 0; index < 40; index++) {
    const team = `team${index}`;
    await addTeam(db, team, { name: team });
    await addGroup(db, team, { name: 'support' });
    await addDid(db, team, { number: `70${100 + index}`, to: 'group:support' });
  }
  t.same(await statements(() => readRows(db, 'default')), one);
  t.equal(used(), 0, 'the connection is given back with the rows, before anything is written');
});

void t.test('all rows are of one snapshot: what is added while it reads is not there at all', async (t) => {
  const other = (async (): Promise<void> => {
    // The first statement has been sent: its snapshot is the transaction's.
    await once(db, 'query-response');
    await addGroup(db, 'astercc', { name: 'late' });
    await addDid(db, 'astercc', { number: '600177', to: 'group:late' });
  })();
  const slow = new Proxy(db, {
    get: (target, name) =>
      name !== 'transaction'
        ? (Reflect.get(target, name) as unknown)
        : async (run: (trx: Database) => Promise<unknown>, config: object) =>
            target.transaction(async (trx) => {
              await trx('teams').select('id');
              await other;
              return run(trx);
            }, config),
  });
  const { teams: rows } = await readRows(slow, 'default');
  const own = rows.find(({ identity }) => identity === 'astercc');
  t.same(
    own?.dids.map(({ number }) => number),
    ['600100'],
  );
  t.same(
    own?.groups.map(({ name }) => name),
    ['support'],
  );
});

void t.test('a second one says who is at work, waits, and has the newest', async (t) => {
  const directory = t.testdir();
  await mkdir(directory, { recursive: true });
  const lock = await FileLock.acquire(join(directory, '.generating'));
  await writeFile(join(directory, '.generating'), 'process 4711 since then');
  const waits: string[] = [];
  let finished: Promise<void> = Promise.resolve();
  await new Promise<void>((resolve) => {
    const onWait = (who: string): void => {
      waits.push(who);
      resolve();
    };
    finished = generate(db, { ...settings, directory, onWait }).then(({ changed }) => void t.ok(changed));
  });
  t.same(waits, ['process 4711 since then']);
  t.equal(used(), 0, 'it waits without a connection');
  t.notOk(existsSync(join(directory, 'current')));
  await lock.release();
  await finished;
  const again = await generate(db, { ...settings, directory });
  t.match(again, { changed: false });
});

void t.test('what a killed one has left is no hindrance, and goes', async (t) => {
  const directory = t.testdir({
    generations: { '.unfinished-1': { teams: {} } },
    '.generating': 'process 1',
  });
  const { generation, changed } = await generate(db, { ...settings, directory });
  t.ok(changed);
  t.same(await readdir(join(directory, 'generations')), [generation]);
});

void t.test('files that stay the same are the same files, with the rights of new ones', async (t) => {
  const directory = t.testdir();
  const path = (team: string): string => join(directory, 'current/teams', `${team}.conf`);
  await generate(db, { ...settings, directory });
  const before = await stat(path('team1'));
  t.equal(before.mode & 0o777, 0o640);
  await addDid(db, 'team2', { number: '70900', to: 'group:support' });
  t.match(await generate(db, { ...settings, directory }), { changed: true });
  t.equal((await stat(path('team1'))).ino, before.ino);
  t.match(await readFile(path('team2'), 'utf8'), '70900');
  t.match(await readFile(join(directory, 'previous/teams/team2.conf'), 'utf8'), /^(?![^]*70900)/);

  await writeFile(path('team2'), 'harmed');
  await chmod(path('team1'), 0o600);
  t.match(await generate(db, { ...settings, directory }), { changed: true }, 'a harmed one is mended');
  t.match(await readFile(path('team2'), 'utf8'), '70900');
  t.equal((await stat(path('team1'))).mode & 0o777, 0o640);
});

void t.test('an error before the switch changes nothing', async (t) => {
  const directory = t.testdir();
  const first = await generate(db, { ...settings, directory });
  const current = await readlink(join(directory, 'current'));
  await refused(t, 'usage', ['cannot be written'], () =>
    generate(db, { ...settings, directory, nobodyAnswers: 'a;b' }),
  );
  t.equal(await readlink(join(directory, 'current')), current);
  t.same(await readdir(join(directory, 'generations')), [first.generation], 'nothing is left lying about');
});

void t.test('an own template replaces one context, and says for which version it is made', async (t) => {
  const own = (files: object) => t.testdir({ templates: files as Record<string, string>, out: {} });
  const run = (root: string) =>
    generate(db, { ...settings, directory: join(root, 'out'), templatesDirectory: join(root, 'templates') });
  const text =
    '{{! star64 template 5 }}\n[{{identity}}-outbound]\nexten => 110,1,Dial(PJSIP/110@emergency)\n';
  const good = own({ team: { 'outbound.hbs': text }, 'README.txt': 'ours' });
  await run(good);
  const written = await readFile(join(good, 'out/current/teams/astercc.conf'), 'utf8');
  t.match(written, '[astercc-outbound]\nexten => 110,1,Dial(PJSIP/110@emergency)\n');
  t.match(written, '[astercc-groups]', 'the other contexts are ours');
  t.notMatch(written, 'star64 template');

  const says = ['team/outbound.hbs', '{{! star64 template 5 }}', 'dialplan-templates/team/outbound.hbs'];
  for (const [file, words] of [
    [text.replace('template 5', 'template 7'), [...says, 'version 7']],
    [text.replace(/^.*\n/, ''), [...says, 'does not say which version']],
    [text.replace('identity', 'identiti'), ['team/outbound.hbs', 'cannot be used', 'identiti']],
  ] as const)
    await refused(t, 'usage', words, () => run(own({ team: { 'outbound.hbs': file } })));
  for (const files of [{ 'extensions.conf.hbs': text }, { team: { 'ask.hbs': text } }])
    await refused(t, 'usage', ['replaces nothing', 'team/<context>.hbs'], () => run(own(files)));
});

void t.test(
  'the subroutines are the same text whatever the settings, and have no value in them',
  async (t) => {
    const names = (await readdir(new URL('dialplan-templates/', packageRoot))).filter((name) =>
      name.endsWith('.conf'),
    );
    t.ok(names.length >= 4);
    const directory = t.testdir();
    await generate(db, { ...settings, directory, token: 'anotherTokenOfTheTests64646' });
    for (const name of names) {
      const text = await readFile(new URL(`dialplan-templates/${name}`, packageRoot), 'utf8');
      t.equal(await readFile(join(directory, 'current', name), 'utf8'), text);
      t.match(text, 'the same in every generation');
    }
  },
);

void t.test('a node on which no team lives is refused, before anything is switched', async (t) => {
  const directory = t.testdir();
  await generate(db, { ...settings, directory });
  const before = await readlink(join(directory, 'current'));
  await refused(t, 'conflict', ['no team lives on the Asterisk berlin', 'but on default', '--empty'], () =>
    generate(db, { ...settings, directory, node: 'berlin' }),
  );
  t.equal(await readlink(join(directory, 'current')), before);
  t.match(await generate(db, { ...settings, directory, node: 'berlin', empty: true }), { changed: true });
});

void t.test('an Asterisk gets the teams that live on it, and no other', async (t) => {
  await setTeam(db, 'team7', { node: 'elsewhere' });
  const { teams: here } = await readRows(db, 'default');
  const { teams: there } = await readRows(db, 'elsewhere');
  t.notOk(here.some(({ identity }) => identity === 'team7'));
  t.same(
    there.map(({ identity }) => identity),
    ['team7'],
  );
});

void t.test('a directory that cannot be made is said with the cure, and nobody waits for it', async (t) => {
  for (const directory of ['/proc/x/y', '/dev/null/x']) {
    await t.rejects(generate(db, { ...settings, directory }), {
      kind: 'failure',
      message: /^the directory \/.* cannot be made \((ENOENT|ENOTDIR)\): make it/,
    });
  }
});
