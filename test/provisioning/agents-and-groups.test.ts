import t from 'tap';
import {
  addAgent,
  listAgents,
  removeAgent,
  setAgent,
  showAgent,
} from '../../domain/provisioning/people/agent.js';
import { addDid, listDids, removeDid, setDid, showDid } from '../../domain/provisioning/numbers/did.js';
import { addExtension } from '../../domain/provisioning/numbers/extension.js';
import {
  addGroup,
  listGroups,
  removeGroup,
  setGroup,
  showGroup,
} from '../../domain/provisioning/people/group.js';
import { groupsPendingRemoval, removeGroups } from '../../domain/provisioning/values/removal-pending.js';
import { signIn, signOut } from '../../domain/presence/sign-in.js';
import { addTeam } from '../../domain/provisioning/team.js';
import { addUser } from '../../domain/provisioning/people/user.js';
import { freshDatabase } from '../support/database.js';
import { refused } from '../support/refusal.js';

const { db } = await freshDatabase(t);
await addTeam(db, 'other');
for (const team of ['astercc', 'other']) {
  await addUser(db, team, { username: 'anna', name: 'Anna Berg' });
  for (const number of ['5000', '5001']) await addExtension(db, team, { number, user: 'anna' });
  for (const name of ['support', 'sales', 'billing']) await addGroup(db, team, { name });
}
await addGroup(db, 'other', { name: 'theirs' });
await addExtension(db, 'other', { number: '5999', user: 'anna' });
await addUser(db, 'other', { username: 'stranger' });

await t.test('an agent belongs to a user and at least one group of his team (spec 4, 18, 23)', async (t) => {
  const agent = { number: '1001', user: 'anna', groups: ['support'] };
  await refused(t, 'not_found', ['user "nobody"'], () =>
    addAgent(db, 'astercc', { ...agent, user: 'nobody' }),
  );
  await refused(t, 'not_found', ['user "stranger"'], () =>
    addAgent(db, 'astercc', { ...agent, user: 'stranger' }),
  );
  await refused(t, 'usage', ['at least one group', '--groups'], () =>
    addAgent(db, 'astercc', { ...agent, groups: [] }),
  );
  await refused(t, 'usage', ['group "support" only once'], () =>
    addAgent(db, 'astercc', { ...agent, groups: ['support', 'support'] }),
  );
  await refused(t, 'not_found', ['group "theirs"'], () =>
    addAgent(db, 'astercc', { ...agent, groups: ['support', 'theirs'] }),
  );
  t.same(await listAgents(db, 'astercc'), [], 'nothing half written');
  const added = await addAgent(db, 'astercc', { ...agent, groups: ['support', 'sales'] });
  t.match(added, {
    number: '1001',
    name: 'Anna Berg',
    kind: 'adaptive',
    extension: null,
    groups: ['support', 'sales'],
    signedInAt: null,
  });
  await addAgent(db, 'other', agent);
  t.same((await showAgent(db, 'other', '1001')).groups, ['support'], 'the same number in another team');
  await refused(t, 'conflict', ['agent 1001', 'belongs to user anna'], () => addAgent(db, 'astercc', agent));
});

await t.test('setting groups replaces them in the order given, or nothing at all', async (t) => {
  t.same((await setAgent(db, 'astercc', '1001', { groups: ['billing', 'support'] })).groups, [
    'billing',
    'support',
  ]);
  await db('agent_group_members').where({ position: 2 }).update({ penalty: 7 });
  t.same((await setAgent(db, 'astercc', '1001', { groups: ['support', 'sales'] })).groups, [
    'support',
    'sales',
  ]);
  t.same(await db('agent_group_members').where({ penalty: 7 }).pluck('position'), [1], 'penalty kept');
  await refused(t, 'not_found', ['group "nowhere"'], () =>
    setAgent(db, 'astercc', '1001', { groups: ['billing', 'nowhere'] }),
  );
  await refused(t, 'usage', ['at least one group'], () => setAgent(db, 'astercc', '1001', { groups: [] }));
  t.same((await showAgent(db, 'astercc', '1001')).groups, ['support', 'sales']);
  t.same((await showGroup(db, 'astercc', 'sales')).agents, ['1001']);
});

await t.test('an agent without a group is impossible in the database itself (spec 23)', async (t) => {
  await t.rejects(
    db('agent_group_members').where({ position: 1 }).orWhere({ position: 2 }).delete(),
    /is in no agent group/,
  );
});

