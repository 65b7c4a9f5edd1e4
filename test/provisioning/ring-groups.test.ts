import t from 'tap';
import { CallRecords } from '../../domain/calls/records/records.js';
import { readEdges } from '../../domain/provisioning/operations/destinations.js';
import { RingGroups } from '../../domain/calls/routing/ring-groups.js';
import { addAgent, removeAgent } from '../../domain/provisioning/people/agent.js';
import { addDid, removeDid } from '../../domain/provisioning/numbers/did.js';
import { addExtension, removeExtension } from '../../domain/provisioning/numbers/extension.js';
import { addFeatureCode, removeFeatureCode } from '../../domain/provisioning/features/feature-code.js';
import { addGroup, removeGroup } from '../../domain/provisioning/people/group.js';
import { addRingGroup, ringGroups } from '../../domain/provisioning/features/ring-group.js';
import { groupsPendingRemoval, removeGroups } from '../../domain/provisioning/values/removal-pending.js';
import { addTeam, listTeams, removeTeam } from '../../domain/provisioning/team.js';
import { addUser, removeUser } from '../../domain/provisioning/people/user.js';
import { readRingGroups } from '../../pbx/files/model/ring-groups.js';
import { cli } from '../support/processes/cli.js';
import { freshDatabase } from '../support/database.js';
import { defaultNode } from '../support/records.js';
import { refused } from '../support/refusal.js';

const { db, url } = await freshDatabase(t);
const team = 'astercc';
await addTeam(db, 'b2');
for (const one of [team, 'b2']) {
  await addUser(db, one, { username: 'anna' });
  await addGroup(db, one, { name: 'support', number: '6000' });
}
for (const number of ['5000', '5001']) await addExtension(db, team, { number, user: 'anna' });
await addExtension(db, 'b2', { number: '5009', user: 'anna' });
await addAgent(db, team, { number: '1001', user: 'anna', groups: ['support'] });

await t.test('members are typed in their order, and shown in full', async (t) => {
  const made = await addRingGroup(db, team, {
    number: '701',
    members: ['5001', 'agent:1001', 'outside:+4915112345678', 'extension:5000'],
  });
  t.match(made, {
    name: '701',
    members: ['extension:5001', 'agent:1001', 'outside:+4915112345678', 'extension:5000'],
    strategy: 'ring-all',
    ringSeconds: 20,
    noAnswer: null,
    allBusy: null,
  });
  const changed = await ringGroups.set(db, team, '701', {
    members: ['5000', 'agent:1001', '5001'],
    noAnswer: 'group:support',
  });
  t.same(changed.members, ['extension:5000', 'agent:1001', 'extension:5001']);
  t.match(await ringGroups.set(db, team, '701', { prefix: 'Sales:' }), { ...changed, prefix: 'Sales:' });

  const { out } = await cli(['ring-group', 'set', '701', '--members', '5000,agent:1001'], {
    env: { DATABASE_URL: url },
  });
  t.match(out, /extension:5000, ?agent:1001/, 'on the command line, too');
});

await t.test('what cannot be rung is refused, and nothing has changed', async (t) => {
  const members =
    (...typed: string[]) =>
    () =>
      ringGroups.set(db, team, '701', { members: typed });
  await refused(t, 'usage', ['needs at least one member'], members());
  await refused(t, 'usage', ['"group"', 'extension, agent, outside'], members('group:support'));
  await refused(t, 'usage', ['"extension:5000" only once'], members('5000', 'extension:5000'));
  await refused(
    t,
    'usage',
    ['"outside:4915112345678" only once'],
    members('outside:+4915112345678', 'outside:4915112345678'),
  );
  await refused(t, 'not_found', ['extension "5009"', 'in team astercc'], members('5009'));
  await refused(t, 'usage', ['telephone number'], members('outside:${X}'));
  await refused(
    t,
    'usage',
    ['50 members'],
    members(...Array.from({ length: 51 }, (_, at) => `outside:${1000 + at}`)),
  );
  const prefix = (typed: string) => () => ringGroups.set(db, team, '701', { prefix: typed });
  for (const typed of ['a,b', 'x)', '${X}', 'a;b', 'blank ', '"', 'Büro'])
    await refused(t, 'usage', ['prefix'], prefix(typed));
  t.match(await ringGroups.show(db, team, '701'), {
    members: ['extension:5000', 'agent:1001'],
    prefix: 'Sales:',
  });
});

