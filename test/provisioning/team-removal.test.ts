import t from 'tap';
import { connect } from '../../domain/database/pool.js';
import { addAgent, removeAgent } from '../../domain/provisioning/people/agent.js';
import { addExtension, removeExtension } from '../../domain/provisioning/numbers/extension.js';
import { addGroup, removeGroup } from '../../domain/provisioning/people/group.js';
import { addTeam, listTeams, removeTeam } from '../../domain/provisioning/team.js';
import { addUser, removeUser } from '../../domain/provisioning/people/user.js';
import { freshDatabase } from '../support/database.js';
import { refused } from '../support/refusal.js';

const { db, url } = await freshDatabase(t);
const calls = 3000;
/** For what is only there to be removed. */
const patient = connect(url, { max: 1, deadlineMs: 120_000 });
t.teardown(() => patient.destroy());

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

await t.test('what happened to its calls, agents and webhooks goes in pieces, too', async (t) => {
  await addTeam(db, 'busy');
  await addUser(db, 'busy', { username: 'bert' });
  await addExtension(db, 'busy', { number: '5001', user: 'bert' });
  await addGroup(db, 'busy', { name: 'support', number: '6000' });
  await addAgent(db, 'busy', { number: '1001', user: 'bert', groups: ['support'] });
  const parts: Readonly<Record<string, string>> = {
    callbacks: `(team_id, group_id, call_id, number, arrived_at, expires_at, called_put, called_agent_id)
      select i.team, i."group", case when c.id % 2 = 0 then c.id end, '+49' || 3000000 + c.id, now(), now(), 1, i.agent from of_team i, calls c`,
    clicks: `(call_id, team_id, agent_id, extension_id, auto_answer, given_by)
      select c.id, i.team, i.agent, i.extension, false, 'test' from of_team i, calls c`,
    popups: `(team_id, node, channel, call, call_id, kind, application, extension_id, agent_id, username, group_id, opened_at)
      select i.team, c.node, 'p.' || c.id, c.uniqueid, case when c.id % 2 = 0 then c.id end, 'queue', 'customer_service', i.extension,
        i.agent, 'bert', i."group", now() from of_team i, calls c`,
    webhook_deliveries: `(team_id, webhook_id, message, type, at)
      select i.team, w.id, c.id, 'call.ended', now() from of_team i, webhooks w, calls c`,
    limits_reached: `(team_id, of, name, "limit", most, reached_at, last_at, refused, over_at)
      select i.team, 'extension', '5001', 'calls-per-hour', 1, now(), now(), 1, now() from of_team i, calls c`,
  };
  await patient.raw(
    `insert into calls (team_id, node, uniqueid) select t.id, t.node, 'b.' || n from teams t, generate_series(1, ?) as n
     where t.identity = 'busy'`,
    [calls],
  );
  await db.raw(`insert into webhooks (team_id, name, url, secret)
    select id, 'crm', 'https://example.org', 'whsec_' || repeat('A', 43) || '=' from teams where identity = 'busy'`);
  for (const [table, what] of Object.entries(parts))
    await patient.raw(
      `with of_team as (select t.id as team, a.id as agent, x.id as extension, g.id as "group" from teams t
         join agents a on a.team_id = t.id join extensions x on x.team_id = t.id join agent_groups g on g.team_id = t.id
         where t.identity = 'busy')
       insert into ${table} ${what} where c.team_id = i.team`,
    );
  await removeAgent(db, 'busy', '1001');
  await removeExtension(db, 'busy', '5001');
  await removeGroup(db, 'busy', 'support');
  // As the server does once Asterisk's queue is empty.
  await db.raw(`update agent_groups set leaving_since = null where removed_at is not null`);
  await removeUser(db, 'busy', 'bert');
  const gone = new Map<string, number[]>();
  await removeTeam(db, 'busy', {
    discardCalls: true,
    progress: (table, rows) => gone.set(table, [...(gone.get(table) ?? []), rows]),
  });
  for (const table of [...Object.keys(parts), 'calls']) {
    const pieces = gone.get(table) ?? [];
    t.equal(pieces.at(-1), calls, `all rows of ${table}`);
    t.ok(pieces.length > 1, `${table} in ${pieces.length} pieces`);
    t.equal(await left(table, 'busy'), 0);
  }
  t.notOk((await listTeams(db)).some(({ identity }) => identity === 'busy'));
});

await t.test('what needs the team is found before anything is discarded', async (t) => {
  await addUser(db, 'other', { username: 'owner' });
  await refused(t, 'conflict', ['user remove owner --team other'], () =>
    removeTeam(db, 'other', { discardCalls: true }),
  );
  t.equal(await left('calls', 'other'), calls);
});
