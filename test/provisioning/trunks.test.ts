import t from 'tap';
import { addDid, setDid, showDid } from '../../domain/provisioning/numbers/did.js';
import { addExtension, setExtension } from '../../domain/provisioning/numbers/extension.js';
import { destinationFeatures } from '../../domain/provisioning/nouns/feature-code.js';
import { addTeam, removeTeam, setTeam, showTeam } from '../../domain/provisioning/team.js';
import {
  addTrunk,
  listTrunks,
  removeTrunk,
  setTrunk,
  showTrunk,
} from '../../domain/provisioning/numbers/trunk.js';
import { addUser } from '../../domain/provisioning/people/user.js';
import { freshDatabase } from '../support/database.js';
import { refused } from '../support/refusal.js';

const { db } = await freshDatabase(t);
await addTeam(db, 'other');
for (const team of ['astercc', 'other']) await addUser(db, team, { username: 'anna' });

await t.test('a trunk is an endpoint of the operator, and no caller number of it is trusted', async (t) => {
  t.match(await addTrunk(db, 'astercc', { name: 'provider', endpoint: 'Provider_1.example' }), {
    team: 'astercc',
    name: 'provider',
    endpoint: 'Provider_1.example',
    trusted: false,
  });
  t.match(await setTrunk(db, 'astercc', 'provider', { trusted: true, endpoint: 'p1' }), {
    trusted: true,
    endpoint: 'p1',
  });
  t.match(await addTrunk(db, null, { name: 'shared', endpoint: 'shared', trusted: true }), {
    team: null,
    trusted: true,
  });
  // A team may call its own trunk as another calls one, and as one is called that serves every team.
  await addTrunk(db, 'other', { name: 'provider', endpoint: 'p2' });
  await addTrunk(db, null, { name: 'provider', endpoint: 'p3' });
  const seenBy = async (team: string) =>
    (await listTrunks(db, team)).map(({ team, name, endpoint }) => `${team ?? '-'} ${name} ${endpoint}`);
  t.same(await seenBy('astercc'), ['astercc provider p1', '- provider p3', '- shared shared']);
  t.same(await seenBy('other'), ['other provider p2', '- provider p3', '- shared shared']);
  await removeTrunk(db, null, 'provider');
  await refused(t, 'not_found', ['trunk "provider" for every team', 'trunk list'], () =>
    showTrunk(db, null, 'provider'),
  );
});

await t.test('names and endpoints are what they can be, once', async (t) => {
  for (const name of ['Main', '1', 'a b', '', 'x'.repeat(33), 'a\nb']) {
    await refused(t, 'usage', ['trunk name "'], () => addTrunk(db, 'astercc', { name, endpoint: 'free' }));
  }
  for (const endpoint of ['a b', 'a/b', 'a@b', '${x}', '', 'x'.repeat(61), 'a;b', 'astercc-5000']) {
    await refused(t, 'usage', ['endpoint "', 'pjsip.conf'], () =>
      addTrunk(db, 'astercc', { name: 'free', endpoint }),
    );
    await refused(t, 'usage', ['endpoint "'], () => setTrunk(db, 'astercc', 'provider', { endpoint }));
  }
  await refused(t, 'conflict', ['trunk provider of team astercc', 'another name'], () =>
    addTrunk(db, 'astercc', { name: 'provider', endpoint: 'free' }),
  );
  await refused(t, 'conflict', ['trunk shared for every team'], () =>
    addTrunk(db, null, { name: 'shared', endpoint: 'free' }),
  );
  // Two trunks of one endpoint could not both say whether its caller numbers are to be trusted.
  await refused(t, 'conflict', ['endpoint shared', 'trunk shared for every team'], () =>
    setTrunk(db, 'other', 'provider', { endpoint: 'shared' }),
  );
  await refused(t, 'not_found', ['trunk "nowhere" of team other', '--team other'], () =>
    setTrunk(db, 'other', 'nowhere', { trusted: true }),
  );
});

