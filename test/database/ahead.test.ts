import pg from 'pg';
import t, { type Test } from 'tap';
import { migrate, migrateAhead, migrationDeadlineMs } from '../../domain/database/migrate.js';
import { connect, type Database } from '../../domain/database/pool.js';
import { until } from '../../domain/machine/processes.js';
import { migrations } from '../../migrations/index.js';
import { cli } from '../support/processes/cli.js';
import { emptyDatabase } from '../support/database.js';
import { migrateUpTo } from '../support/migrate-up-to.js';

/** The last step of the version before this one. */
const landed = '0035-ways';

/** The tables in which months of calls are. */
const history = ['calls', 'queue_visits', 'offers', 'agent_states', 'call_steps', 'call_tries', 'recordings'];

async function olderDatabase(t: Test): Promise<{ url: string; db: Database }> {
  const url = await emptyDatabase(t);
  const db = connect(url, { max: 3, deadlineMs: migrationDeadlineMs });
  t.teardown(() => db.destroy());
  await migrateUpTo(db, landed);
  return { url, db };
}

const indexes = async (db: Database): Promise<string[]> => {
  const wanted = migrations.flatMap(({ ahead = [] }) => ahead.map(({ name }) => name));
  const { rows } = await db.raw<{ rows: { name: string }[] }>(
    `select indexrelid::regclass::text as name from pg_index where indisvalid and indexrelid::regclass::text = any(?) order by 1`,
    [wanted],
  );
  return rows.map(({ name }) => name);
};

await t.test(
  'an upgrade of months rewrites, scans and indexes none of them while it has them locked',
  async (t) => {
    const { url, db } = await olderDatabase(t);
    const files = async (): Promise<unknown[]> =>
      db('pg_class').whereIn('relname', history).orderBy('relname').select('relname', 'relfilenode');
    const before = await files();
    t.equal(before.length, history.length);
    await migrateAhead(db);
    // A connection of its own, which has counted nothing yet.
    const migrator = connect(url, { max: 1, deadlineMs: migrationDeadlineMs });
    t.teardown(() => migrator.destroy());
    await migrator.transaction(async (trx) => {
      const from = migrations.findIndex(({ name }) => name === landed) + 1;
      for (const { name, sql } of migrations.slice(from)) {
        await trx.raw(sql.replaceAll('?', '\\?'));
        const { rows } = await trx.raw<{ rows: { relname: string }[] }>(
          `select relname from pg_stat_xact_user_tables where seq_scan > 0 and relname = any(?)`,
          [history],
        );
        t.same(rows, [], `${name} looks through no whole table of the history`);
      }
    });
    t.same(await files(), before);
  },
);

await t.test('what is done ahead keeps no agent and no call waiting', async (t) => {
  const { url, db } = await olderDatabase(t);
  const agents = [new pg.Client(url), new pg.Client(url)] as const;
  for (const agent of agents) await agent.connect();
  t.teardown(() => Promise.all(agents.map((agent) => agent.end())));
  // One that does not end: whatever locks the table has to wait for it, and everybody behind whatever waits for that lock.
  await agents[0].query(`begin; lock table agent_states in row exclusive mode`);
  const ahead = migrateAhead(db);
  await until('it to wait for whoever writes', async () => {
    const { rows } = await agents[1].query(
      `select from pg_stat_activity where query like 'create index%' and wait_event_type = 'Lock'`,
    );
    return rows.length > 0 || undefined;
  });
  await agents[1].query(`set lock_timeout = 1; begin; lock table agent_states in row exclusive mode; commit`);
  t.same(await indexes(db), [], 'others write while it is built');
  // A dump of the database: a new column waits for it, and nobody behind it.
  await agents[0].query('commit; begin; lock table offers in access share mode');
  await until('the column to be tried', async () => {
    const { rows } = await agents[1].query(
      `select from pg_stat_activity where query like 'alter table offers%' and wait_event_type = 'Lock'`,
    );
    return rows.length > 0 || undefined;
  });
  await agents[1].query(`set lock_timeout = '20s'; begin; lock table offers in row exclusive mode; commit`);
  await agents[0].query('commit');
  t.same(await ahead, ['agent_states_call_idx', 'offers_consult_idx']);
  t.same(await migrateAhead(db), [], 'it is done once');
});

await t.test('what was left half built is built anew, by one of all who migrate at once', async (t) => {
  const { url, db } = await olderDatabase(t);
  await db.raw(
    `create index agent_states_call_idx on agent_states (call_uniqueid) where state = 'talking' and call_uniqueid is not null;
     update pg_index set indisvalid = false where indexrelid = 'agent_states_call_idx'::regclass`,
  );
  t.same(await indexes(db), []);
  const many = Array.from({ length: 4 }, () => connect(url, { max: 1, deadlineMs: migrationDeadlineMs }));
  t.teardown(() => Promise.all(many.map((one) => one.destroy())));
  await Promise.all(many.map((one) => migrate(one)));
  t.same(await indexes(db), ['agent_states_call_idx', 'offers_consult_idx']);
});

await t.test('from the command line', async (t) => {
  const { url, db } = await olderDatabase(t);
  const env = { DATABASE_URL: url };
  t.match(await cli(['migrate', '--ahead'], { env }), {
    status: 0,
    out: 'agent_states_call_idx\noffers_consult_idx\n',
    err: /done ahead: stop the servers/,
  });
  t.same(
    await db('star64_migrations').max('name'),
    [{ max: landed }],
    'a server of before goes on with its tables',
  );
  t.match(await cli(['migrate', '--ahead'], { env }), { status: 0, out: '', err: /nothing to do ahead/ });
  t.match(await cli(['migrate'], { env }), { status: 0, out: /^0036-callbacks\n/ });
  t.match(await cli(['migrate', '--ahead', '--json'], { env: { DATABASE_URL: await emptyDatabase(t) } }), {
    status: 0,
    out: '[]\n',
  });
});
