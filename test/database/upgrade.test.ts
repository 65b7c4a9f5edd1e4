import { readFileSync } from 'node:fs';
import pg from 'pg';
import t from 'tap';
import { CallRecords } from '../../domain/calls/records/records.js';
import { migrate, migrationDeadlineMs } from '../../domain/database/migrate.js';
import { connect } from '../../domain/database/pool.js';
import { readStatus } from '../../domain/monitor/status.js';
import { signOut } from '../../domain/presence/sign-in.js';
import { emptyDatabase } from '../support/database.js';
import { openNow, see } from '../support/doors/event-feed.js';
import { schemaText } from '../support/schema.js';
import { callerOf, defaultNode } from '../support/records.js';
import { patient } from '../../lab/patience.js';

const dump = readFileSync(new URL('../../../fixtures/upgrade/0.1.0.sql', import.meta.url), 'utf8');
const schema = readFileSync(new URL('../../../fixtures/schema.txt', import.meta.url), 'utf8');

const url = await emptyDatabase(t);
const loader = new pg.Client(url);
await loader.connect();
await loader.query(dump);
// Numbers of a team's own where a later version has a feature code.
await loader.query(
  `insert into feature_codes (team_id, code, feature) select id, '*690', 'status' from teams where identity = 'other'`,
);
// And where emergency numbers are.
await loader.query(
  `insert into extensions (team_id, number, user_id, secret)
   select t.id, '911', min(u.id), 'aaaaaaaaaaaaaaaaaaaaaaaa' from teams t join users u on u.team_id = t.id
   where t.identity = 'other' group by t.id`,
);
const count = async (table: string): Promise<number> => {
  const { rows } = await loader.query<{ count: string }>(`select count(*) from ${table}`);
  return Number(rows[0]?.count);
};
const tables = [
  'teams',
  'users',
  'extensions',
  'agents',
  'agent_groups',
  'agent_group_members',
  'dids',
  'trunks',
];
const records = ['numbers', 'feature_codes', 'pause_reasons', 'sign_ins', 'agent_states', 'calls'];
const before = new Map<string, number>();
for (const table of [...tables, ...records]) before.set(table, await count(table));

const migrator = connect(url, { max: 1, deadlineMs: migrationDeadlineMs });
const remarks: string[] = [];
await migrate(migrator, (remark) => remarks.push(remark));
await migrator.destroy();
const db = connect(url, patient);
t.teardown(async () => {
  await loader.end();
  await db.destroy();
});

await t.test('a database of the version before becomes one of this version, and loses nothing', async (t) => {
  t.equal(await schemaText(db), schema, 'the same as one that begins with this version');
  // Each team has eight more codes, but for the one that has a number of its own at one of them.
  const more = 8 * (before.get('teams') ?? 0) - 1;
  for (const [table, rows] of before) {
    const added = ['numbers', 'feature_codes'].includes(table) ? more : 0;
    t.equal(await count(table), rows + added, table);
  }
});

await t.test('no limit of calls comes upon a team that is at work', async (t) => {
  t.same(await db('teams').whereNotNull('calls_per_day').pluck('identity'), []);
});

await t.test(
  'a new feature code is given where it is free, and whoever migrates is told where not',
  async (t) => {
    const having = await db('feature_codes as c')
      .join('teams as t', 't.id', 'c.team_id')
      .where({ feature: 'waiting', code: '*69' })
      .pluck<string[]>('t.identity');
    t.notOk(having.includes('other'));
    t.ok(having.includes('astercc'));
    t.match(
      remarks.filter((one) => one.includes('feature code')),
      [/^team other has \*690 already, .* --feature waiting --team other /],
    );
  },
);

await t.test(
  'emergency numbers are given where they are free, and whoever migrates is told of each',
  async (t) => {
    const numbers = await db('teams')
      .whereIn('identity', ['astercc', 'other'])
      .orderBy('identity')
      .pluck('emergency');
    t.same(numbers, ['112,911', '112'], 'nobody took the extension 911 away');
    const told = remarks.filter((one) => !one.includes('feature code'));
    t.match(
      told.find((one) => one.startsWith('team other')),
      'team other has 911 already, so 911 is no emergency number of its phones',
    );
    t.ok(
      told.some((one) =>
        /^phones of team astercc reach 112, 911 over its trunks from the next star64 apply on/.test(one),
      ),
    );
  },
);

