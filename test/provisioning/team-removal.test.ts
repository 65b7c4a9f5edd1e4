import t from 'tap';
import { addTeam, listTeams, removeTeam } from '../../domain/provisioning/team.js';
import { addUser, removeUser } from '../../domain/provisioning/user.js';
import { freshDatabase } from '../support/database.js';
import { refused } from '../support/refusal.js';

const { db } = await freshDatabase(t);
const calls = 3000;

await addTeam(db, 'large');
await addTeam(db, 'other');
await addUser(db, 'large', { username: 'anna' });
await removeUser(db, 'large', 'anna');
// In pieces, as each row has its triggers and a statement has its deadline.
for (let from = 1; from <= calls; from += 500) {
  await db.raw(
    `insert into calls (team_id, node, uniqueid) select t.id, t.node, t.identity || '.' || n
     from teams t, generate_series(?::integer, ?::integer) as n where t.identity in ('large', 'other')`,
    [from, from + 499],
  );
  await db.raw(
    `insert into queue_visits (team_id, node, call_id, uniqueid) select c.team_id, c.node, c.id, c.uniqueid from calls c
     where not exists (select from queue_visits v where v.call_id = c.id)`,
  );
}
const left = async (table: string, team: string) =>
  (
    await db(table)
      .where({ team_id: db('teams').where({ identity: team }).select('id') })
      .count<{ count: number }[]>()
  )[0]?.count;

await t.test('the calls of a team go in pieces, and what was stopped half way goes on', async (t) => {
  const pieces: number[] = [];
  // As a command that is killed: what it had done by then is done.
  await t.rejects(
    removeTeam(db, 'large', {
      discardCalls: true,
      progress: (table, rows) => {
        pieces.push(rows);
        if (pieces.length === 2) throw new Error(`killed in ${table}`);
      },
    }),
    /killed in queue_visits/,
  );
  const visits = await left('queue_visits', 'large');
  t.ok(visits !== undefined && visits < calls && visits > 0, `${visits ?? ''} visits are left`);
  t.equal(await left('calls', 'large'), calls);
  t.ok(
    (await listTeams(db)).some(({ identity }) => identity === 'large'),
    'and the team is still there',
  );

  await refused(t, 'conflict', [`${calls} recorded calls`, '--discard-calls'], () => removeTeam(db, 'large'));
  let statements = 0;
  const count = ({ sql }: { sql: string }) => (statements += /delete/i.test(sql) ? 1 : 0);
  db.on('query', count);
  await removeTeam(db, 'large', { discardCalls: true });
  db.removeListener('query', count);
  t.ok(statements > 6, `${statements} statements, none of them unbounded`);
  t.notOk((await listTeams(db)).some(({ identity }) => identity === 'large'));
  t.equal(await left('calls', 'other'), calls, 'another team keeps what is its own');
  t.equal(await left('queue_visits', 'other'), calls);
});

await t.test('what needs the team is found before anything is discarded', async (t) => {
  await addUser(db, 'other', { username: 'owner' });
  await refused(t, 'conflict', ['user remove owner --team other'], () =>
    removeTeam(db, 'other', { discardCalls: true }),
  );
  t.equal(await left('calls', 'other'), calls);
});
