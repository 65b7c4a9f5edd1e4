import t from 'tap';
import { addExtension, removeExtension } from '../../domain/provisioning/numbers/extension.js';
import {
  addFeatureCode,
  features,
  listFeatureCodes,
  removeFeatureCode,
  setFeatureCode,
  showFeatureCode,
} from '../../domain/provisioning/features/feature-code.js';
import { destinationFeatures } from '../../domain/provisioning/nouns/feature-code.js';
import { addGroup, removeGroup, setGroup } from '../../domain/provisioning/people/group.js';
import { addTeam, removeTeam } from '../../domain/provisioning/team.js';
import { addUser } from '../../domain/provisioning/people/user.js';
import { freshDatabase } from '../support/database.js';
import { refused } from '../support/refusal.js';

const { db } = await freshDatabase(t);
await addTeam(db, 'other');
for (const team of ['astercc', 'other']) await addUser(db, team, { username: 'anna' });
await addExtension(db, 'astercc', { number: '5000', user: 'anna' });
await addGroup(db, 'astercc', { name: 'support', number: '6000' });

const codesOf = async (team = 'astercc') =>
  (await listFeatureCodes(db, team)).map(({ code, feature }) => `${code} ${feature}`);
const numbersOf = (team = 'astercc') =>
  db('numbers as n').join('teams as t', 't.id', 'n.team_id').where({ 't.identity': team }).pluck('n.number');

const defaults = [
  '*64 sign-in',
  '*65 sign-out',
  '*66 pause',
  '*67 ready',
  '*62 work-mode',
  '*63 current-group',
  '*60 status',
  '*69 waiting',
  '*61 hours-switch',
  '*5 call-agent',
  '*31 hide-number',
  '*71 listen',
  '*72 whisper',
  '*73 barge',
  '*75 agent-control',
];

await t.test('every team begins with the codes that are documented, one for each feature', async (t) => {
  t.same(await codesOf(), defaults);
  t.same(await codesOf('other'), defaults);
  t.same(await showFeatureCode(db, 'astercc', '*64'), { team: 'astercc', code: '*64', feature: 'sign-in' });
  const { rows } = await db.raw<{ rows: { rule: string }[] }>(
    `select pg_get_constraintdef(oid) as rule from pg_constraint where conname like '%_feature_known' order by conname`,
  );
  t.equal(rows.length, 2);
  for (const [index, { rule }] of rows.entries()) {
    const known = [...rule.matchAll(/'([a-z-]+)'/g)].map(([, feature = '']) => feature);
    // destinations_to_feature_known comes before feature_codes_feature_known.
    t.same(known, index === 0 ? destinationFeatures : features, 'the database knows the same features');
  }
});

await t.test('a second code is an alias, in one team only', async (t) => {
  t.match(await addFeatureCode(db, 'astercc', { code: '**1', feature: 'pause' }), {
    code: '**1',
    feature: 'pause',
  });
  t.same((await codesOf()).slice(2, 4), ['**1 pause', '*66 pause']);
  t.same(await codesOf('other'), defaults);
  t.ok((await numbersOf()).includes('**1'), 'it holds its number');
});

await t.test('a code changes what it does, or what is dialled for it', async (t) => {
  t.match(await setFeatureCode(db, 'astercc', '**1', { feature: 'status' }), {
    code: '**1',
    feature: 'status',
  });
  t.match(await setFeatureCode(db, 'astercc', '**1', { code: '**12', feature: 'pause' }), {
    code: '**12',
    feature: 'pause',
  });
  await refused(t, 'not_found', ['feature code "**1"', 'star64 feature-code list'], () =>
    showFeatureCode(db, 'astercc', '**1'),
  );
  t.match(
    await setFeatureCode(db, 'astercc', '**12', { code: '**1' }),
    { code: '**1' },
    'its own beginning is no clash',
  );
  t.match(await setFeatureCode(db, 'astercc', '**1', { code: '**1' }), { code: '**1' }, 'nor is itself');
  t.notOk((await numbersOf()).includes('**12'), 'the old number is free');
});

await t.test('what no phone can dial, or nothing does, is refused with what to type', async (t) => {
  for (const code of ['*', '#64', '***1', '1*', '*1234567', '*64\n[x]', '', '*6٤', 'abc']) {
    await refused(t, 'usage', ['feature code "', 'up to two *', 'type for example "'], () =>
      addFeatureCode(db, 'astercc', { code, feature: 'pause' }),
    );
    await refused(t, 'usage', ['feature code "', 'type for example "'], () =>
      setFeatureCode(db, 'astercc', '**1', { code }),
    );
    await refused(t, 'not_found', ['feature code "'], () => showFeatureCode(db, 'astercc', code));
  }
  await refused(t, 'usage', ['feature "coffee"', 'sign-in, sign-out, pause'], () =>
    addFeatureCode(db, 'astercc', { code: '*70', feature: 'coffee' }),
  );
  await refused(t, 'usage', ['feature "coffee"'], () =>
    setFeatureCode(db, 'astercc', '**1', { feature: 'coffee' }),
  );
  await refused(t, 'not_found', ['team "nowhere"'], () =>
    addFeatureCode(db, 'nowhere', { code: '*70', feature: 'pause' }),
  );
  await refused(t, 'not_found', ['feature code "*70"'], () =>
    setFeatureCode(db, 'astercc', '*70', { feature: 'pause' }),
  );
  await refused(t, 'not_found', ['feature code "*70"'], () => removeFeatureCode(db, 'astercc', '*70'));
});

