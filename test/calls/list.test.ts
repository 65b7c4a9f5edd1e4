import t from 'tap';
import { listCalls, type CallFilter } from '../../domain/calls/records/list.js';
import { callOutcomes, unserved } from '../../domain/calls/records/outcomes.js';
import { CallRecords } from '../../domain/calls/records/records.js';
import { wordsOf } from '../../domain/calls/records/story-words.js';
import { crowd, provision } from '../../lab/provision.js';
import { freshDatabase } from '../support/database.js';
import { addManyTeams, didsOf } from '../support/many-teams.js';
import { plansOf } from '../support/plans.js';
import { defaultNode } from '../support/records.js';

const { db } = await freshDatabase(t);
await provision(db, crowd(1, { groups: [{ name: 'support' }, { name: 'sales' }] }));
await provision(db, crowd(1, { team: 'other', groups: [{ name: 'support' }], did: '600200' }));
const ids = async (table: string, key: string, team: string): Promise<Record<string, number>> => {
  const rows = await db(`${table} as o`)
    .join('teams as t', 't.id', 'o.team_id')
    .where('t.identity', team)
    .select<{ name: string; id: number }[]>(`o.${key} as name`, 'o.id');
  return Object.fromEntries(rows.map(({ name, id }) => [name, id]));
};
const groups = await ids('agent_groups', 'name', 'astercc');
const teams = Object.fromEntries(
  (await db('teams').select<{ identity: string; id: number }[]>('identity', 'id')).map(({ identity, id }) => [
    identity,
    id,
  ]),
);

/** A call that came so many minutes ago and is over. */
async function call(
  uniqueid: string,
  minutesAgo: number,
  more: Partial<{
    team: string;
    caller: string | null;
    did: string;
    group: string;
    outcome: string | null;
    visits: string[];
  }> = {},
): Promise<void> {
  const {
    team = 'astercc',
    caller = '+4917100',
    did = '600100',
    group = 'support',
    outcome = 'answered',
    visits = [group],
  } = more;
  const ago = (minutes: number) => db.raw(`now() - make_interval(mins => ?)`, [minutes]);
  const team_id = teams[team];
  const [row] = await db('calls')
    .insert({
      team_id,
      node: defaultNode,
      uniqueid,
      caller,
      did,
      group_id: team === 'astercc' ? groups[group] : null,
      outcome,
      arrived_at: ago(minutesAgo),
      answered_at: outcome === 'answered' ? ago(minutesAgo) : null,
      ended_at: outcome === null ? null : ago(minutesAgo),
    })
    .returning<{ id: number }[]>('id');
  if (team !== 'astercc') return;
  for (const visit of visits)
    await db('queue_visits').insert({
      team_id,
      node: defaultNode,
      call_id: row?.id,
      uniqueid: `${uniqueid}-${visit}`,
      group_id: groups[visit],
      joined_at: ago(minutesAgo),
      left_at: ago(minutesAgo),
      outcome: 'unknown',
    });
}

const list = async (filter: CallFilter = {}, team = 'astercc'): Promise<string[]> =>
  (await listCalls(db, team, filter)).calls.map(({ uniqueid }) => uniqueid);
const ago = (minutes: number): Date => new Date(Date.now() - minutes * 60_000);

t.beforeEach(() => db('calls').delete());

await t.test('the newest first, and each filter', async (t) => {
  await call('old', 600, { caller: '4930', outcome: 'abandoned' });
  await call('sent-on', 60, { visits: ['support', 'sales'] });
  await call('sales', 30, { group: 'sales', did: '+600300', outcome: 'timeout' });
  await call('now', 1, { outcome: null });
  await call('foreign', 2, { team: 'other' });
  t.same(await list(), ['now', 'sales', 'sent-on', 'old']);
  t.same(await list({}, 'other'), ['foreign']);
  t.same(await list({ since: ago(100), until: ago(10) }), ['sales', 'sent-on']);
  t.same(
    await list({ group: 'sales' }),
    ['sales', 'sent-on'],
    'also those who came into its queue from elsewhere',
  );
  t.same(await list({ group: 'sales', since: ago(45) }), ['sales']);
  t.same(await list({ did: '+600100' }), ['now', 'sent-on', 'old'], 'in either form');
  t.same(await list({ caller: '+4930' }), ['old']);
  t.same(await list({ outcome: 'timeout' }), ['sales']);
  await t.rejects(list({ outcome: 'lost' }), { code: 'invalid_choice' });
  await t.rejects(list({ group: 'nothing' }), { code: 'unknown' });
  await t.rejects(list({ limit: 0 }), { code: 'invalid_number' });
  t.same(await list({ did: "6'\0;--", caller: '\0' }), []);
});

