import t, { type Test } from 'tap';
import { migrate, migrationDeadlineMs } from '../../domain/database/migrate.js';
import { connect, type Database } from '../../domain/database/pool.js';
import { LabPostgres } from '../../domain/database/embedded/postgres.js';
import { EventFeed } from '../../domain/monitor/event-feed.js';
import { signIn, signOut } from '../../domain/presence/sign-in.js';
import { until } from '../../domain/machine/processes.js';
import { crowd, provision } from '../../lab/provision.js';
import { patient } from '../../lab/patience.js';

/** As a server that starts. */
async function start(url: string): Promise<void> {
  const migrator = connect(url, { max: 1, deadlineMs: migrationDeadlineMs });
  await migrate(migrator);
  await migrator.destroy();
}

async function cluster(test: Test): Promise<{ url: string; db: Database; restart: () => Promise<void> }> {
  const postgres = await LabPostgres.start();
  test.teardown(() => postgres.stop());
  await start(postgres.url);
  const db = connect(postgres.url, patient);
  // tap runs teardowns last in, first out.
  test.teardown(() => db.destroy());
  return { url: postgres.url, db, restart: () => start(postgres.url) };
}

const enter = (db: Database) => signIn(db, 'astercc', { agent: '1001', extension: '5001', by: 'test' });
const leave = (db: Database) => signOut(db, 'astercc', { agent: '1001' }, 'test');
const era = async (db: Database): Promise<number> =>
  (await db('event_log').first<{ era: number }>('era')).era;

/** What comes behind a cursor: at least so many events. */
async function behind(
  db: Database,
  after: string,
  count: number,
): Promise<{ state: string; cursor: string }[]> {
  const feed = await EventFeed.open(db, { team: 'astercc', after });
  const seen: { state: string; cursor: string }[] = [];
  await until(`${count} events`, async () => {
    for (const event of (await feed.next()).events)
      if (event.type === 'agent.state') seen.push({ state: event.state, cursor: event.cursor });
    return seen.length >= count ? true : undefined;
  });
  return seen;
}

/** What a dump and its restore do: every row, into a database that has none. */
async function restore(from: Database, into: Database): Promise<void> {
  const { rows } = await from.raw<{ rows: { name: string }[] }>(
    `select relname as name from pg_class where relkind = 'r' and relnamespace = 'public'::regnamespace`,
  );
  await into.transaction(async (trx) => {
    await trx.raw('set local session_replication_role = replica');
    await trx.raw(`truncate ${rows.map(({ name }) => name).join(', ')}`);
    for (const { name } of rows) {
      const dumped = await from.raw<{ rows: { rows: unknown }[] }>(
        `select coalesce(json_agg(x), '[]') as rows from ${name} x`,
      );
      // What is generated from other columns is in no dump.
      const kept = await from.raw<{ rows: { columns: string }[] }>(
        `select string_agg(quote_ident(attname), ', ') as columns from pg_attribute
         where attrelid = ?::regclass and attnum > 0 and not attisdropped and attgenerated = ''`,
        [name],
      );
      const columns = kept.rows[0]?.columns ?? '';
      await trx.raw(
        `insert into ${name} (${columns}) overriding system value
         select ${columns} from json_populate_recordset(null::${name}, ?::json)`,
        [JSON.stringify(dumped.rows[0]?.rows)],
      );
    }
    await trx.raw(`select setval(pg_get_serial_sequence('events', 'id'), (select max(id) from events)),
      setval(pg_get_serial_sequence('sign_ins', 'id'), (select max(id) from sign_ins)),
      setval(pg_get_serial_sequence('agent_states', 'id'), (select max(id) from agent_states))`);
  });
}

void t.test(
  'after a restore into another cluster a cursor goes on behind the last event of before',
  async (t) => {
    const old = await cluster(t);
    await provision(old.db, crowd(1));
    // A cluster that has worked for a while: the new one will not reach its transaction ids.
    for (let n = 0; n < 300; n++) await old.db.raw('select pg_current_xact_id()');
    await enter(old.db);
    const [first] = await behind(old.db, '0-0-0', 1);
    await leave(old.db);
    await behind(old.db, '0-0-0', 2);
    await old.restart();
    t.equal(await era(old.db), 1, 'a start in the same cluster changes nothing');

    const young = await cluster(t);
    await restore(old.db, young.db);
    await young.restart();
    t.equal(await era(young.db), 2);
    await young.restart();
    t.equal(await era(young.db), 2, 'once');
    await enter(young.db);
    const seen = await behind(young.db, first?.cursor ?? '', 2);
    t.same(
      seen.map(({ state }) => state),
      ['signed-out', 'idle'],
      'what the old cluster had after it, then what is new',
    );
    t.same(
      (await behind(young.db, seen[0]?.cursor ?? '', 1)).map(({ state }) => state),
      ['idle'],
    );
    const xid = (cursor = ''): number => Number(cursor.split('-')[1]);
    t.ok(xid(seen[1]?.cursor) < xid(seen[0]?.cursor), 'though the ids of the new one are smaller');
  },
);

void t.test('it does so where all events were too old to be kept', async (t) => {
  const { db, restart } = await cluster(t);
  await db('event_log').update({ removed_era: 1, removed_xid: 4_000_000_000, removed_id: 7 });
  await restart();
  t.equal(await era(db), 2);
});
