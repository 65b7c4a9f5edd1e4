import { access, mkdir, rm, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import t from 'tap';
import { expireRecordings } from '../../pbx/recordings.js';
import { setTeam } from '../../domain/provisioning/team.js';
import { crowd, provision } from '../../lab/provision.js';
import { cli } from '../support/cli.js';
import { freshDatabase } from '../support/database.js';
import { callJoined, defaultNode } from '../support/records.js';

const { url, db } = await freshDatabase(t);
await provision(db, crowd(1));
await provision(db, crowd(1, { team: 'other', did: '600200' }));
await provision(db, crowd(1, { team: 'far', did: '600300' }));
await db('nodes').insert({ name: 'west' });
await setTeam(db, 'astercc', { keepRecordings: 30 });
await setTeam(db, 'other', { keepRecordings: 0 });
await setTeam(db, 'far', { keepRecordings: 1, node: 'west' });
const directory = t.testdir();
const day = (ago: number): string => new Date(Date.now() - ago * 86_400_000).toISOString().slice(0, 10);
const path = (team: string, ago: number): string => `star64/${team}/${day(ago)}/default-1.2-1.wav`;
const record = async (team: string, ago: number): Promise<void> => {
  await mkdir(join(directory, path(team, ago), '..'), { recursive: true });
  await writeFile(join(directory, path(team, ago)), 'RIFF');
};
const isThere = (file: string): Promise<boolean> =>
  access(join(directory, file)).then(
    () => true,
    () => false,
  );

await t.test('recordings go when the days of their team are over, and their rows say so', async (t) => {
  await callJoined(db, 'astercc-support', '1.2');
  const [call] = await db('calls').select<{ id: number; team_id: number }[]>('id', 'team_id');
  for (const ago of [29, 31]) {
    await db('recordings').insert({
      team_id: call?.team_id,
      call_id: call?.id,
      file: path('astercc', ago),
      started_at: new Date(Date.now() - ago * 86_400_000),
    });
  }
  for (const ago of [29, 31, 100]) await record('astercc', ago);
  await record('other', 1000);
  await record('far', 1000);
  // What is not ours: a name that is no day, and a link to somewhere.
  await mkdir(join(directory, 'star64/astercc/2020-01-01-kept'));
  await writeFile(join(directory, 'kept'), '');
  await symlink(directory, join(directory, 'star64/astercc/2020-01-02'));
  const env = { DATABASE_URL: url, STAR64_ASTERISK_RECORDINGS_DIR: directory };
  const { status, out, err } = await cli(['recording', 'expire'], { env });
  t.equal(status, 0, err);
  t.equal(
    out,
    `astercc\t2020-01-02\t0\tis no directory\nastercc\t${day(100)}\t1\t\nastercc\t${day(31)}\t1\t\n`,
  );
  t.match(err, '2 days of recordings deleted, 1 could not be');
  t.same(
    await Promise.all(
      [path('astercc', 29), path('astercc', 31), path('other', 1000), path('far', 1000), 'kept'].map(isThere),
    ),
    [true, false, true, true, true],
  );
  t.match(await db('recordings').orderBy('id').select('file', 'deleted_at'), [
    { file: path('astercc', 29), deleted_at: null },
    { file: path('astercc', 31), deleted_at: Date },
  ]);
  const story = await cli(['call', 'show', '1.2'], { env });
  t.match(story.out, /recorded as star64.* \(deleted, its days are over\)/);
});

await t.test('where there are no recordings to be seen it says where it looked', async (t) => {
  await rm(join(directory, 'star64'), { recursive: true });
  await t.rejects(expireRecordings(db, { directory, node: defaultNode }), { code: 'ENOENT' });
  const env = { DATABASE_URL: url, STAR64_ASTERISK_RECORDINGS_DIR: directory };
  t.match(await cli(['recording', 'expire'], { env }), {
    status: 2,
    err: new RegExp(`recordings_dir.*${directory}`),
  });
});
