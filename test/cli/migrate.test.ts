import t from 'tap';
import { connect } from '../../domain/database/pool.js';
import { migrate, migrationDeadlineMs } from '../../domain/database/migrate.js';
import { migrations } from '../../migrations/index.js';
import { emptyDatabase } from '../support/database.js';
import { cli, star64 } from '../support/processes/cli.js';
import { patient } from '../../lab/patience.js';

await t.test('ten that migrate at once all succeed; each step is carried out by one of them', async (t) => {
  const env = { DATABASE_URL: await emptyDatabase(t) };
  const results = await Promise.all(Array.from({ length: 10 }, () => star64(['migrate'], { env })));
  for (const { status, err } of results) t.equal(status, 0, err);
  t.same(
    results.flatMap(({ out }) => out.split('\n').filter(Boolean)).sort(),
    migrations.map(({ name }) => name),
  );
  t.match(await cli(['team', 'list'], { env }), { status: 0, out: 'astercc\tastercc\t\tUTC\tno\t\n' });
  t.match(await cli(['migrate', '--json'], { env }), { status: 0, out: '[]\n', err: /nothing to do/ });
});

await t.test('ten connections that begin in the same instant do not disturb each other either', async (t) => {
  const url = await emptyDatabase(t);
  const dbs = Array.from({ length: 10 }, () =>
    connect(url, { ...patient, max: 1, deadlineMs: migrationDeadlineMs }),
  );
  t.teardown(() => Promise.all(dbs.map((db) => db.destroy())));
  // Connected already: what is left is only the race.
  await Promise.all(dbs.map((db) => db.raw('select 1')));
  const done = await Promise.all(dbs.map((db) => migrate(db)));
  t.same(
    done.flat().sort(),
    migrations.map(({ name }) => name),
  );
});

await t.test('a database that a newer version has migrated is left alone', async (t) => {
  const url = await emptyDatabase(t);
  const env = { DATABASE_URL: url };
  t.match(await cli(['migrate'], { env }), { status: 0 });
  const db = connect(url, patient);
  t.teardown(() => db.destroy());
  await db('star64_migrations').insert({ name: '9999-future', batch: 2, migration_time: new Date() });
  t.match(await cli(['migrate'], { env }), { status: 1, out: '', err: /9999-future.*newer star64/ });
});
