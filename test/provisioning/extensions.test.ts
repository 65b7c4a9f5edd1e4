import t from 'tap';
import { addAgent } from '../../domain/provisioning/people/agent.js';
import { addDid } from '../../domain/provisioning/numbers/did.js';
import {
  addExtension,
  listExtensions,
  removeExtension,
  setExtension,
  showExtension,
  showExtensionSecret,
} from '../../domain/provisioning/numbers/extension.js';
import { addGroup, setGroup, showGroup } from '../../domain/provisioning/people/group.js';
import { signIn, signOut } from '../../domain/presence/sign-in.js';
import { addTeam } from '../../domain/provisioning/team.js';
import { addUser, setUser, showUser } from '../../domain/provisioning/people/user.js';
import { freshDatabase } from '../support/database.js';
import { refused } from '../support/refusal.js';

const { db } = await freshDatabase(t);
await addTeam(db, 'other');
for (const team of ['astercc', 'other']) {
  await addUser(db, team, { username: 'anna', name: `Anna of ${team}` });
  await addUser(db, team, { username: 'ben' });
  await addGroup(db, team, { name: 'support', number: '6000' });
}

await t.test('an extension belongs to a user of the same team (spec 4, 13, 14)', async (t) => {
  await addUser(db, 'other', { username: 'stranger' });
  await addUser(db, null, { username: 'operator' });
  for (const user of ['nobody', 'stranger', 'operator']) {
    await refused(t, 'not_found', [`user "${user}"`, 'team astercc'], () =>
      addExtension(db, 'astercc', { number: '5000', user }),
    );
  }
  await addExtension(db, 'astercc', { number: '5000', user: 'anna' });
  await addExtension(db, 'astercc', { number: '5001', user: 'anna' });
  t.same((await showUser(db, 'astercc', 'anna')).extensions, ['5000', '5001']);
});

await t.test('two teams have the same numbers and nothing of one shows in the other (spec 4)', async (t) => {
  await addExtension(db, 'other', { number: '5000', user: 'ben' });
  t.equal((await showExtension(db, 'astercc', '5000')).user, 'anna');
  t.equal((await showExtension(db, 'other', '5000')).user, 'ben');
  t.same(
    (await listExtensions(db, 'other')).map(({ number }) => number),
    ['5000'],
  );
  await removeExtension(db, 'other', '5000');
  t.equal((await showExtension(db, 'astercc', '5000')).user, 'anna');
});

await t.test('the secret is generated, shown once by add, and on request (spec 17)', async (t) => {
  const added = await addExtension(db, 'astercc', { number: '5002', user: 'anna' });
  t.match(added.secret, /^[A-Za-z0-9]{24,64}$/);
  t.equal((await showExtensionSecret(db, 'astercc', '5002')).secret, added.secret);
  t.notOk('secret' in (await showExtension(db, 'astercc', '5002')));
  t.notOk((await listExtensions(db, 'astercc')).some((row) => 'secret' in row));
  const renewed = await setExtension(db, 'astercc', '5002', { secret: { generate: true } });
  t.ok('secret' in renewed && renewed.secret !== added.secret);
  const given = 'GivenSecretGivenSecret24';
  await setExtension(db, 'astercc', '5002', { secret: given });
  t.notOk('secret' in (await setExtension(db, 'astercc', '5002', { user: 'ben' })), 'it stayed: not shown');
  t.equal((await showExtensionSecret(db, 'astercc', '5002')).secret, given);
  for (const secret of ['short', 'x'.repeat(65), `${'x'.repeat(24)}\n`, `${'x'.repeat(24)};`]) {
    await refused(t, 'usage', ['SIP secret'], () => setExtension(db, 'astercc', '5002', { secret }));
    await refused(t, 'usage', ['SIP secret'], () =>
      addExtension(db, 'astercc', { number: '5003', user: 'anna', secret }),
    );
  }
});

await t.test('login password and SIP secret differ, from whichever side it is tried (spec 17)', async (t) => {
  const shared = 'SharedSharedSharedShared';
  await addUser(db, 'astercc', { username: 'carl', password: shared });
  await refused(t, 'usage', ['SIP secret', 'login password of user carl'], () =>
    addExtension(db, 'astercc', { number: '5010', user: 'carl', secret: shared }),
  );
  await refused(t, 'not_found', [], () => showExtension(db, 'astercc', '5010'));
  await addExtension(db, 'astercc', { number: '5010', user: 'carl' });
  await refused(t, 'usage', ['login password'], () =>
    setExtension(db, 'astercc', '5010', { secret: shared }),
  );
  // Another's device may have it, until it becomes his.
  await addExtension(db, 'astercc', { number: '5011', user: 'ben', secret: shared });
  await refused(t, 'usage', ['login password'], () => setExtension(db, 'astercc', '5011', { user: 'carl' }));
  t.equal((await showExtension(db, 'astercc', '5011')).user, 'ben');
  await refused(t, 'usage', ['SIP secret of extension 5011'], () =>
    setUser(db, 'astercc', 'ben', { password: shared }),
  );
  t.equal((await showUser(db, 'astercc', 'ben')).login, false);
});