await t.test('a fixed agent has one extension of his own, the others none (spec 20)', async (t) => {
  const fixed = { number: '1002', user: 'anna', groups: ['support'], kind: 'fixed' };
  await refused(t, 'usage', ['--extension'], () => addAgent(db, 'astercc', fixed));
  await refused(t, 'not_found', ['extension "5999"'], () =>
    addAgent(db, 'astercc', { ...fixed, extension: '5999' }),
  );
  await refused(t, 'usage', ['--kind fixed'], () =>
    addAgent(db, 'astercc', { ...fixed, kind: 'dynamic', extension: '5000' }),
  );
  await refused(t, 'usage', ['kind of agent "mobile"', 'fixed, adaptive, dynamic'], () =>
    addAgent(db, 'astercc', { ...fixed, kind: 'mobile' }),
  );
  t.equal((await addAgent(db, 'astercc', { ...fixed, extension: '5000' })).extension, '5000');
  await refused(t, 'conflict', ['extension 5000', 'agent 1002'], () =>
    addAgent(db, 'astercc', { ...fixed, number: '1003', extension: '5000' }),
  );
  await refused(t, 'conflict', ['extension 5000', 'agent 1002'], () =>
    setAgent(db, 'astercc', '1001', { kind: 'fixed', extension: '5000', groups: ['billing'] }),
  );
  t.match(await showAgent(db, 'astercc', '1001'), { kind: 'adaptive', groups: ['support', 'sales'] });
  t.match(await setAgent(db, 'astercc', '1002', { extension: '5001' }), { kind: 'fixed', extension: '5001' });
  t.match(await setAgent(db, 'astercc', '1002', { kind: 'dynamic' }), { kind: 'dynamic', extension: null });
});

await t.test('while he is signed in an agent keeps his phone; his groups may change', async (t) => {
  const outcome = await signIn(db, 'astercc', { agent: '1001', extension: '5000', by: 'test' });
  t.equal(outcome.outcome, 'signed-in');
  t.equal((await showAgent(db, 'astercc', '1001')).signedInAt, '5000');
  t.equal((await showAgent(db, 'other', '1001')).signedInAt, null);
  for (const work of [
    () => removeAgent(db, 'astercc', '1001'),
    () => setAgent(db, 'astercc', '1001', { kind: 'fixed', extension: '5001' }),
    () => setAgent(db, 'astercc', '1001', { kind: 'dynamic' }),
  ]) {
    await refused(t, 'conflict', ['agent 1001', 'signed in at extension 5000', 'sign out first'], work);
  }
  const current = () =>
    db('sign_ins as i')
      .join('agent_groups as g', 'g.id', 'i.current_group_id')
      .whereNull('i.signed_out_at')
      .pluck('g.name');
  t.same(await current(), ['support']);
  await setAgent(db, 'astercc', '1001', { groups: ['sales', 'support'] });
  t.same(await current(), ['support'], 'still his: stays current');
  await setAgent(db, 'astercc', '1001', { groups: ['billing', 'sales'] });
  t.same(await current(), ['billing'], 'no longer his: the first of the new ones');
  await signOut(db, 'astercc', { agent: '1001' }, 'test');
  t.equal((await showAgent(db, 'astercc', '1001')).signedInAt, null);
  await removeAgent(db, 'astercc', '1001');
  await refused(t, 'not_found', ['agent "1001"'], () => showAgent(db, 'astercc', '1001'));
  t.equal((await showAgent(db, 'other', '1001')).number, '1001');
});

await t.test('a group has the settings of a queue, each within its bounds', async (t) => {
  t.match(await showGroup(db, 'astercc', 'billing'), {
    number: null,
    strategy: 'rrmemory',
    ringSeconds: 15,
    wrapUp: 'answer',
    wrapUpSeconds: 30,
    leavingSince: null,
  });
  const all = { number: '6001', strategy: 'ringall', ringSeconds: 20, wrapUp: 'ring', wrapUpSeconds: 0 };
  t.match(await setGroup(db, 'astercc', 'billing', all), all);
  await refused(t, 'usage', ['strategy "roundrobin"', 'rrmemory'], () =>
    setGroup(db, 'astercc', 'billing', { strategy: 'roundrobin' }),
  );
  await refused(t, 'usage', ['wrap-up mode "on"', 'ring, answer, off'], () =>
    setGroup(db, 'astercc', 'billing', { wrapUp: 'on' }),
  );
  await refused(t, 'usage', ['ring time 2', '3 to 300'], () =>
    setGroup(db, 'astercc', 'billing', { ringSeconds: 2 }),
  );
  await refused(t, 'usage', ['wrap-up time -1'], () =>
    setGroup(db, 'astercc', 'billing', { wrapUpSeconds: -1 }),
  );
  await refused(t, 'usage', ['group number "6000;"'], () =>
    setGroup(db, 'astercc', 'billing', { number: '6000;' }),
  );
  t.match(await showGroup(db, 'astercc', 'billing'), all);
  t.equal((await setGroup(db, 'astercc', 'billing', { number: null })).number, null);
  await refused(t, 'conflict', ['group billing', 'exists already'], () =>
    addGroup(db, 'astercc', { name: 'billing' }),
  );
});