await t.test('a team has one default trunk, its own or one for every team (spec 6)', async (t) => {
  t.match(await showTeam(db, 'astercc'), { trunk: null });
  t.match(await setTeam(db, 'astercc', { trunk: 'provider' }), { trunk: 'provider' });
  t.match(await setTeam(db, 'other', { trunk: 'shared' }), { trunk: 'shared' });
  await refused(t, 'not_found', ['trunk "nowhere"', 'team astercc'], () =>
    setTeam(db, 'astercc', { trunk: 'nowhere' }),
  );
  await addTrunk(db, 'other', { name: 'theirs', endpoint: 'p4' });
  await refused(t, 'not_found', ['trunk "theirs"'], () => setTeam(db, 'astercc', { trunk: 'theirs' }));

  await refused(
    t,
    'conflict',
    ['trunk shared for every team', 'team other', 'team set other --no-trunk'],
    () => removeTrunk(db, null, 'shared'),
  );
  await refused(t, 'conflict', ['trunk provider of team astercc', 'team set astercc --no-trunk'], () =>
    removeTrunk(db, 'astercc', 'provider'),
  );
  t.match(await setTeam(db, 'other', { trunk: null }), { trunk: null });
  await removeTrunk(db, null, 'shared');
});

await t.test("the database itself refuses another team's trunk (spec 4, 6)", async (t) => {
  const { id: theirs } = await db('trunks').where({ name: 'theirs' }).first<{ id: number }>('id');
  const crosses = /a trunk of one team cannot be the default trunk of another/;
  await t.rejects(db('teams').where({ identity: 'astercc' }).update({ trunk_id: theirs }), crosses);
  await t.rejects(db('teams').insert({ identity: 'fourth', name: 'fourth', trunk_id: theirs }), crosses);
  const used = db('trunks').where({ endpoint: 'p1' });
  await addTeam(db, 'third');
  const { id: otherTeam } = await db('teams').where({ identity: 'third' }).first<{ id: number }>('id');
  await t.rejects(used.clone().update({ team_id: otherTeam }), crosses, 'a trunk that a team uses stays');
  await used.clone().update({ team_id: null });
  t.match(await showTeam(db, 'astercc'), { trunk: 'provider' }, 'it serves every team now');

  // A trunk that is given to a team while another makes it its default: one of the two is refused.
  for (let round = 0; round < 10; round++) {
    await used.clone().update({ team_id: null });
    await setTeam(db, 'astercc', { trunk: null });
    const both = await Promise.allSettled([
      used.clone().update({ team_id: otherTeam }),
      setTeam(db, 'astercc', { trunk: 'provider' }),
    ]);
    const { rows } = await db.raw<{ rows: unknown[] }>(
      'select from teams t join trunks k on k.id = t.trunk_id where k.team_id <> t.id',
    );
    t.equal(rows.length, 0, both.map(({ status }) => status).join());
  }
});

await t.test('a team is not removed before its trunks', async (t) => {
  await addTeam(db, 'small');
  await addTrunk(db, 'small', { name: 'line', endpoint: 'p5' });
  await setTeam(db, 'small', { trunk: 'line' });
  await refused(t, 'conflict', ['trunk line', 'trunk remove line'], () => removeTeam(db, 'small'));
  await setTeam(db, 'small', { trunk: null });
  await removeTrunk(db, 'small', 'line');
  await removeTeam(db, 'small');
});

await t.test('a telephone number is one extension of a team, with or without +', async (t) => {
  const telephone = { user: 'anna', kind: 'external' };
  await addExtension(db, 'astercc', { ...telephone, number: '7000', telephone: '+4915112345678' });
  await addExtension(db, 'astercc', { ...telephone, number: '7001', telephone: '4915112345679' });
  await addExtension(db, 'other', { ...telephone, number: '7000', telephone: '+4915112345678' });
  await refused(t, 'conflict', ['4915112345678', 'extension 7000 of team astercc'], () =>
    addExtension(db, 'astercc', { ...telephone, number: '7002', telephone: '4915112345678' }),
  );
  await refused(t, 'conflict', ['+4915112345678', 'extension 7000'], () =>
    setExtension(db, 'astercc', '7001', { telephone: '+4915112345678' }),
  );
});

await t.test('a DID may lead to what an agent does by a feature code', async (t) => {
  for (const [index, feature] of destinationFeatures.entries()) {
    const number = `60020${index}`;
    const did = { to: `feature:${feature}` };
    t.match(await addDid(db, 'astercc', { number, ...did }), { number, ...did });
    t.match(await showDid(db, 'astercc', number), did);
  }
  await refused(t, 'usage', ['feature "sing-in"', 'sign-in, sign-out'], () =>
    addDid(db, 'astercc', { number: '600299', to: 'feature:sing-in' }),
  );
  await refused(t, 'conflict', ['DID 600200', 'feature sign-in'], () =>
    addDid(db, 'other', { number: '600200', to: 'extension:7000' }),
  );
  t.match(await setDid(db, 'astercc', '600200', { to: 'extension:7000' }), { to: 'extension:7000' });
  t.match(await setDid(db, 'astercc', '600200', { to: 'feature:ready' }), { to: 'feature:ready' });
});