await t.test('page by page nothing is left out and nothing comes twice', async (t) => {
  // Several in the same moment.
  for (let n = 0; n < 25; n++) await call(`c${n}`, Math.floor(n / 5));
  for (const filter of [{}, { group: 'support' }, { outcome: 'answered' }]) {
    const seen: string[] = [];
    let before: number | null = null;
    do {
      const page = await listCalls(db, 'astercc', {
        ...filter,
        limit: 4,
        ...(before !== null && { before }),
      });
      seen.push(...page.calls.map(({ uniqueid }) => uniqueid));
      before = page.next;
    } while (before !== null);
    t.equal(seen.length, 25);
    t.equal(new Set(seen).size, 25);
  }
});

await t.test('whom nobody has called back and who have not come back', async (t) => {
  await call('gave-up', 50, { caller: '+49111', outcome: 'abandoned' });
  await call('came-back-1', 40, { caller: '+492', outcome: 'abandoned' });
  await call('came-back-2', 30, { caller: '+492' });
  await call('again-1', 40, { caller: '+49333', outcome: 'abandoned' });
  await call('again-2', 30, { caller: '+49333', outcome: 'nobody' });
  await call('waits-1', 40, { caller: '+49444', outcome: 'timeout' });
  await call('waits-2', 1, { caller: '+49444', outcome: null });
  await call('first-talked', 60, { caller: '+49111' });
  await call('hidden', 10, { caller: 'anonymous', outcome: 'abandoned' });
  await call('nobody', 10, { caller: null, outcome: 'abandoned' });
  await call('sent-away', 5, { caller: '+49555', outcome: 'full' });
  await call('foreign', 5, { team: 'other', caller: '+49333' });
  t.same(
    await list({ unreturned: true }),
    ['sent-away', 'again-2', 'gave-up'],
    'each caller once, by the last call',
  );
  t.same(await list({ unreturned: true, group: 'support', since: ago(45) }), ['sent-away', 'again-2']);
  t.same(await list({ outcome: 'full' }), ['sent-away']);
});

/** A call to a number outside so many minutes ago, over. */
async function callOut(
  uniqueid: string,
  minutesAgo: number,
  more: Partial<{ number: string; team: string; user: number; trunk: string; answered: boolean }> = {},
): Promise<void> {
  const { number = '+4930123456', team = 'astercc', user, trunk = null, answered = true } = more;
  const at = db.raw(`now() - make_interval(mins => ?)`, [minutesAgo]);
  await db('calls').insert({
    team_id: teams[team],
    node: defaultNode,
    uniqueid,
    direction: 'out',
    dialled: number,
    number,
    trunk,
    user_id: user ?? null,
    arrived_at: at,
    answered_at: answered ? at : null,
    ended_at: db.raw(`now() - make_interval(mins => ?) + interval '42 seconds'`, [minutesAgo]),
    outcome: answered ? 'answered' : 'no-answer',
  });
}

await t.test('calls to the outside: by direction, number, trunk and who pays', async (t) => {
  await call('in', 30);
  const [user] = await db('users')
    .where({ team_id: teams['astercc'] })
    .select<{ id: number; username: string }[]>('id', 'username');
  await callOut('out-1', 20, { user: user?.id ?? 0, trunk: 'provider' });
  await callOut('out-2', 10, { number: '+49891', answered: false });
  t.same(await list({ direction: 'out' }), ['out-2', 'out-1']);
  t.same(await list({ direction: 'in' }), ['in']);
  t.same(await list({ number: '4930123456' }), ['out-1'], 'in either form');
  t.same(await list({ trunk: 'provider' }), ['out-1']);
  t.same(await list({ user: user?.username ?? '' }), ['out-1']);
  await t.rejects(list({ user: 'nobody' }), { code: 'unknown' });
  await t.rejects(list({ direction: 'sideways' }), { code: 'invalid_choice' });
  const { calls } = await listCalls(db, 'astercc', { trunk: 'provider' });
  t.match(calls, [
    { direction: 'out', number: '+4930123456', trunk: 'provider', payer: user?.username, talkSeconds: 42 },
  ]);
});

