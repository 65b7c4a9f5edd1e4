import t from 'tap';
import { extensionOfEndpoint, recordGuard } from '../../domain/presence/callers-extension.js';
import { signIn, signOut } from '../../domain/presence/sign-in.js';
import { addAgent } from '../../domain/provisioning/people/agent.js';
import {
  addExtension,
  removeExtension,
  setExtension,
  showExtension,
} from '../../domain/provisioning/numbers/extension.js';
import { addGroup } from '../../domain/provisioning/people/group.js';
import { addTeam, setTeam } from '../../domain/provisioning/team.js';
import { addTrunk, setTrunk } from '../../domain/provisioning/numbers/trunk.js';
import { addUser } from '../../domain/provisioning/people/user.js';
import { teamModel } from '../../pbx/files/model/model.js';
import { readRows } from '../../pbx/files/model/rows.js';
import type { TeamRows } from '../../pbx/files/model/team-rows.js';
import { phonesAt } from '../../pbx/queue/phones.js';
import { cli } from '../support/processes/cli.js';
import { freshDatabase } from '../support/database.js';
import { refused } from '../support/refusal.js';

const { db, url } = await freshDatabase(t);
for (const team of ['other', 'west']) await addTeam(db, team);
await setTeam(db, 'west', { node: 'west' });
for (const team of ['astercc', 'other', 'west']) await addUser(db, team, { username: 'anna' });
const phone = { user: 'anna', endpoint: '201' };

await t.test('a phone that the operator has is an extension, and nothing is generated for it', async (t) => {
  const added = await addExtension(db, 'astercc', { number: '201', ...phone });
  t.match(added, { number: '201', kind: 'sip', endpoint: '201', guarded: null });
  t.notOk('secret' in added, 'its secret is in the pjsip.conf of the operator');
  await addExtension(db, 'astercc', { number: '5000', user: 'anna' });
  const { teams, formsOf } = await readRows(db, 'default');
  const model = teamModel(teams[0] as TeamRows, { passwordDigest: true, node: 'default' }, formsOf);
  t.same(
    model.phones.map(({ endpoint }) => endpoint),
    ['astercc-5000'],
  );
  t.same(model.extensions, [
    { number: '201', device: 'PJSIP/201', dial: 'PJSIP/201', recorded: false },
    { number: '5000', device: 'PJSIP/astercc-5000', dial: 'PJSIP/astercc-5000', recorded: false },
  ]);
  t.same(model.lamps[0], { number: '201', lamp: 'Custom:star64-201' });
});

await t.test('it is one extension of its Asterisk, and no trunk', async (t) => {
  for (const [team, number] of [
    ['astercc', '202'],
    ['other', '201'],
  ] as const)
    await refused(t, 'conflict', ['endpoint 201', 'extension 201 of team astercc'], () =>
      addExtension(db, team, { ...phone, number }),
    );
  await addExtension(db, 'west', { number: '201', ...phone });
  await refused(t, 'conflict', ['endpoint', 'already'], () => setTeam(db, 'west', { node: 'default' }));
  await refused(t, 'conflict', ['endpoint 201', 'extension 201'], () =>
    addTrunk(db, null, { name: 'provider', endpoint: '201' }),
  );
  await addTrunk(db, null, { name: 'provider', endpoint: 'provider' });
  await refused(t, 'conflict', ['endpoint 201', 'phone'], () =>
    setTrunk(db, null, 'provider', { endpoint: '201' }),
  );
  await refused(t, 'conflict', ['endpoint provider is trunk provider'], () =>
    addExtension(db, 'astercc', { number: '203', user: 'anna', endpoint: 'provider' }),
  );
  for (const endpoint of ['astercc-5000', 'a b', 'a;b', 'x'.repeat(61)])
    await refused(t, 'usage', ['endpoint "'], () =>
      addExtension(db, 'astercc', { number: '203', user: 'anna', endpoint }),
    );
});

await t.test('it has no secret of ours and is no telephone', async (t) => {
  await refused(t, 'usage', ['endpoint 201 of your own pjsip.conf'], () =>
    setExtension(db, 'astercc', '201', { secret: { generate: true } }),
  );
  await refused(t, 'usage', ['is a telephone number and no endpoint'], () =>
    addExtension(db, 'astercc', { number: '7000', ...phone, kind: 'external', telephone: '4930123' }),
  );
  t.match(await setExtension(db, 'astercc', '201', { endpoint: null }), {
    endpoint: null,
    secret: /^.{24,}$/,
  });
  const again = await setExtension(db, 'astercc', '201', { endpoint: '201' });
  t.match(again, { endpoint: '201' });
  t.notOk('secret' in again);
});

await t.test('it becomes no other phone under an agent who is signed in there', async (t) => {
  await addGroup(db, 'astercc', { name: 'support', number: '6000' });
  await addAgent(db, 'astercc', { number: '1001', user: 'anna', groups: ['support'] });
  t.match(await signIn(db, 'astercc', { agent: '1001', extension: '201', by: 'call.1' }), {
    outcome: 'signed-in',
    signIn: { extension: '201', endpoint: '201' },
  });
  for (const endpoint of ['202', null])
    await refused(t, 'conflict', ['agent 1001 is signed in'], () =>
      setExtension(db, 'astercc', '201', { endpoint }),
    );
  await signOut(db, 'astercc', { agent: '1001' }, 'call.2');
});

await t.test('it is known by its endpoint, also when Asterisk names it, on its own node', async (t) => {
  t.equal(await extensionOfEndpoint(db, 'astercc', '201'), '201');
  t.equal(await extensionOfEndpoint(db, 'other', '201'), undefined);
  const devices = [
    'PJSIP/201',
    'PJSIP/astercc-5000',
    'PJSIP/theirs',
    'SIP/201',
    'Local/7000@other-telephones/n',
  ];
  const found = await phonesAt(db, 'default', devices);
  t.match(found.get('PJSIP/201'), { team: 'astercc', extension: '201', endpoint: '201' });
  t.same([...found.keys()].sort(), ['Local/7000@other-telephones/n', 'PJSIP/201', 'PJSIP/astercc-5000']);
  t.match((await phonesAt(db, 'west', ['PJSIP/201'])).get('PJSIP/201'), { team: 'west' });
  await removeExtension(db, 'astercc', '201');
  t.equal(await extensionOfEndpoint(db, 'astercc', '201'), undefined);
  t.match(
    (await phonesAt(db, 'default', devices)).get('PJSIP/201'),
    { team: 'astercc' },
    'what is left of it in a queue is ours to take away',
  );
});

await t.test('the command says what the own files need; what was seen is shown', async (t) => {
  const env = { DATABASE_URL: url };
  const { err } = await cli(['extension', 'add', '201', '--endpoint', '201', '--user', 'anna'], { env });
  t.match(err, 'set_var = GROUP(star64)=PJSIP/201\n');
  for (const context of ['features', 'call-agent', 'hashed-codes'])
    t.match(err, `include => astercc-${context}\n`);
  await recordGuard(db, 'astercc', '201', false);
  t.match(await showExtension(db, 'astercc', '201'), { guarded: false });
  t.match(await setExtension(db, 'astercc', '201', { endpoint: '202' }), { guarded: null });
});