await t.test(
  'a group with agents or DIDs is not removed; a removed one keeps its name until its queue is empty',
  async (t) => {
    await addGroup(db, 'astercc', { name: 'seasonal', number: '6100' });
    await addAgent(db, 'astercc', { number: '1100', user: 'anna', groups: ['seasonal'] });
    await addDid(db, 'astercc', { number: '600100', to: 'group:seasonal' });
    await refused(t, 'conflict', ['did set 600100 --to', 'agent set 1100 --groups'], () =>
      removeGroup(db, 'astercc', 'seasonal'),
    );
    t.equal((await showGroup(db, 'astercc', 'seasonal')).leavingSince, null);
    await setDid(db, 'astercc', '600100', { to: 'group:support' });
    await setAgent(db, 'astercc', '1100', { groups: ['support'] });
    const leaving = await removeGroup(db, 'astercc', 'seasonal');
    t.type(leaving.leavingSince, Date);
    t.same(
      (await removeGroup(db, 'astercc', 'seasonal')).leavingSince,
      leaving.leavingSince,
      'once is enough',
    );
    t.ok((await listGroups(db, 'astercc')).some(({ name }) => name === 'seasonal'));
    for (const work of [
      () => addGroup(db, 'astercc', { name: 'seasonal' }),
      () => setGroup(db, 'astercc', 'seasonal', { wrapUp: 'off' }),
      () => setAgent(db, 'astercc', '1100', { groups: ['support', 'seasonal'] }),
      () => setDid(db, 'astercc', '600100', { to: 'group:seasonal' }),
    ]) {
      await refused(t, 'conflict', ['group seasonal', 'leaving', 'no more callers'], work);
    }
    t.match(
      await addExtension(db, 'astercc', { number: '6100', user: 'anna' }),
      { number: '6100' },
      'free at once',
    );
    await refused(t, 'conflict', ['group seasonal', 'leaving'], () =>
      addGroup(db, 'astercc', { name: 'seasonal' }),
    );
    const pending = await groupsPendingRemoval(db, 'default');
    t.match(pending, [{ team: 'astercc', name: 'seasonal' }]);
    await removeGroups(
      db,
      pending.map(({ id }) => id),
    );
    t.notOk((await listGroups(db, 'astercc')).some(({ name }) => name === 'seasonal'));
    t.match(await addGroup(db, 'astercc', { name: 'seasonal' }), { number: null, leavingSince: null });
  },
);

await t.test(
  'removing a group while an agent joins it never leaves an agent in a leaving group',
  async (t) => {
    for (let round = 0; round < 20; round++) {
      const name = `round${round}`;
      await addGroup(db, 'astercc', { name });
      const [removed, joined] = await Promise.allSettled([
        removeGroup(db, 'astercc', name),
        setAgent(db, 'astercc', '1100', { groups: ['support', name] }),
      ]);
      t.not(removed.status, joined.status, `round ${round}: exactly one of them`);
      for (const { status, reason } of [removed, joined] as { status: string; reason?: unknown }[]) {
        if (status === 'rejected') t.match(reason, { kind: 'conflict' });
      }
    }
  },
);

await t.test('a DID exists once in the world and goes to one place of its team', async (t) => {
  await refused(t, 'usage', ['DID "600200" needs to', '--to'], () =>
    addDid(db, 'astercc', { number: '600200' }),
  );
  await refused(t, 'usage', ['to "support" is no destination', 'group:support'], () =>
    addDid(db, 'astercc', { number: '600200', to: 'support' }),
  );
  await refused(t, 'not_found', ['group "theirs"'], () =>
    addDid(db, 'astercc', { number: '600200', to: 'group:theirs' }),
  );
  await refused(t, 'not_found', ['extension "5999"'], () =>
    addDid(db, 'astercc', { number: '600200', to: 'extension:5999' }),
  );
  await refused(t, 'usage', ['DID "600200\\n[x]"'], () =>
    addDid(db, 'astercc', { number: '600200\n[x]', to: 'group:support' }),
  );
  t.match(await addDid(db, 'astercc', { number: '600200', to: 'group:support' }), {
    to: 'group:support',
  });
  await refused(t, 'conflict', ['DID 600200', 'team astercc', 'group support'], () =>
    addDid(db, 'other', { number: '600200', to: 'extension:5000' }),
  );
  await refused(t, 'not_found', ['DID "600200"', 'team other'], () => showDid(db, 'other', '600200'));
  t.match(await setDid(db, 'astercc', '600200', { to: 'extension:5000' }), { to: 'extension:5000' });
  t.same(
    (await listDids(db, 'astercc')).map(({ number }) => number),
    ['600100', '600200'],
  );
  await removeDid(db, 'astercc', '600200');
  await refused(t, 'not_found', ['600200'], () => showDid(db, 'astercc', '600200'));
});