await t.test('each call that joined a queue has its visit', async (t) => {
  const { rows } = await db.raw<{ rows: object[] }>(
    `select c.uniqueid as call, c.outcome, t.identity || '/' || g.name as queue, a.number as agent, v.outcome as visit,
       v.joined_at >= c.arrived_at as joined, v.answered_at = c.answered_at as answered, v.left_at is null as open
     from calls c join teams t on t.id = c.team_id left join queue_visits v on v.call_id = c.id
     left join agent_groups g on g.id = v.group_id left join agents a on a.id = v.agent_id order by c.id`,
  );
  const unseen = { outcome: null, visit: null, agent: null, answered: null };
  const support = { queue: 'astercc/support', joined: true };
  const sales = { queue: 'astercc/sales', joined: true, open: false };
  const answered = { ...support, outcome: 'answered', visit: 'answered', answered: true };
  t.same(rows, [
    { ...answered, call: 'call.answered', agent: '1001', open: false },
    { ...unseen, ...support, call: 'call.abandoned', outcome: 'abandoned', visit: 'abandoned', open: false },
    // Of these the old version wrote "unanswered", whatever came of them.
    { ...unseen, outcome: 'unknown', call: 'call.extension', queue: null, joined: null, open: true },
    { ...unseen, ...sales, call: 'call.lost', outcome: 'unknown', visit: 'unknown' },
    { ...unseen, ...sales, call: 'call.unanswered', outcome: 'unknown', visit: 'unknown' },
    { ...answered, call: 'call.talking', agent: '1002', open: true },
    { ...unseen, call: 'call.waiting', queue: 'other/support', joined: true, open: true },
  ]);
  t.same(await db('calls').distinct('node').pluck<string[]>('node'), [defaultNode]);
});

await t.test('what is under way goes on', async (t) => {
  t.match((await readStatus(db, 'other')).groups[0], { waiting: 1, talking: 0, signedIn: 1 });
  const [, support] = (await readStatus(db, 'astercc')).groups.slice(-2);
  t.match(support, { name: 'support', waiting: 0, talking: 1, signedIn: 2 });
  const node = new CallRecords(db, defaultNode);
  t.match(await node.open(), {
    calls: ['call.talking', 'call.waiting'],
    offers: ['offer.2', 'offer.3'],
    waiting: [{ uniqueid: 'call.waiting', queue: 'other-support' }],
  });
  await node.answered(callerOf('other-support', 'call.waiting'), 'offer.3', '1001');
  await node.offersEnded([
    { offerId: 'offer.2', result: null },
    { offerId: 'offer.3', result: null },
  ]);
  t.match((await readStatus(db, 'astercc')).groups.at(-1), { name: 'support', talking: 0 });
  t.match(await db('offers').orderBy('uniqueid').pluck<string[]>('result'), ['answered', 'answered']);
});

await t.test('and is told from now on', async (t) => {
  const feed = await openNow(db, { team: 'astercc' });
  await signOut(db, 'astercc', { agent: '1002' }, 'test');
  const [event] = await see(feed, 1);
  t.match(event, { agent: '1002', state: 'signed-out', previousState: 'talking' });
});

await t.test('a server of one Asterisk with a name of its own finds its teams there', async (t) => {
  const other = await emptyDatabase(t);
  const client = new pg.Client(other);
  await client.connect();
  t.teardown(() => client.end());
  await client.query(dump);
  await client.query(`insert into watchers (node, holder, expires_at) values ('east', 'server', now())`);
  const starting = connect(other, { max: 1, deadlineMs: migrationDeadlineMs });
  await migrate(starting);
  await starting.destroy();
  const { rows } = await client.query(
    `select distinct t.node as team, c.node as call from teams t join calls c on c.team_id = t.id`,
  );
  t.same(rows, [{ team: 'east', call: 'east' }]);
});