await t.test(
  'whom somebody has reached since is called back, however the trunk wrote the number',
  async (t) => {
    await db('trunks').insert({ name: 'german', endpoint: 'german', country: 'DE' });
    const missed = ['+49301', '49302', '0049303', '0304', '12345', '+49306', '+49307'];
    for (const [index, caller] of missed.entries())
      await call(`missed-${index}`, 60 - index, { caller, outcome: 'abandoned' });
    for (const [index, number] of ['+49301', '+49302', '+49303', '+49304', '12345'].entries())
      await callOut(`back-${index}`, 10 - index, { number });
    await callOut('not-reached', 2, { number: '+49306', answered: false });
    await callOut('before', 120, { number: '+49307' });
    await callOut('foreign', 2, { number: '+49307', team: 'other' });
    t.same(await list({ unreturned: true }), ['missed-6', 'missed-5']);
    t.equal(
      (await list({ direction: 'out', outcome: 'no-answer' })).length,
      1,
      'a call out is nobody to call back',
    );
  },
);

/** The words that a check constraint of the database takes. */
async function known(constraint: string): Promise<string[]> {
  const { rows } = await db.raw<{ rows: { definition: string }[] }>(
    `select pg_get_constraintdef(oid) as definition from pg_constraint where conname = ?`,
    [constraint],
  );
  return [...(rows[0]?.definition ?? '').matchAll(/'([a-z-]+)'::text/g)].map(([, word = '']) => word).sort();
}

await t.test('every outcome that the database takes can be asked for, and has words', async (t) => {
  const [ofCalls, ofVisits] = [await known('calls_outcome_known'), await known('queue_visits_outcome_known')];
  t.ok(ofCalls.includes('answered') && ofVisits.includes('answered'));
  t.same([...callOutcomes].sort(), ofCalls);
  t.same(
    [...unserved].sort(),
    // Whoever is to be called back is not forgotten.
    ofCalls.filter((word) => !['answered', 'callback', 'unknown'].includes(word)),
  );
  const says = (kind: string, outcome: string): string => wordsOf({ kind, facts: { outcome } });
  for (const [kind, words] of [
    ['ended', ofCalls],
    ['left', ofVisits],
  ] as const)
    for (const outcome of words)
      t.equal(/not seen/.test(says(kind, outcome)), outcome === 'unknown', outcome);
});

await t.test('a DID and who has answered are found by their indexes', async (t) => {
  const large = await freshDatabase(t);
  const many = { teams: 20, extensions: 300, dids: 100 };
  await addManyTeams(large.db, many);
  const [did = ''] = didsOf(7, many);
  await large.db.raw('analyze');
  const [ofDid = ''] = await plansOf(large.db, 'from dids', () => listCalls(large.db, 't7', { did }));
  t.match(ofDid, /dids_number_key/);
  t.match(ofDid, /dids_twin_key/);
  t.notMatch(ofDid, /Seq Scan on dids/, ofDid);
  const records = new CallRecords(large.db, defaultNode);
  const told = [{ uniqueid: 'c.1', secondsAgo: 1, endpoint: 'desk-1' }];
  const [ofAnswer = ''] = await plansOf(large.db, 'told.endpoint', () => records.pickedUp(told));
  t.match(ofAnswer, /extensions_number_key.*\n *Index Cond: .*number = /, ofAnswer);
  t.match(ofAnswer, /extensions_endpoint_key/, ofAnswer);
});

/** The last: its 20,000 calls take longer to delete than a statement may. */
await t.test('no filter reads the whole table', async (t) => {
  await db.raw('alter table calls disable trigger user');
  for (const from of [1, 5001, 10_001, 15_001])
    await db.raw(
      `insert into calls (team_id, node, uniqueid, caller, did, group_id, outcome, arrived_at, ended_at)
     select :team, :node, 'many-' || n, '+49' || 1000 + n % 5000, '600100',
       :group, case when n % 50 = 0 then 'abandoned' else 'answered' end, now() - n * interval '1 minute', now()
     from generate_series(:from::integer, :from + 4999) as n`,
      { from, team: teams['astercc'] ?? 0, node: defaultNode, group: groups['support'] ?? 0 },
    );
  await db.raw('analyze calls');
  const filters: CallFilter[] = [
    {},
    { group: 'support' },
    { did: '600100' },
    { caller: '+491001' },
    { outcome: 'abandoned' },
    { since: ago(60) },
    { unreturned: true, since: ago(7 * 24 * 60) },
    { direction: 'out' },
    { number: '+491001' },
    { trunk: 'provider' },
    {
      user: (await db('users').where({ team_id: teams['astercc'] }).first<{ username: string }>('username'))
        .username,
    },
  ];
  const plans = await plansOf(db, 'from calls c', async () => {
    for (const filter of filters) await list(filter);
  });
  t.ok(plans.length > filters.length, 'a group takes several');
  for (const [index, plan] of plans.entries())
    t.notMatch(plan, /Seq Scan on calls/, `${String(index)}\n${plan}`);
});
