import t from 'tap';
import { addAgent, removeAgent } from '../../domain/provisioning/agent.js';
import { addDid } from '../../domain/provisioning/did.js';
import { addExtension, removeExtension } from '../../domain/provisioning/extension.js';
import { addGroup } from '../../domain/provisioning/group.js';
import { addRingGroup, ringGroups } from '../../domain/provisioning/ring-group.js';
import { addTeam } from '../../domain/provisioning/team.js';
import { addUser } from '../../domain/provisioning/user.js';
import { cli } from '../support/cli.js';
import { freshDatabase } from '../support/database.js';
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
