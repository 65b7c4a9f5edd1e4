import t from 'tap';
import { addAgent } from '../../domain/provisioning/people/agent.js';
import { addDid } from '../../domain/provisioning/numbers/did.js';
import { addExtension } from '../../domain/provisioning/numbers/extension.js';
import { addGroup } from '../../domain/provisioning/people/group.js';
import { verifyPassword } from '../../domain/password.js';
import { addTeam, listTeams, removeTeam, setTeam, showTeam } from '../../domain/provisioning/team.js';
import { addUser, listUsers, removeUser, setUser, showUser } from '../../domain/provisioning/people/user.js';
import { freshDatabase } from '../support/database.js';
import { refused } from '../support/refusal.js';

const { db } = await freshDatabase(t);

await t.test('team astercc exists from the first migration (spec 3)', async (t) => {
  t.match(await listTeams(db), [{ identity: 'astercc', name: 'astercc', administrator: null }]);
});

await t.test('a second team of the same identity is refused and nothing changes (spec 2)', async (t) => {
  await addTeam(db, 'support', { name: '客服 "A" ${x} [y]; #include' });
  await refused(t, 'conflict', ['team support exists already', 'star64 team list'], () =>
    addTeam(db, 'support', { name: 'other' }),
  );
  t.equal((await showTeam(db, 'support')).name, '客服 "A" ${x} [y]; #include');
  t.equal((await setTeam(db, 'support', { name: 'Support' })).name, 'Support');
  await removeTeam(db, 'support');
  await refused(t, 'not_found', ['team "support"'], () => showTeam(db, 'support'));
});

await t.test('what does not exist is said so, also names that nothing can have', async (t) => {
  for (const name of ['nobody', 'No Body', 'a\u0000b', "x'; drop table teams; --", '']) {
    await refused(t, 'not_found', ['user ', 'team astercc', 'star64 user list'], () =>
      showUser(db, 'astercc', name),
    );
    await refused(t, 'not_found', ['team ', 'star64 team list'], () => listUsers(db, `no${name}`));
  }
});

await t.test('a password is kept as a hash, can be changed and taken away (spec 7)', async (t) => {
  const anna = await addUser(db, 'astercc', {
    username: 'anna',
    name: 'Anna Berg',
    password: 'first password',
  });
  t.match(anna, { team: 'astercc', name: 'Anna Berg', login: true, administrator: false });
  t.notMatch(JSON.stringify(anna), /password|scrypt/);
  const hash = async () =>
    (await db('users').where({ username: 'anna' }).first<{ hash: string }>('password_hash as hash')).hash;
  t.equal(await verifyPassword('first password', await hash()), true);
  await setUser(db, 'astercc', 'anna', { password: 'second password' });
  t.equal(await verifyPassword('first password', await hash()), false);
  t.equal(await verifyPassword('second password', await hash()), true);
  t.equal((await setUser(db, 'astercc', 'anna', { name: 'Anna B.' })).login, true);
  t.equal((await setUser(db, 'astercc', 'anna', { password: null })).login, false);
});

await t.test(
  'user names are unique in their team and in the system, not between them (spec 7, 9)',
  async (t) => {
    await addTeam(db, 'other');
    await addUser(db, 'other', { username: 'anna', name: 'Another Anna' });
    await addUser(db, null, { username: 'anna', name: 'System Anna' });
    await refused(t, 'conflict', ['user anna of team other', 'Another Anna', '--team other'], () =>
      addUser(db, 'other', { username: 'anna' }),
    );
    await refused(t, 'conflict', ['user anna of the system', 'System Anna', '--system'], () =>
      addUser(db, null, { username: 'anna' }),
    );
    t.same(
      (await listUsers(db, null)).map(({ name }) => name),
      ['System Anna'],
    );
    await removeUser(db, null, 'anna');
    t.equal((await showUser(db, 'other', 'anna')).name, 'Another Anna', 'only the one of the system is gone');
    t.equal((await showUser(db, 'astercc', 'anna')).name, 'Anna B.');
  },
);

