import { access, mkdir, rm, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { pino } from 'pino';
import t from 'tap';
import { until } from '../../domain/machine/processes.js';
import { expireRecordings, RecordingRetention } from '../../pbx/recordings.js';
import { addTeam, setTeam } from '../../domain/provisioning/team.js';
import { crowd, provision } from '../../lab/provision.js';
import { cli } from '../support/processes/cli.js';
import { freshDatabase } from '../support/database.js';
import { plansOf } from '../support/plans.js';
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

await t.test(
  'what could not be marked as deleted is marked the next time, and nothing else is',
  async (t) => {
    const node = defaultNode;
    const [call] = await db('calls').select<{ id: number; team_id: number }[]>('id', 'team_id');
    const team_id = call?.team_id ?? 0;
    await db.raw(
      `insert into recordings (team_id, call_id, file, started_at)
     select ?, ?, 'star64/astercc/' || ? || '/default-' || n || '.wav', now() from generate_series(1, 6000) as n`,
      [team_id, call?.id ?? 0, day(40)],
    );
    // A day that stays, as what has its name is not a directory of ours.
    await rm(join(directory, 'star64/astercc/2020-01-02'));
    await symlink(directory, join(directory, `star64/astercc/${day(50)}`));
    await db('recordings').insert({
      team_id,
      call_id: call?.id,
      file: path('astercc', 50),
      started_at: new Date(),
    });
    await record('astercc', 40);
    await db.raw(`
    create function refuse_mark() returns trigger language plpgsql as
      $$ begin raise exception 'no space left on device' using errcode = '53100'; end $$;
    create trigger refuse_mark before update on recordings for each row execute function refuse_mark()`);
    await t.rejects(expireRecordings(db, { directory, node }), { code: 'database_unreachable' });
    t.equal(await isThere(path('astercc', 40)), false);
    await db.raw('drop trigger refuse_mark on recordings');
    const { days } = await expireRecordings(db, { directory, node });
    t.match(days, [{ day: day(50), trouble: 'is no directory' }], 'no directory is left that would tell');
    t.same(
      await db('recordings').whereNull('deleted_at').orderBy('file').pluck<string[]>('file'),
      [path('astercc', 50), path('astercc', 29)],
      'of the 6000 none',
    );
    await db.raw('vacuum (full, analyze) recordings');
    const [plan = ''] = await plansOf(db, 'update recordings', () =>
      expireRecordings(db, { directory, node }),
    );
    t.match(plan, /recordings_kept_idx/, plan);
  },
);

await t.test('the files of a team that there is no more stay, and are named', async (t) => {
  await addTeam(db, 'gone');
  await record('gone', 1);
  const env = { DATABASE_URL: url, STAR64_ASTERISK_RECORDINGS_DIR: directory };
  const removed = await cli(['team', 'remove', 'gone', '--discard-calls'], { env });
  t.equal(removed.status, 0, removed.err);
  t.match(removed.err, 'monitor/star64/gone');
  const { err } = await cli(['recording', 'expire'], { env });
  t.match(err, `${join(directory, 'star64/gone')} is of no team any more and stays`);
  t.notMatch(err, 'star64/far', 'nor is it that of another node’s team');
  t.ok(await isThere(path('gone', 1)));
});

await t.test(
  'a server says of PostgreSQL, and not of a directory that it cannot see, what is wrong',
  async (t) => {
    const said: { level: number; msg: string; reason?: string }[] = [];
    const write = (line: string): void => void said.push(JSON.parse(line) as (typeof said)[0]);
    const log = pino({ level: 'debug' }, { write });
    const once = async (settings: { directory: string; node: string }): Promise<string> => {
      said.length = 0;
      const retention = new RecordingRetention(db, settings, log);
      retention.start();
      await until('a word', () => said.at(0));
      await retention.stop();
      return said.map(({ level, msg }) => `${level} ${msg}`).join();
    };
    const node = defaultNode;
    t.match(await once({ directory: join(directory, 'nothing'), node }), /^20 no recordings to be seen/);
    await db.raw('alter table teams rename column keep_recordings_days to missing');
    t.match(await once({ directory, node }), /^40 PostgreSQL does not say which recordings are old/);
    await db.raw('alter table teams rename column missing to keep_recordings_days');
  },
);

await t.test('where there are no recordings to be seen it says where it looked', async (t) => {
  await rm(join(directory, 'star64'), { recursive: true });
  await t.rejects(expireRecordings(db, { directory, node: defaultNode }), { code: 'ENOENT' });
  const env = { DATABASE_URL: url, STAR64_ASTERISK_RECORDINGS_DIR: directory };
  t.match(await cli(['recording', 'expire'], { env }), {
    status: 2,
    err: new RegExp(`recordings_dir.*${directory}`),
  });
});
