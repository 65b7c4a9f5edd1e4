import t from 'tap';
import { addAgent, removeAgent, showAgent } from '../../domain/provisioning/people/agent.js';
import { addExtension, removeExtension, showExtension } from '../../domain/provisioning/numbers/extension.js';
import {
  addGroup,
  listGroups,
  removeGroup,
  setGroup,
  showGroup,
} from '../../domain/provisioning/people/group.js';
import { groupsPendingRemoval, removeGroups } from '../../domain/provisioning/values/removal-pending.js';
import { removeTeam } from '../../domain/provisioning/team.js';
import { addUser, removeUser, setUser, showUser } from '../../domain/provisioning/people/user.js';
import { signInFixedAgents } from '../../domain/presence/fixed-agents.js';
import { openSignIn } from '../../domain/presence/open-sign-in.js';
import { signIn, signOut } from '../../domain/presence/sign-in.js';
import { readStatus } from '../../domain/monitor/status.js';
import { freshDatabase } from '../support/database.js';
import { refused } from '../support/refusal.js';

const { db } = await freshDatabase(t);

const secret = 'GivenSecretGivenSecret24';
const password = 'correct horse battery';

/** The same people, phones and groups under the same names, each time new ones. */
async function provision(): Promise<void> {
  await addUser(db, 'astercc', { username: 'anna', password, pin: '7305', administrator: true });
  await addExtension(db, 'astercc', { number: '5000', user: 'anna', secret });
  await addGroup(db, 'astercc', {
    name: 'support',
    number: '6000',
    application: 'campaign',
    link: 'https://crm.example.org/',
  });
  await setGroup(db, 'astercc', 'support', { administrators: { add: ['anna'] } });
  await addAgent(db, 'astercc', {
    number: '1001',
    user: 'anna',
    groups: ['support'],
    penalties: { support: 7 },
    pin: '7305',
  });
}

/** Everything that says what has happened, row by row. */
const historyTables = ['sign_ins', 'agent_states', 'calls', 'queue_visits', 'offers', 'events'];
const history = async () =>
  JSON.stringify(
    await Promise.all(historyTables.map((table) => db(table).select('*').orderByRaw('1, 2, 3'))),
  );

async function idsOf(): Promise<Record<string, number[]>> {
  const ids = await Promise.all(
    ['users', 'extensions', 'agent_groups', 'agents'].map(async (table) => [
      table,
      await db(table).orderBy('id').pluck<number[]>('id'),
    ]),
  );
  return Object.fromEntries(ids) as Record<string, number[]>;
}

await provision();
await signIn(db, 'astercc', { agent: '1001', extension: '5000', by: 'first' });
await db.raw(`
  insert into calls (team_id, node, uniqueid, group_id, extension_id, answered_at, ended_at, outcome)
    select g.team_id, 'default', 'call.1', g.id, x.id, now() + interval '1 minute', now() + interval '1 minute', 'answered'
    from agent_groups g join extensions x on x.team_id = g.team_id;
  insert into queue_visits (team_id, node, call_id, uniqueid, group_id, answered_at, left_at, outcome, agent_id, offer_id)
    select c.team_id, 'default', c.id, c.uniqueid, c.group_id, now() + interval '1 minute', now() + interval '1 minute', 'answered', a.id, 'offer.1'
    from calls c join agents a on a.team_id = c.team_id;
  insert into offers (team_id, node, uniqueid, visit_id, group_id, agent_id, extension_id, sign_in_id, answered_at, ended_at, result)
    select i.team_id, 'default', 'offer.1', v.id, v.group_id, i.agent_id, i.extension_id, i.id, now() + interval '1 minute', now() + interval '1 minute', 'answered'
    from sign_ins i join queue_visits v on v.team_id = i.team_id;
  update agent_states set group_id = (select id from agent_groups);
`);
await signOut(db, 'astercc', { agent: '1001' }, 'first');
await db.raw(`
  insert into sign_in_failures (team_id, kind, number, failures, failed_at, locked_until)
    select id, kind, number, 9, now(), now() + interval '1 hour'
    from teams, (values ('agent', '1001'), ('phone', '5000'), ('user', 'anna')) as f (kind, number)`);

