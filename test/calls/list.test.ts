import t from 'tap';
import { listCalls, type CallFilter } from '../../domain/calls/list.js';
import { crowd, provision } from '../../lab/provision.js';
import { freshDatabase } from '../support/database.js';
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
  await call('foreign', 5, { team: 'other', caller: '+49333' });
  t.same(await list({ unreturned: true }), ['again-2', 'gave-up'], 'each caller once, by the last call');
  t.same(await list({ unreturned: true, group: 'support', since: ago(45) }), ['again-2']);
});

await t.test('no filter reads the whole table', async (t) => {
  await db.raw('alter table calls disable trigger user');
  await db.raw(
    `insert into calls (team_id, node, uniqueid, caller, did, group_id, outcome, arrived_at, ended_at)
     select :team, :node, 'many-' || n, '+49' || 1000 + n % 20000, '600100',
       :group, case when n % 50 = 0 then 'abandoned' else 'answered' end, now() - n * interval '1 minute', now()
     from generate_series(1, 40000) as n`,
    { team: teams['astercc'] ?? 0, node: defaultNode, group: groups['support'] ?? 0 },
  );
  await db.raw('analyze calls');
  const texts: { sql: string; bindings: unknown[] }[] = [];
  const hear = (query: { sql: string; bindings: unknown[] }): void => void texts.push(query);
  db.on('query', hear);
  const filters: CallFilter[] = [
    {},
    { group: 'support' },
    { did: '600100' },
    { caller: '+491001' },
    { outcome: 'abandoned' },
    { since: ago(60) },
    { unreturned: true, since: ago(7 * 24 * 60) },
  ];
  for (const filter of filters) await list(filter);
  db.removeListener('query', hear);
  const pages = texts.filter(({ sql }) => sql.includes('with page as'));
  t.equal(pages.length, filters.length);
  for (const [index, { sql, bindings }] of pages.entries()) {
    // As knex has written it, its places numbered.
    const { rows } = await db.raw<{ rows: Record<string, string>[] }>(
      `explain ${sql.replaceAll('?', '\\\\?').replace(/\$\d+/g, '?')}`,
      bindings as never,
    );
    const plan = rows.map((row: Record<string, string>) => row['QUERY PLAN']).join('\n');
    t.notMatch(plan, /Seq Scan on calls/, `${JSON.stringify(filters[index])}\n${plan}`);
  }
});
