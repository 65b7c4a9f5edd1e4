import t from 'tap';
import { readOutboundTeams } from '../../domain/calls/outbound/outbound-read.js';
import { sumCalls } from '../../domain/calls/records/sums.js';
import { addDid, removeDid } from '../../domain/provisioning/numbers/did.js';
import { addExtension, setExtension } from '../../domain/provisioning/numbers/extension.js';
import { addGroup, setGroup } from '../../domain/provisioning/people/group.js';
import { addHours, allHours } from '../../domain/provisioning/features/hours.js';
import { addNumberClass, numberClassesOf } from '../../domain/provisioning/numbers/number-class.js';
import { addTeam, removeTeam, setTeam, showTeam } from '../../domain/provisioning/team.js';
import { addTrunk, removeTrunk } from '../../domain/provisioning/numbers/trunk.js';
import { addTrunkGroup } from '../../domain/provisioning/numbers/trunk-group.js';
import { addUser, removeUser } from '../../domain/provisioning/people/user.js';
import {
  addUserGroup,
  removeUserGroup,
  setUserGroup,
  showUserGroup,
  userGroups,
} from '../../domain/provisioning/people/user-group.js';
import { freshDatabase } from '../support/database.js';
import { refused } from '../support/refusal.js';

const { db } = await freshDatabase(t);
const team = 'astercc';
await addTeam(db, 'other');
for (const username of ['anna', 'ben']) await addUser(db, team, { username });
await addUser(db, 'other', { username: 'eve' });
await addTrunk(db, null, { name: 'shared', endpoint: 'shared' });
await addTrunk(db, team, { name: 'own', endpoint: 'own' });
await addTrunk(db, 'other', { name: 'theirs', endpoint: 'theirs' });
await addTrunkGroup(db, team, { name: 'both', members: ['own', 'shared'] });

await t.test('a user group has users of its team, one by one, and a position behind the last', async (t) => {
  t.match(await addUserGroup(db, team, { name: 'sales', users: { add: ['anna'] } }), {
    position: 1,
    users: ['anna'],
    mayCall: null,
  });
  t.match(await addUserGroup(db, team, { name: 'office', position: 10 }), { position: 10, users: [] });
  t.match(await addUserGroup(db, team, { name: 'guests' }), { position: 11 });
  t.match(await setUserGroup(db, team, 'sales', { users: { add: ['ben'] } }), { users: ['anna', 'ben'] });
  t.match(await setUserGroup(db, team, 'sales', { users: { remove: ['anna'] } }), { users: ['ben'] });
  await refused(t, 'usage', ['anna', 'user-group show sales'], () =>
    setUserGroup(db, team, 'sales', { users: { remove: ['anna'] } }),
  );
  await refused(t, 'not_found', ['user "eve"'], () =>
    setUserGroup(db, team, 'sales', { users: { add: ['eve'] } }),
  );
  await refused(t, 'conflict', ['user group sales', 'exists already'], () =>
    addUserGroup(db, team, { name: 'sales' }),
  );
  await refused(t, 'conflict', ['user group office', 'position 10'], () =>
    setUserGroup(db, team, 'sales', { position: 10 }),
  );
  const atOnce = await Promise.all(['x1', 'x2', 'x3'].map((name) => addUserGroup(db, team, { name })));
  t.same(
    atOnce.map(({ position }) => position).sort(),
    [12, 13, 14],
    'three at once stand behind each other',
  );
  t.match(await addUserGroup(db, 'other', { name: 'sales' }), { position: 1 }, 'of each team');
});

await t.test('a trunk or a trunk group, not both, of the team or of every team (spec 12)', async (t) => {
  t.match(await setUserGroup(db, team, 'sales', { trunk: 'own' }), { trunk: 'own', trunkGroup: null });
  t.match(await setUserGroup(db, team, 'sales', { trunk: 'shared' }), { trunk: 'shared' });
  await refused(t, 'not_found', ['"theirs"'], () => setUserGroup(db, team, 'sales', { trunk: 'theirs' }));
  await refused(t, 'conflict', ['--trunk-group both --no-trunk'], () =>
    setUserGroup(db, team, 'sales', { trunkGroup: 'both' }),
  );
  await refused(t, 'usage', ['--trunk or --trunk-group'], () =>
    addUserGroup(db, team, { name: 'two', trunk: 'own', trunkGroup: 'both' }),
  );
  t.match(await setUserGroup(db, team, 'sales', { trunk: null, trunkGroup: 'both' }), {
    trunk: null,
    trunkGroup: 'both',
  });
  await setUserGroup(db, team, 'office', { trunk: 'shared' });
  await refused(t, 'conflict', ['user-group set office --no-trunk'], () => removeTrunk(db, null, 'shared'));
});

