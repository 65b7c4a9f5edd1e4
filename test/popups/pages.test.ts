import t from 'tap';
import { connect } from '../../domain/database/pool.js';
import { listPopups, type PopupFilter, type PopupReach } from '../../domain/popups/popups.js';
import { forgetPopups } from '../../domain/popups/records.js';
import { setAgent } from '../../domain/provisioning/people/agent.js';
import { crowd, provision } from '../../lab/provision.js';
import { freshDatabase } from '../support/database.js';
import { plansOf } from '../support/plans.js';
import { patient } from '../../lab/patience.js';

/** Agent 1001 (support) had few popups, and long ago; 1002 (sales) has had 20,000 since. */
const { db, url } = await freshDatabase(t);
await provision(db, crowd(2, { groups: [{ name: 'support' }, { name: 'sales' }] }));
await setAgent(db, 'astercc', '1001', { groups: ['support'] });
await setAgent(db, 'astercc', '1002', { groups: ['sales'] });
const own = connect(url, { ...patient, max: 1 });
t.teardown(() => own.destroy());
// What has been is told to nobody.
await own.raw('alter table popups disable trigger user');
const add = (agent: string, group: string | null, count: number) =>
  own.raw(
    `insert into popups (team_id, node, channel, call, kind, application, extension_id, agent_id, username, group_id, opened_at,
       closed_at, outcome)
     select t.id, 'default', a.number || coalesce(g.name, '') || n, 'call', 'direct', 'campaign', x.id, a.id, 'crowd', g.id, now(),
       now(), 'missed'
     from teams t join agents a on a.team_id = t.id and a.number = ?
     join extensions x on x.team_id = t.id and x.number = '5001'
     left join agent_groups g on g.team_id = t.id and g.name = ? cross join generate_series(1, ?::integer) n
     where t.identity = 'astercc'`,
    [agent, group, count],
  );
await add('1001', 'support', 3);
await add('1001', null, 2);
await add('1002', 'sales', 19_000);
await add('1002', null, 1000);
await own.raw('analyze');

const agent = { agent: '1001', groups: ['support'] };
for (const [who, reach, filter, length] of [
  ['an agent', agent, {}, 5],
  ['an agent, what is open', agent, { open: true }, 0],
  ['an agent, the next page', agent, { before: 4 }, 3],
  ['a group', { groups: ['support'] }, {}, 5],
  ['two groups', { groups: ['support', 'sales'] }, { limit: 1000 }, 1000],
  ['a group and an agent of it', { groups: ['support'] }, { agent: '1001' }, 5],
  ['a group and an agent of another', { groups: ['support'] }, { agent: '1002' }, 0],
  ['no group', { groups: [] }, {}, 0],
  ['whoever looks for an agent', {}, { agent: '1001' }, 5],
  ['whoever looks for nobody', {}, { agent: '1009' }, 0],
  ['the team', {}, {}, 50],
] satisfies [string, PopupReach, PopupFilter, number][])
  await t.test(`popups of ${who}: a page without those of all others`, async (t) => {
    let found: number[] = [];
    const plans = await plansOf(db, 'from popups', async () => {
      found = (await listPopups(db, 'astercc', filter, reach)).popups.map(({ id }) => id);
    });
    t.equal(found.length, length);
    t.same(
      found,
      [...new Set(found)].sort((a, b) => b - a),
    );
    const plan = plans.join();
    t.match(plan, /Index/);
    t.notMatch(plan, /Seq Scan on popups/);
    // Going to the rows of the page by their ids is no walk.
    const walks = plan
      .split(/using popups_pkey/)
      .slice(1)
      .filter((rest) => !/^[^\n]*\n *Index Cond: \(id = ANY/.test(rest));
    t.same(walks, []);
  });

await t.test(
  'popups that go with no call are forgotten after 30 days, unless something was saved',
  async (t) => {
    const first = (id: number) => db('popups').where({ id });
    const before = (days: number) => ({
      opened_at: db.raw('now() - make_interval(days => ?)', [days]),
      closed_at: db.raw('now() - make_interval(days => ?)', [days]),
    });
    await first(1).update(before(31));
    await first(2).update({ ...before(31), done_at: db.fn.now(), done_by: 'test' });
    await first(3).update(before(29));
    await forgetPopups(db);
    t.same(await db('popups').where('id', '<=', 3).orderBy('id').pluck('id'), [2, 3]);
  },
);
