import t from 'tap';
import { isAnybodySignedIn } from '../../domain/presence/anybody.js';
import { openSignIn } from '../../domain/presence/open-sign-in.js';
import { signIn } from '../../domain/presence/sign-in.js';
import { setAgent } from '../../domain/provisioning/people/agent.js';
import { addGroup, removeGroup, setGroup } from '../../domain/provisioning/people/group.js';
import { groupsPendingRemoval, removeGroups } from '../../domain/provisioning/values/removal-pending.js';
import { crowd, provision } from '../../lab/provision.js';
import { readSignedInPhones } from '../../pbx/watch/compare/signed-in-phones.js';
import { readWanted } from '../../pbx/queue/wanted.js';
import { freshDatabase } from '../support/database.js';
import { refused } from '../support/refusal.js';

/** Agents of another group who help out: in which queues they are, and with which penalty. */
const { db } = await freshDatabase(t);
await provision(db, {
  ...crowd(3),
  groups: [{ name: 'support' }, { name: 'sales' }, { name: 'billing' }],
  agents: [
    { number: '1001', user: 'crowd', groups: ['support'] },
    { number: '1002', user: 'crowd', groups: ['sales'] },
    { number: '1003', user: 'crowd', groups: ['sales', 'support'] },
  ],
});
await setAgent(db, 'astercc', '1002', { penalties: { sales: 7 } });
await setAgent(db, 'astercc', '1003', { penalties: { support: 1000 } });
await setGroup(db, 'astercc', 'support', { overflow: 'sales' });

/** The queues of an agent, as members are added and as the reconciliation wants them: the same. */
async function queuesOf(agent: string): Promise<string[]> {
  const phone = await openSignIn(db, 'astercc', { agent });
  if (!phone) throw new Error(`${agent} is signed out`);
  const [wanted] = (await readWanted(db, [phone])).values();
  const compared = (await readSignedInPhones(db, 'default')).find((one) => one.agent === agent);
  const queues = wanted?.queues.map(({ queue, penalty }) => `${queue} ${penalty}`) ?? [];
  t.same(
    compared?.groups.map(({ name, penalty }) => `astercc-${name} ${penalty}`),
    queues,
  );
  return queues;
}

await t.test('who helps out is a member behind every agent of the group itself', async (t) => {
  t.notOk(await isAnybodySignedIn(db, 'astercc', 'support'));
  await signIn(db, 'astercc', { agent: '1002', extension: '5002', by: 'test' });
  t.ok(await isAnybodySignedIn(db, 'astercc', 'support'), 'a caller of support waits for them');
  t.notOk(await isAnybodySignedIn(db, 'astercc', 'billing'));
  await signIn(db, 'astercc', { agent: '1001', extension: '5001', by: 'test' });
  await signIn(db, 'astercc', { agent: '1003', extension: '5003', by: 'test' });
  t.same(await queuesOf('1001'), ['astercc-support 0'], 'it goes one way');
  t.same(await queuesOf('1002'), ['astercc-sales 7', 'astercc-support 1008']);
  t.same(
    await queuesOf('1003'),
    ['astercc-sales 0', 'astercc-support 1000'],
    'one of both is one of the group',
  );
  await setGroup(db, 'astercc', 'sales', { workMode: 'outbound' });
  t.same(await queuesOf('1002'), [], 'who takes no queue calls of their own does not help out');
  t.same(await queuesOf('1003'), ['astercc-support 1000']);
  await setGroup(db, 'astercc', 'sales', { workMode: 'all' });
});

await t.test('a group helps another one out, and stays as long as it does', async (t) => {
  await refused(t, 'usage', ['group support cannot overflow to its own agents'], () =>
    setGroup(db, 'astercc', 'support', { overflow: 'support' }),
  );
  await refused(t, 'not_found', ['group "nobody"'], () =>
    setGroup(db, 'astercc', 'support', { overflow: 'nobody' }),
  );
  await setGroup(db, 'astercc', 'support', { overflow: 'billing' });
  t.same(await queuesOf('1002'), ['astercc-sales 7']);
  await refused(t, 'conflict', ['support', '--no-overflow'], () => removeGroup(db, 'astercc', 'billing'));
  await setGroup(db, 'astercc', 'support', { overflow: null });
  await removeGroup(db, 'astercc', 'billing');
  await setAgent(db, 'astercc', '1002', { groups: ['support'] });
  t.same(await queuesOf('1002'), ['astercc-support 0']);
});

await t.test(
  'callers of a removed group are helped to the last, and then nobody is kept for it',
  async (t) => {
    await addGroup(db, 'astercc', { name: 'helper' });
    await addGroup(db, 'astercc', { name: 'helped', overflow: 'helper' });
    await setAgent(db, 'astercc', '1001', { groups: ['helper'] });
    await removeGroup(db, 'astercc', 'helped');
    t.same(
      await queuesOf('1001'),
      ['astercc-helper 0', 'astercc-helped 1001'],
      'callers are still in its queue',
    );
    await setAgent(db, 'astercc', '1001', { groups: ['support'] });
    await refused(t, 'conflict', ['group helped', 'goes by itself'], () =>
      removeGroup(db, 'astercc', 'helper'),
    );
    const pending = await groupsPendingRemoval(db, 'default');
    await removeGroups(
      db,
      pending.map(({ id }) => id),
    );
    await removeGroup(db, 'astercc', 'helper');
    const kept = await db('agent_groups').whereNotNull('removed_at').whereNotNull('overflow_id');
    t.same(kept, []);
  },
);
