import { chmod, chown, mkdir, mkdtemp, readdir, rm, stat } from 'node:fs/promises';
import { tmpdir, userInfo } from 'node:os';
import { join } from 'node:path';
import t, { type Test } from 'tap';
import { addGroup } from '../../domain/provisioning/people/group.js';
import { generate } from '../../pbx/files/generate.js';
import { freshDatabase } from '../support/database.js';
import { refused } from '../support/refusal.js';

/** Who may read what is generated: as root for a service user, as an ordinary user for a group of theirs. */
const { db } = await freshDatabase(t);
const root = process.getuid?.() === 0;
const options = {
  servers: ['192.0.2.1:4573'],
  token: 'aTokenOfTheTests6464646464',
  passwordDigest: true,
  node: 'default',
  nobodyAnswers: 'an-error-has-occurred',
};
/** Every machine has this user, who owns nothing. */
const nobody = { user: 'nobody', required: true };

/** A directory that everybody can reach, and below it the one to generate into, as /etc/asterisk and star64 are. */
async function place(t: Test): Promise<{ above: string; directory: string }> {
  const above = await mkdtemp(join(tmpdir(), 'star64-access-'));
  t.teardown(() => rm(above, { recursive: true, force: true }));
  await chmod(above, 0o755);
  return { above, directory: join(above, 'star64') };
}

/** Owner, group and mode of everything that Asterisk comes by, once each. */
async function rightsBelow(directory: string): Promise<{ directories: string[]; files: string[] }> {
  const found = { directories: new Set<string>(), files: new Set<string>() };
  for (const entry of await readdir(directory, { recursive: true, withFileTypes: true })) {
    if (entry.isSymbolicLink() || entry.name === '.generating') continue;
    const { uid, gid, mode } = await stat(join(entry.parentPath, entry.name));
    const kind = entry.isDirectory() ? 'directories' : 'files';
    found[kind].add(`${uid}:${gid} ${(mode & 0o777).toString(8)}`);
  }
  return { directories: [...found.directories], files: [...found.files] };
}

void t.test(
  'root generates into a new directory: its group is that of Asterisk',
  { skip: root ? false : 'only root can give files to another group' },
  async (t) => {
    const { directory } = await place(t);
    await generate(db, { ...options, directory, reader: nobody });
    const group = (await stat(directory)).gid;
    t.not(group, 0);
    t.equal((await stat(directory)).mode & 0o7777, 0o2750);
    t.same(await rightsBelow(directory), { directories: [`0:${group} 750`], files: [`0:${group} 640`] });

    // What somebody has spoilt since is right again, although nothing has changed, in the generation before, too.
    await addGroup(db, 'astercc', { name: 'before' });
    await generate(db, { ...options, directory, reader: nobody });
    for (const link of ['current', 'previous']) {
      await chmod(join(directory, link, 'queues.conf'), 0o600);
      await chown(join(directory, link, 'teams/astercc.conf'), 0, 0);
      await chmod(join(directory, link, 'teams'), 0o700);
      await chown(join(directory, link), 0, 0);
    }
    await chmod(join(directory, 'generations'), 0o700);
    t.match(await generate(db, { ...options, directory, reader: nobody }), { changed: false });
    t.same(await rightsBelow(directory), { directories: [`0:${group} 750`], files: [`0:${group} 640`] });
  },
);

void t.test(
  'what root generates belongs to the owner of the directory, who can go on',
  { skip: root ? false : 'only root can give files to another user' },
  async (t) => {
    const { directory } = await place(t);
    await mkdir(directory, { mode: 0o2750 });
    await chown(directory, 65_534, 12);
    await generate(db, { ...options, directory });
    t.same(await rightsBelow(directory), { directories: ['65534:12 750'], files: ['65534:12 640'] });
  },
);

const second = (process.getgroups?.() ?? []).find((gid) => gid !== process.getgid?.() && gid !== 0);
const noSecond = root || second === undefined ? 'only for an ordinary user with a second group' : false;
void t.test('an ordinary user gives it a group of theirs', { skip: noSecond }, async (t) => {
  const { directory } = await place(t);
  await mkdir(directory);
  await chown(directory, process.getuid?.() ?? 0, second ?? 0);
  await generate(db, { ...options, directory });
  const { files } = await rightsBelow(directory);
  t.same(files, [`${process.getuid?.() ?? 0}:${second} 640`]);
});

void t.test('a directory that Asterisk cannot enter is named with the command to type', async (t) => {
  const { above, directory } = await place(t);
  await mkdir(directory);
  if (root) await chown(directory, 0, 65_534);
  else await chmod(directory, 0o755);
  await chmod(above, 0o700);
  const nothing = (): Promise<boolean> =>
    stat(join(directory, 'current')).then(
      () => false,
      () => true,
    );
  await refused(
    t,
    'failure',
    [`cannot enter ${above}`, 'nobody', `chmod o+x ${above}`, 'asterisk.user'],
    () => generate(db, { ...options, directory, reader: nobody }),
  );
  t.ok(await nothing(), 'and nothing is in force');
  await chmod(above, 0o755);
  if (root) {
    await generate(db, { ...options, directory, reader: nobody });
    t.notOk(await nothing());
    return;
  }
  await refused(
    t,
    'failure',
    ['nobody', 'chgrp -R no', `${directory}; find ${directory} -type d -exec chmod 2750 {} +`],
    () => generate(db, { ...options, directory, reader: nobody }),
  );
});

void t.test(
  'whoever runs Asterisk reads their own; a user or group that is not there is a mistake',
  async (t) => {
    const { directory } = await place(t);
    const self = { user: userInfo().username, required: true };
    t.match(await generate(db, { ...options, directory, reader: self }), { changed: true });
    const unknown = 'nosuchuser64';
    t.match(await generate(db, { ...options, directory, reader: { user: unknown, required: false } }), {
      changed: false,
    });
    await refused(t, 'usage', ['asterisk.user', unknown], () =>
      generate(db, { ...options, directory, reader: { user: unknown, required: true } }),
    );
    await refused(t, 'usage', ['asterisk.group', unknown], () =>
      generate(db, { ...options, directory, group: unknown }),
    );
  },
);
