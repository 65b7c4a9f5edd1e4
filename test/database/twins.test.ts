import t from 'tap';
import { addDid, removeDid } from '../../domain/provisioning/numbers/did.js';
import { connect } from '../../domain/database/pool.js';
import { migrate, migrationDeadlineMs } from '../../domain/database/migrate.js';
import { readRows } from '../../pbx/files/model/rows.js';
import { emptyDatabase } from '../support/database.js';
import { migrateUpTo } from '../support/migrate-up-to.js';
import { refused } from '../support/refusal.js';

const url = await emptyDatabase(t);
const db = connect(url, { max: 1, deadlineMs: migrationDeadlineMs });
t.teardown(() => db.destroy());

/** What a database had in which +N and N were two numbers. */
await migrateUpTo(db, '0017-away');
await db.raw(`
  insert into teams (identity, name) values ('other', 'other');
  insert into agent_groups (team_id, name, number) select id, 'support', '6000' from teams;
  insert into dids (team_id, number, group_id)
    select g.team_id, n.number, g.id from (values ('astercc', '+4930600100'), ('other', '4930600100'),
      ('astercc', '600100'), ('astercc', '+600100'), ('other', '600200')) n (team, number)
    join teams t on t.identity = n.team join agent_groups g on g.team_id = t.id`);
await migrate(db);

const written = async (): Promise<Record<string, string[]>> => {
  const { teams, formsOf } = await readRows(db, 'default');
  return Object.fromEntries(
    teams.map((team) => [
      team.identity,
      team.dids.flatMap(({ number }) => [number, ...formsOf(team, number).forAll]),
    ]),
  );
};

await t.test('numbers that were two keep both their ways; what was there twice is there once', async (t) => {
  t.same(await written(), {
    astercc: ['+4930600100', '+600100', '600100'],
    other: ['4930600100', '600200', '+600200'],
  });
});

await t.test('no third one is added, and what stays of the two is an ordinary one', async (t) => {
  for (const number of ['4930600100', '+4930600100'])
    await refused(t, 'conflict', [number], () => addDid(db, 'astercc', { number, to: 'group:support' }));
  await removeDid(db, 'astercc', '+4930600100');
  t.same((await written())['other'], ['4930600100', '+4930600100', '600200', '+600200']);
  await refused(t, 'conflict', ['+4930600100', 'team other'], () =>
    addDid(db, 'astercc', { number: '+4930600100', to: 'group:support' }),
  );
});