await t.test('a number that is taken is refused, and what holds it is named', async (t) => {
  const before = await codesOf();
  await refused(t, 'conflict', ['feature code *64', 'for sign-in', "feature-code set '*64'"], () =>
    addFeatureCode(db, 'astercc', { code: '*64', feature: 'pause' }),
  );
  await refused(t, 'conflict', ['feature code *65', 'for sign-out', "feature-code set '*65'"], () =>
    setFeatureCode(db, 'astercc', '*64', { code: '*65' }),
  );
  await refused(t, 'conflict', ['5000', 'extension 5000 of user anna', 'another code'], () =>
    addFeatureCode(db, 'astercc', { code: '5000', feature: 'pause' }),
  );
  await refused(t, 'conflict', ['6000', 'the queue of group support', 'another code'], () =>
    setFeatureCode(db, 'astercc', '*64', { code: '6000', feature: 'pause' }),
  );
  await addFeatureCode(db, 'astercc', { code: '77', feature: 'ready' });
  await refused(t, 'conflict', ['number 77', 'the feature code for ready', 'another number'], () =>
    addExtension(db, 'astercc', { number: '77', user: 'anna' }),
  );
  await refused(t, 'conflict', ['number 77', 'the feature code for ready'], () =>
    setGroup(db, 'astercc', 'support', { number: '77' }),
  );
  await removeFeatureCode(db, 'astercc', '77');
  t.same(await codesOf(), before, 'nothing half written');
});

await t.test('no number begins with a code: digits may follow it', async (t) => {
  await refused(
    t,
    'conflict',
    ['feature code *641', 'begins with *64', 'sign-in', "feature-code set '*64' --code"],
    () => addFeatureCode(db, 'astercc', { code: '*641', feature: 'pause' }),
  );
  await refused(t, 'conflict', ['feature code *6', 'beginning of *60', 'status'], () =>
    setFeatureCode(db, 'astercc', '*64', { code: '*6' }),
  );
  await refused(t, 'conflict', ['feature code *6', 'beginning of *61', 'hours-switch'], () =>
    setFeatureCode(db, 'astercc', '*60', { code: '*6' }),
  );
  await refused(t, 'conflict', ['feature code 50', 'beginning of 5000', 'extension 5000 of user anna'], () =>
    addFeatureCode(db, 'astercc', { code: '50', feature: 'pause' }),
  );
  await refused(t, 'conflict', ['feature code 600', 'beginning of 6000', 'queue of group support'], () =>
    addFeatureCode(db, 'astercc', { code: '600', feature: 'pause' }),
  );
  await addFeatureCode(db, 'other', { code: '50', feature: 'pause' });
  await refused(
    t,
    'conflict',
    ['number 5000 of team other', 'begins with 50', 'for pause', 'set 50 --code <other> --team other'],
    () => addExtension(db, 'other', { number: '5000', user: 'anna' }),
  );
  await refused(t, 'conflict', ['number 5099 of team other', 'begins with 50'], () =>
    addGroup(db, 'other', { name: 'support', number: '5099' }),
  );
  await removeFeatureCode(db, 'other', '50');
  t.match(await addExtension(db, 'other', { number: '5000', user: 'anna' }), { number: '5000' });
  t.same(await codesOf('other'), defaults);
});

await t.test(
  'a code and a number that begins with it, added in the same moment: exactly one stays',
  async (t) => {
    for (let round = 0; round < 20; round++) {
      const results = await Promise.allSettled([
        addFeatureCode(db, 'astercc', { code: '81', feature: 'pause' }),
        addExtension(db, 'astercc', { number: '8100', user: 'anna' }),
      ]);
      t.equal(results.filter(({ status }) => status === 'fulfilled').length, 1, `round ${round}`);
      for (const result of results) {
        if (result.status === 'rejected') t.match(result.reason, { kind: 'conflict' });
      }
      if (results[0].status === 'fulfilled') await removeFeatureCode(db, 'astercc', '81');
      else await removeExtension(db, 'astercc', '8100');
    }
  },
);

await t.test('a feature without a code is disabled, and removing the last one says so', async (t) => {
  t.same(await removeFeatureCode(db, 'astercc', '**1'), {});
  t.match((await removeFeatureCode(db, 'astercc', '*66')).note, /the last for pause, which is disabled now/);
  t.notOk((await numbersOf()).includes('*66'), 'its number is free');
  t.match(await setFeatureCode(db, 'astercc', '*67', { code: '*66' }), { code: '*66', feature: 'ready' });
});

await t.test('what a code held back is given and taken away as before', async (t) => {
  await removeExtension(db, 'astercc', '5000');
  await addFeatureCode(db, 'astercc', { code: '50', feature: 'pause' });
  await removeGroup(db, 'astercc', 'support');
  t.match(await addFeatureCode(db, 'astercc', { code: '600', feature: 'pause' }), { code: '600' });
  await addTeam(db, 'brief');
  await removeTeam(db, 'brief');
  t.same(await numbersOf('brief'), [], 'a team goes with its codes');
});