await t.test('classes are typed as a list, and kept in one order', async (t) => {
  const may = async (mayCall: string | readonly string[] | null) =>
    (await setUserGroup(db, team, 'sales', { mayCall })).mayCall;
  t.same(await may('mobile,national'), ['national', 'mobile']);
  t.same(await may(['premium', 'national', 'premium']), ['national', 'premium']);
  t.same(await may('none'), []);
  t.same(await may(null), null);
  await refused(t, 'usage', ['"landline"', 'national, mobile, international, premium'], () =>
    may('landline'),
  );
  await refused(t, 'usage', ['"none"'], () => may('none,mobile'));
  t.same((await showTeam(db, team)).mayCall, ['national', 'mobile'], 'a team unless it says otherwise');
  t.same((await setTeam(db, team, { mayCall: 'international,national' })).mayCall, [
    'national',
    'international',
  ]);
  await addGroup(db, team, { name: 'support' });
  t.same((await setGroup(db, team, 'support', { mayCall: 'none' })).mayCall, []);
});

await t.test(
  'a caller ID is a DID of the team: one number, one of a range, or one that begins so',
  async (t) => {
    await setTeam(db, team, { country: 'DE' });
    await addGroup(db, team, { name: 'front' });
    for (const number of ['+4930600100', '+4930600200..+4930600299', '+49306003*'])
      await addDid(db, team, { number, to: 'group:front' });
    await addGroup(db, 'other', { name: 'front' });
    await addDid(db, 'other', { number: '+4930700100', to: 'group:front' });
    const ask = [
      (callerId: string) => setTeam(db, team, { callerId }),
      (callerId: string) => setUserGroup(db, team, 'sales', { callerId }),
      (callerId: string) => setExtension(db, team, '5000', { callerId }),
    ];
    await addExtension(db, team, { number: '5000', user: 'anna' });
    for (const set of ask) {
      t.equal((await set('030 600100'.replace(' ', ''))).callerId, '+4930600100', 'as it is kept');
      t.equal((await set('+4930600250')).callerId, '+4930600250');
      t.equal((await set('0306003123')).callerId, '+49306003123');
      for (const foreign of ['+4930700100', '+4930600400', '+4930123456'])
        await refused(t, 'conflict', [foreign, 'did list'], () => set(foreign));
    }
    await refused(t, 'usage', ['"030/12"'], () => setTeam(db, team, { callerId: '030/12' }));
    await removeDid(db, team, '+4930600100');
  },
);

await t.test('what is dialled before a number outside, the country and the area', async (t) => {
  t.equal((await showTeam(db, team)).outsidePrefix, null, 'nobody calls outside before it is said how');
  t.equal((await setTeam(db, team, { outsidePrefix: '0' })).outsidePrefix, '0');
  t.equal((await setTeam(db, team, { outsidePrefix: 'none' })).outsidePrefix, 'none');
  t.equal((await setTeam(db, team, { outsidePrefix: null })).outsidePrefix, null);
  await refused(t, 'usage', ['"*9"'], () => setTeam(db, team, { outsidePrefix: '*9' }));
  t.equal((await setTeam(db, team, { area: '30' })).area, '30');
  await refused(t, 'usage', ['"XX"', 'ISO 3166'], () => setTeam(db, team, { country: 'XX' }));
  await addTrunk(db, team, { name: 'abroad', endpoint: 'abroad', country: 'FR' });
  await setTeam(db, team, { trunk: 'abroad' });
  await addDid(db, team, { number: '030800100', to: 'group:front' }).then(({ number }) =>
    t.equal(number, '+4930800100', 'the own country of a team comes before that of its trunk'),
  );
});

