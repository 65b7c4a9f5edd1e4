import t from 'tap';
import { LabPostgres } from '../../domain/database/embedded/postgres.js';
import { until } from '../../domain/machine/processes.js';
import { connect } from '../../domain/database/pool.js';
import { isUnreachable } from '../../domain/database/sql-errors.js';
import { patient } from '../../lab/patience.js';

const postgres = await LabPostgres.start();
const db = connect(postgres.url, { max: 2, deadlineMs: 3000 });
const observer = connect(postgres.url, { ...patient, max: 1 });
t.teardown(async () => {
  postgres.thaw();
  await db.destroy();
  await observer.destroy();
  await postgres.stop();
});
await observer.raw('create table notes (note text)');

/** The error that `work` ends with. */
async function failure(work: Promise<unknown>): Promise<unknown> {
  return work.then(
    () => new Error('it succeeded'),
    (error: unknown) => error,
  );
}

/** Whether `work` succeeds, for `until`: a machine may be busy for longer than a statement may take. */
const done = (work: Promise<unknown>): Promise<true | undefined> =>
  work.then(
    () => true,
    () => undefined,
  );

await t.test(
  'what was reported as failed while PostgreSQL was frozen has not happened when it goes on',
  async (t) => {
    // Two connections, so that both transactions below find one that was there before.
    await until('two connections', () => done(Promise.all([1, 2].map(() => db.raw('select pg_sleep(0.1)')))));
    let frozen = false;
    const inTheMiddle = failure(
      db.transaction(async (trx) => {
        await trx.raw("insert into notes values ('before')");
        postgres.freeze();
        frozen = true;
        await trx.raw("insert into notes values ('within')");
      }),
    );
    await until('the first to stand still', () => (frozen ? true : undefined));
    const atTheBeginning = failure(db.transaction((trx) => trx.raw("insert into notes values ('never')")));
    for (const error of [await inTheMiddle, await atTheBeginning]) {
      t.ok(isUnreachable(error), `known as unreachable: ${String(error)}`);
    }
    t.ok(isUnreachable(await failure(db.raw('select 1'))), 'a new connection is not made either');

    postgres.thaw();
    // Whoever came next used to commit what the one before had left open.
    const after = (): Promise<true | undefined> =>
      done(db.transaction((trx) => trx.raw("insert into notes values ('after')")));
    for (let n = 0; n < 4; n++) await until('it to be done', after);
    await until('the transactions that were left to be rolled back', async () => {
      const { rows } = await observer.raw<{ rows: unknown[] }>(
        "select pid from pg_stat_activity where state like 'idle in transaction%'",
      );
      return rows.length === 0 ? true : undefined;
    });
    t.same(
      await observer('notes').pluck<string[]>('note'),
      Array.from({ length: 4 }, () => 'after'),
    );
  },
);

await t.test('a server that was shut down is unreachable, and reachable again after its start', async (t) => {
  await db.raw('select 1');
  await postgres.kill();
  t.ok(isUnreachable(await failure(db.raw('select 1'))));
  t.ok(isUnreachable(await failure(db.raw('select 1'))), 'with no connection left');
  await postgres.restart();
  await db.raw('select 1');
  t.pass('and it works again');
});

await t.test('an error of the statement itself is not taken for that', async (t) => {
  const error = await failure(db.raw('select no_such_column where ? is not null', ['secret-value']));
  t.notOk(isUnreachable(error));
  t.notMatch(String(error), 'secret-value', 'and its message holds no values');
});