await t.test('a team has one administrator, and the system none (spec 5)', async (t) => {
  await addUser(db, 'astercc', { username: 'boss', administrator: true });
  await addUser(db, 'other', { username: 'boss', administrator: true });
  t.equal((await showTeam(db, 'astercc')).administrator, 'boss');
  await refused(t, 'conflict', ['boss', 'star64 user set boss --no-administrator'], () =>
    setUser(db, 'astercc', 'anna', { administrator: true, name: 'Renamed' }),
  );
  t.equal((await showUser(db, 'astercc', 'anna')).name, 'Anna B.', 'nothing half written');
  await refused(t, 'usage', ['system'], () => addUser(db, null, { username: 'root', administrator: true }));
  await setUser(db, 'astercc', 'boss', { administrator: false });
  await setUser(db, 'astercc', 'anna', { administrator: true });
  t.equal((await showTeam(db, 'astercc')).administrator, 'anna');
});

await t.test(
  'of ten commands that add the same user at once one succeeds, the others learn why not',
  async (t) => {
    const results = await Promise.allSettled(
      Array.from({ length: 10 }, () => addUser(db, 'astercc', { username: 'race' })),
    );
    t.equal(results.filter(({ status }) => status === 'fulfilled').length, 1);
    for (const result of results) {
      if (result.status === 'rejected') t.match(result.reason, { name: 'Star64Error', kind: 'conflict' });
    }
  },
);

await t.test(
  'removing names everything in the way and how to remove it, in an order that works',
  async (t) => {
    await addTeam(db, 'full');
    await addUser(db, 'full', { username: 'owner' });
    await addExtension(db, 'full', { number: '5000', user: 'owner' });
    await addGroup(db, 'full', { name: 'queue', number: '6000' });
    await addAgent(db, 'full', { number: '1001', user: 'owner', groups: ['queue'] });
    await addDid(db, 'full', { number: '+4930999', to: 'group:queue' });
    await refused(
      t,
      'conflict',
      [
        'user owner of team full',
        'star64 agent remove 1001 --team full',
        'star64 extension remove 5000 --team full',
      ],
      () => removeUser(db, 'full', 'owner'),
    );
    await refused(t, 'conflict', ['did remove +4930999', 'group remove queue', 'user remove owner'], () =>
      removeTeam(db, 'full'),
    );
    t.equal((await showUser(db, 'full', 'owner')).username, 'owner');
    t.equal((await showTeam(db, 'full')).identity, 'full');
  },
);

await t.test('a team with recorded calls goes only with them', async (t) => {
  await addTeam(db, 'called');
  await db.raw(
    `insert into calls (team_id, node, uniqueid) select id, node, 'u.1' from teams where identity = 'called'`,
  );
  await refused(t, 'conflict', ['1 recorded calls', '--discard-calls'], () => removeTeam(db, 'called'));
  t.equal((await db('calls')).length, 1);
  await removeTeam(db, 'called', { discardCalls: true });
  t.equal((await db('calls')).length, 0);
});

await t.test('calls are not discarded when the team stays for another reason', async (t) => {
  await addTeam(db, 'kept');
  await addUser(db, 'kept', { username: 'owner' });
  await db.raw(
    `insert into calls (team_id, node, uniqueid) select id, node, 'u.2' from teams where identity = 'kept'`,
  );
  await refused(t, 'conflict', ['user remove owner'], () => removeTeam(db, 'kept', { discardCalls: true }));
  t.equal((await db('calls')).length, 1);
});

await t.test('people keep the names they have; a line break is refused for every field', async (t) => {
  for (const name of ['王小明', '"; [x]\u00a0#include ${EXTEN}', "Robert'); drop table users;--", 'é̂']) {
    t.equal((await setUser(db, 'astercc', 'anna', { name })).name, name);
    t.equal((await showUser(db, 'astercc', 'anna')).name, name);
  }
  for (const name of ['a\nb', 'a\u2028b', 'a\u0085b', '\ud800']) {
    await refused(t, 'usage', ['name of the user'], () => setUser(db, 'astercc', 'anna', { name }));
    await refused(t, 'usage', ['name of the user'], () => addUser(db, 'astercc', { username: 'n', name }));
    await refused(t, 'usage', ['team name'], () => addTeam(db, 'named', { name }));
    await refused(t, 'usage', ['team name'], () => setTeam(db, 'other', { name }));
  }
});