await t.test('a beginning of numbers is kept as numbers are', async (t) => {
  t.match(await addNumberClass(db, team, { beginning: '0180', class: 'national' }), {
    beginning: '+49180',
    class: 'national',
  });
  await addNumberClass(db, team, { beginning: '115', class: 'national' });
  await addNumberClass(db, team, { beginning: '00371', class: 'premium' });
  t.match(await numberClassesOf.set(db, team, '0180', { class: 'premium' }), { beginning: '+49180' });
  await refused(t, 'conflict', ['+49180', 'premium already', 'number-class set +49180'], () =>
    addNumberClass(db, team, { beginning: '0049180', class: 'mobile' }),
  );
  await refused(t, 'usage', ['"cheap"', 'national, mobile'], () =>
    addNumberClass(db, team, { beginning: '0190', class: 'cheap' }),
  );
  await refused(t, 'usage', ['"01*"'], () => addNumberClass(db, team, { beginning: '01*', class: 'mobile' }));
  await numberClassesOf.remove(db, team, '00371');
  t.same(
    (await numberClassesOf.list(db, team)).map(({ beginning }) => beginning),
    ['+49180', '115'],
  );
});

await t.test('what a user group refers to stays, and who leaves the team leaves it', async (t) => {
  await addHours(db, team, { name: 'day', number: '9' });
  await setUserGroup(db, team, 'sales', { hours: 'day' });
  await refused(t, 'conflict', ['user-group set sales --no-hours'], () => allHours.remove(db, team, 'day'));
  await addUser(db, team, { username: 'carl' });
  await setUserGroup(db, team, 'sales', { users: { add: ['carl'] } });
  t.match(await removeUser(db, team, 'carl'), { note: /user group sales/ });
  t.notOk((await showUserGroup(db, team, 'sales')).users.includes('carl'));
  await removeUserGroup(db, team, 'sales');
  await refused(t, 'not_found', ['user group "sales"'], () => showUserGroup(db, team, 'sales'));
});

await t.test(
  'a user group with calls goes at once: they keep it, and its name and position are free',
  async (t) => {
    await addTeam(db, 'calls');
    await addUser(db, 'calls', { username: 'dora' });
    await addUserGroup(db, 'calls', {
      name: 'sales',
      position: 1,
      users: { add: ['dora'] },
      trunk: 'shared',
    });
    const { id, team_id } = await db('user_groups')
      .where({ name: 'sales' })
      .orderBy('id', 'desc')
      .first<{ id: number; team_id: number }>();
    await db('calls').insert({
      team_id,
      node: 'default',
      uniqueid: 'sum.1',
      direction: 'out',
      arrived_at: new Date(),
      ended_at: new Date(),
      outcome: 'busy',
      user_group_id: id,
    });
    await removeUserGroup(db, 'calls', 'sales');
    t.same(await userGroups.list(db, 'calls'), []);
    t.match(await db('calls').where({ uniqueid: 'sum.1' }).select(), [{ user_group_id: id }]);
    const day = { since: new Date(Date.now() - 3_600_000), until: new Date(Date.now() + 3_600_000) };
    t.match(await sumCalls(db, 'calls', { by: 'user-group', ...day }), [{ of: 'sales', calls: 1 }]);
    t.match(await db('user_groups').where({ id }).select(), [{ trunk_id: null, removed_at: Date }]);
    const [read] = await readOutboundTeams(db, 'default', [team_id]);
    t.same([...(read?.extensions.values() ?? [])], []);
    t.match(await addUserGroup(db, 'calls', { name: 'sales' }), { position: 1, users: [] });
    await removeUserGroup(db, 'calls', 'sales');
    await removeUser(db, 'calls', 'dora');
    await removeTeam(db, 'calls', { discardCalls: true });
  },
);

await t.test('a team goes when its user groups and beginnings are gone', async (t) => {
  await addTeam(db, 'short');
  await addUserGroup(db, 'short', { name: 'sales' });
  await addNumberClass(db, 'short', { beginning: '+371', class: 'premium' });
  await refused(t, 'conflict', ['user-group remove sales', 'number-class remove +371'], () =>
    removeTeam(db, 'short'),
  );
  await userGroups.remove(db, 'short', 'sales');
  await numberClassesOf.remove(db, 'short', '+371');
  await removeTeam(db, 'short');
});
