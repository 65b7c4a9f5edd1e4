import t, { type Test } from 'tap';
import { migrate, migrationDeadlineMs } from '../../domain/database/migrate.js';
import { connect, type Database } from '../../domain/database/pool.js';
import { emptyDatabase, freshDatabase } from '../support/database.js';
import { migrateUpTo } from '../support/migrate-up-to.js';

const limits = (db: Database): Promise<object | undefined> =>
  db('teams').where({ identity: 'astercc' }).first('calls_at_once', 'calls_per_hour', 'calls_per_day');
const some = { calls_at_once: 100, calls_per_hour: 2000, calls_per_day: 10000 };
const none = { calls_at_once: null, calls_per_hour: null, calls_per_day: null };

/** A database of the version before, in which something was done with the first team. */
async function upgraded(t: Test, done: (db: Database, team: number) => Promise<unknown>): Promise<Database> {
  const db = connect(await emptyDatabase(t), { max: 1, deadlineMs: migrationDeadlineMs });
  t.teardown(() => db.destroy());
  await migrateUpTo(db, '0055-consulted');
  const team = await db('teams').where({ identity: 'astercc' }).first<{ id: number }>('id');
  await done(db, team.id);
  await migrate(db);
  return db;
}

await t.test('the team that everybody starts with has limits as every new one', async (t) => {
  const { db } = await freshDatabase(t);
  t.same(await limits(db), some);
});

await t.test('one that nothing was done with has them after an upgrade, too', async (t) => {
  t.same(await limits(await upgraded(t, () => Promise.resolve())), some);
});

await t.test('one that is at work keeps what it has', async (t) => {
  const user = { username: 'anna', name: 'Anna' };
  const used = await upgraded(t, (db, id) => db('users').insert({ team_id: id, ...user }));
  t.same(await limits(used), none);
  const call = { uniqueid: '1.1', caller: '0171', did: '600100', node: 'default' };
  const called = await upgraded(t, (db, id) => db('calls').insert({ team_id: id, ...call }));
  t.same(await limits(called), none);
  const set = await upgraded(t, (db, id) => db('teams').where({ id }).update({ calls_per_day: 5 }));
  t.same(await limits(set), { ...none, calls_per_day: 5 }, 'what somebody has said stands');
});