await t.test('what is removed is gone for everybody, and history is still there row by row', async (t) => {
  const before = await history();
  await removeAgent(db, 'astercc', '1001');
  t.equal(await history(), before, 'agent');
  await removeExtension(db, 'astercc', '5000');
  t.equal(await history(), before, 'extension');
  await removeUser(db, 'astercc', 'anna');
  t.equal(await history(), before, 'user');
  await removeGroup(db, 'astercc', 'support');
  const pending = await groupsPendingRemoval(db, 'default');
  await removeGroups(
    db,
    pending.map(({ id }) => id),
  );
  t.equal(await history(), before, 'group');

  await refused(t, 'not_found', ['agent "1001"'], () => showAgent(db, 'astercc', '1001'));
  await refused(t, 'not_found', ['extension "5000"'], () => showExtension(db, 'astercc', '5000'));
  await refused(t, 'not_found', ['user "anna"'], () => showUser(db, 'astercc', 'anna'));
  await refused(t, 'not_found', ['group "support"'], () => showGroup(db, 'astercc', 'support'));
  t.match(await readStatus(db, 'astercc'), { agents: [], groups: [] });
  t.same(await db('numbers').whereIn('number', ['5000', '6000']), [], 'their numbers are free');
  t.same(await db('sign_in_failures'), [], 'and whoever gets one is not locked for it');
  for (const [table, columns] of [
    ['users', ['password_hash', 'pin_hash']],
    ['extensions', ['secret']],
    ['agents', ['pin_hash']],
  ] as const) {
    for (const row of await db(table).select<Record<string, unknown>[]>(...columns)) {
      for (const column of columns) t.equal(row[column], null, `${table}.${column} is gone`);
    }
  }
  t.match(
    await signIn(db, 'astercc', { agent: '1001', extension: '5000', by: 'ghost' }),
    { outcome: 'unknown-phone' },
    'nobody signs in at a removed phone',
  );
});

await t.test('whatever gets the same name is another, and inherits nothing', async (t) => {
  const before = await history();
  const former = await idsOf();
  await addUser(db, 'astercc', { username: 'anna' });
  await addExtension(db, 'astercc', { number: '5000', user: 'anna' });
  await addGroup(db, 'astercc', { name: 'support' });
  t.match(await addAgent(db, 'astercc', { number: '1001', user: 'anna', groups: ['support'] }), {
    pin: false,
    penalties: {},
    signedInAt: null,
  });
  t.match(await showUser(db, 'astercc', 'anna'), {
    login: false,
    pin: false,
    administrator: false,
    administers: [],
    extensions: ['5000'],
    agents: ['1001'],
  });
  t.match(await showGroup(db, 'astercc', 'support'), {
    number: null,
    application: null,
    link: null,
    administrators: [],
    agents: ['1001'],
    dids: [],
  });
  t.match(
    await setUser(db, 'astercc', 'anna', { password: secret }),
    { login: true },
    'the former secret is nobody’s',
  );
  t.equal(await openSignIn(db, 'astercc', { agent: '1001' }), undefined);
  const now = await idsOf();
  for (const [table, ids] of Object.entries(now)) {
    t.equal(ids.length, (former[table]?.length ?? 0) + 1, `${table}: a new row beside the former one`);
  }
  t.equal(await history(), before);
  t.match(await signIn(db, 'astercc', { agent: '1001', extension: '5000', by: 'second' }), {
    outcome: 'signed-in',
  });
  await signOut(db, 'astercc', { agent: '1001' }, 'second');
});

await t.test('removing and adding again may be repeated', async (t) => {
  for (let round = 0; round < 3; round++) {
    await removeAgent(db, 'astercc', '1001');
    await removeExtension(db, 'astercc', '5000');
    await addExtension(db, 'astercc', { number: '5000', user: 'anna' });
    await addAgent(db, 'astercc', { number: '1001', user: 'anna', groups: ['support'] });
  }
  t.same(
    (await listGroups(db, 'astercc')).map(({ agents }) => agents),
    [['1001']],
  );
});

await t.test('a fixed agent who is being removed is not signed in any more', async (t) => {
  await addExtension(db, 'astercc', { number: '5009', user: 'anna' });
  for (let round = 0; round < 10; round++) {
    await addAgent(db, 'astercc', {
      number: '1009',
      user: 'anna',
      groups: ['support'],
      kind: 'fixed',
      extension: '5009',
    });
    await Promise.allSettled([removeAgent(db, 'astercc', '1009'), signInFixedAgents(db)]);
    const open = await db('sign_ins as i')
      .join('agents as a', 'a.id', 'i.agent_id')
      .whereNull('i.signed_out_at')
      .whereNotNull('a.removed_at');
    t.same(open, [], `round ${round}`);
  }
});

await t.test('a team goes with its history only if that is said', async (t) => {
  await removeAgent(db, 'astercc', '1001');
  await removeExtension(db, 'astercc', '5000');
  await removeExtension(db, 'astercc', '5009');
  await removeUser(db, 'astercc', 'anna');
  await removeGroup(db, 'astercc', 'support');
  await refused(t, 'conflict', ['group support', 'goes by itself'], () =>
    removeTeam(db, 'astercc', { discardCalls: true }),
  );
  const pending = await groupsPendingRemoval(db, 'default');
  await removeGroups(
    db,
    pending.map(({ id }) => id),
  );
  const before = await history();
  await refused(t, 'conflict', ['1 recorded calls', 'sign-ins', '--discard-calls'], () =>
    removeTeam(db, 'astercc'),
  );
  t.equal(await history(), before);
  await removeTeam(db, 'astercc', { discardCalls: true });
  for (const table of [...historyTables, 'teams', 'users', 'extensions', 'agents', 'agent_groups']) {
    t.same(await db(table), [], table);
  }
});