await t.test('its number is one of the team’s, and what it needs or leads to it stays', async (t) => {
  await refused(t, 'conflict', ['701', 'ring group 701'], () =>
    addExtension(db, team, { number: '701', user: 'anna' }),
  );
  await refused(t, 'conflict', ['5000', 'extension 5000'], () =>
    addRingGroup(db, team, { number: '5000', members: ['5001'] }),
  );
  await refused(t, 'conflict', ['701', 'ring group 701 already'], () =>
    addRingGroup(db, team, { number: '701', members: ['5001'] }),
  );
  await addRingGroup(db, 'b2', { number: '701', members: ['5009'] });
  await refused(t, 'conflict', ['ring group 701', '--members <others>'], () =>
    removeExtension(db, team, '5000'),
  );
  await refused(t, 'conflict', ['ring group 701', '--members <others>'], () => removeAgent(db, team, '1001'));
  await addDid(db, team, { number: '600701', to: 'ring-group:701' });
  await refused(t, 'conflict', ['DID 600701'], () => ringGroups.remove(db, team, '701'));
  await refused(t, 'conflict', ['ring-group:701 -> (all-busy) ring-group:701'], () =>
    ringGroups.set(db, team, '701', { allBusy: 'ring-group:701' }),
  );
  await ringGroups.remove(db, 'b2', '701');
  await removeExtension(db, 'b2', '5009');
});

/** Calls with the version of each row: that of one that is written again is another. */
const calls = async () =>
  (await db.raw<{ rows: object[] }>('select *, xmin, ctid from calls order by id')).rows;

await t.test(
  'calls keep the ring group that they reached, and what gets its number is another',
  async (t) => {
    const records = new CallRecords(db, defaultNode);
    const reached = async (uniqueid: string) => {
      await db.raw(
        'insert into calls (team_id, node, uniqueid) select id, node, ? from teams where identity = ?',
        [uniqueid, team],
      );
      await records.ringGroupsReached([{ uniqueid, team, ringGroup: '701' }]);
      return (await db('calls').where({ uniqueid }).first<{ ring_group_id: number | null }>('ring_group_id'))
        .ring_group_id;
    };
    await removeDid(db, team, '600701');
    const former = await reached('call.1');
    t.ok(former);
    const before = await calls();
    await ringGroups.remove(db, team, '701');
    t.same(await calls(), before, 'not one of them is written, however many there are');

    await refused(t, 'not_found', ['ring group "701"'], () => ringGroups.show(db, team, '701'));
    await refused(t, 'not_found', ['ring group "701"'], () =>
      addDid(db, team, { number: '600702', to: 'ring-group:701' }),
    );
    t.same(await ringGroups.list(db, team), []);
    t.same(await readRingGroups(db, defaultNode), []);
    const { id } = await db('teams').where({ identity: team }).first<{ id: number }>('id');
    t.same(await readEdges(db, id), [], 'nothing leads from it');
    t.same(await db('ring_group_members').where({ team_id: id }), []);
    const known = new RingGroups(db, defaultNode);
    await known.load();
    t.equal(await known.order(team, '701', 0), undefined);
    t.equal(await reached('call.2'), null);

    await addFeatureCode(db, team, { code: '701', feature: 'status' });
    await refused(t, 'conflict', ['number 701', 'the feature code for status'], () =>
      addExtension(db, team, { number: '701', user: 'anna' }),
    );
    await removeFeatureCode(db, team, '701');
    const next = await addRingGroup(db, team, { number: '701', members: ['5001'] });
    t.match(next, { prefix: null, members: ['extension:5001'], noAnswer: null });
    await known.load();
    t.same(await known.order(team, '701', 0), [['5001']]);
    t.match(await readRingGroups(db, defaultNode), [{ number: '701', prefix: null }]);
    t.ok(![null, former].includes(await reached('call.3')));
    await refused(t, 'conflict', ['701', 'ring group 701 already'], () =>
      addRingGroup(db, team, { number: '701', members: ['5001'] }),
    );
    await removeExtension(db, team, '5000');
  },
);

await t.test('a team goes with the ring groups that it had, and the calls that reached them', async (t) => {
  await ringGroups.remove(db, team, '701');
  await removeAgent(db, team, '1001');
  await removeExtension(db, team, '5001');
  await removeUser(db, team, 'anna');
  await removeGroup(db, team, 'support');
  const pending = await groupsPendingRemoval(db, defaultNode);
  await removeGroups(
    db,
    pending.map(({ id }) => id),
  );
  await refused(t, 'conflict', ['3 recorded calls', '--discard-calls'], () => removeTeam(db, team));
  t.equal((await calls()).length, 3);
  await removeTeam(db, team, { discardCalls: true });
  t.same(
    (await listTeams(db)).map(({ identity }) => identity),
    ['b2'],
  );
  t.same([await calls(), await db('ring_groups').whereNull('removed_at')], [[], []]);
});