await t.test('a telephone number has no secret and needs something to dial (spec 15)', async (t) => {
  await refused(t, 'usage', ['--telephone'], () =>
    addExtension(db, 'astercc', { number: '5020', user: 'anna', kind: 'external' }),
  );
  await refused(t, 'usage', ['--kind external'], () =>
    addExtension(db, 'astercc', { number: '5020', user: 'anna', telephone: '+4912345' }),
  );
  await refused(t, 'usage', ['no SIP secret'], () =>
    addExtension(db, 'astercc', {
      number: '5020',
      user: 'anna',
      kind: 'external',
      telephone: '+4912345',
      secret: 'x'.repeat(24),
    }),
  );
  await refused(t, 'usage', ['telephone number "0800-CALL"'], () =>
    addExtension(db, 'astercc', { number: '5020', user: 'anna', kind: 'external', telephone: '0800-CALL' }),
  );
  await refused(t, 'usage', ['kind of extension "fax"', 'sip, external'], () =>
    addExtension(db, 'astercc', { number: '5020', user: 'anna', kind: 'fax' }),
  );
  const phone = await addExtension(db, 'astercc', {
    number: '5020',
    user: 'anna',
    kind: 'external',
    telephone: '+4912345',
  });
  t.match(phone, { kind: 'external', telephone: '+4912345', secret: null });
  const device = await setExtension(db, 'astercc', '5020', { kind: 'sip' });
  t.match(device, { kind: 'sip', telephone: null, secret: /^[A-Za-z0-9]{24,64}$/ });
  t.match(await setExtension(db, 'astercc', '5020', { kind: 'external', telephone: '110' }), {
    kind: 'external',
    telephone: '110',
  });
});

await t.test('one number, one meaning: a duplicate names what holds it', async (t) => {
  await refused(t, 'conflict', ['5000', 'extension 5000 of user anna'], () =>
    addExtension(db, 'astercc', { number: '5000', user: 'ben' }),
  );
  await refused(t, 'conflict', ['6000', 'the queue of group support'], () =>
    addExtension(db, 'astercc', { number: '6000', user: 'ben' }),
  );
  await refused(t, 'conflict', ['5000', 'extension 5000 of user anna'], () =>
    setGroup(db, 'astercc', 'support', { number: '5000', ringSeconds: 99 }),
  );
  t.match(await showGroup(db, 'astercc', 'support'), { number: '6000', ringSeconds: 15 });
  await refused(t, 'conflict', ['5000', 'extension 5000'], () =>
    addGroup(db, 'astercc', { name: 'sales', number: '5000' }),
  );
  await refused(t, 'not_found', [], () => showGroup(db, 'astercc', 'sales'));
});

await t.test('an extension stays while somebody needs it', async (t) => {
  await addExtension(db, 'astercc', { number: '5030', user: 'anna' });
  await addAgent(db, 'astercc', {
    number: '1030',
    user: 'anna',
    groups: ['support'],
    kind: 'fixed',
    extension: '5030',
  });
  await addDid(db, 'astercc', { number: '600300', to: 'extension:5030' });
  await refused(t, 'conflict', ['DID 600300', 'did set 600300 --to', 'agent 1030', 'agent remove 1030'], () =>
    removeExtension(db, 'astercc', '5030'),
  );
  t.equal((await showExtension(db, 'astercc', '5030')).number, '5030');
});

await t.test('an extension where an agent is signed in neither goes nor becomes another kind', async (t) => {
  await addExtension(db, 'astercc', { number: '5040', user: 'anna' });
  await addAgent(db, 'astercc', { number: '1040', user: 'anna', groups: ['support'] });
  t.equal(
    (await signIn(db, 'astercc', { agent: '1040', extension: '5040', by: 'test' })).outcome,
    'signed-in',
  );
  await refused(t, 'conflict', ['agent 1040', 'sign out first'], () =>
    removeExtension(db, 'astercc', '5040'),
  );
  await refused(t, 'conflict', ['agent 1040', 'sign out first'], () =>
    setExtension(db, 'astercc', '5040', { kind: 'external', telephone: '110' }),
  );
  t.equal((await setExtension(db, 'astercc', '5040', { user: 'ben' })).user, 'ben');
  await signOut(db, 'astercc', { agent: '1040' }, 'test');
  await removeExtension(db, 'astercc', '5040');
  await refused(t, 'not_found', ['5040'], () => showExtension(db, 'astercc', '5040'));
});

await t.test(
  'removing an extension and signing in there at the same instant never leaves both',
  async (t) => {
    await addAgent(db, 'astercc', { number: '1050', user: 'anna', groups: ['support'] });
    for (let round = 0; round < 20; round++) {
      await addExtension(db, 'astercc', { number: '5050', user: 'anna' });
      const [removed, signedIn] = await Promise.allSettled([
        removeExtension(db, 'astercc', '5050'),
        signIn(db, 'astercc', { agent: '1050', extension: '5050', by: 'test' }),
      ]);
      const isSignedIn = signedIn.status === 'fulfilled' && signedIn.value.outcome === 'signed-in';
      t.not(removed.status === 'fulfilled', isSignedIn, `round ${round}: exactly one of them`);
      await signOut(db, 'astercc', { agent: '1050' }, 'test');
      if (removed.status === 'rejected') await removeExtension(db, 'astercc', '5050');
    }
  },
);
