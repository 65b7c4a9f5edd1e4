import t from 'tap';
import { DidIndex } from '../../domain/calls/routing/did-index.js';
import {
  canonicalPattern,
  checkPattern,
  covers,
  prefixForms,
  readPattern,
} from '../../domain/number-pattern.js';
import { addDid, dids, listDids, removeDid, showDid } from '../../domain/provisioning/numbers/did.js';
import { addGroup } from '../../domain/provisioning/people/group.js';
import { addTeam } from '../../domain/provisioning/team.js';
import { addTrunk, setTrunk } from '../../domain/provisioning/numbers/trunk.js';
import { numberPlan } from '../../domain/telephone-numbers.js';
import { listUnknownNumbers } from '../../domain/calls/routing/unknown-numbers.js';
import { readRows } from '../../pbx/files/model/rows.js';
import { freshDatabase } from '../support/database.js';
import { refused } from '../support/refusal.js';

await t.test('a range has its numbers and no longer ones, a beginning all that begin so', async (t) => {
  const range = readPattern('+4930600100..4930600199');
  for (const number of ['+4930600100', '4930600150', '+4930600199']) t.ok(covers(range, number), number);
  for (const number of ['+4930600099', '+4930600200', '+49306001505', '49306001', 'x4930600150'])
    t.notOk(covers(range, number), number);
  const prefix = readPattern('+49306002*');
  for (const number of ['+49306002', '493060021', '+4930600299999']) t.ok(covers(prefix, number), number);
  t.notOk(covers(prefix, '+4930600'));
  t.equal(checkPattern('DID', '+4930600100..4930600199'), '+4930600100..+4930600199', 'both ends alike');
  for (const [typed, ...words] of [
    ['100..99', 'as many digits'],
    ['199..100', 'smaller'],
    ['100..100', 'smaller'],
    ['1000..2000', '1000 numbers', 'type for example'],
    ['+4930600000..+4930609999', '1000 numbers', '"+493060*"'],
    ['123456789012345*', '14 digits'],
  ] as const)
    await refused(t, 'usage', [`"${typed}"`, ...words], () => checkPattern('DID', typed));
});

await t.test('the plan of a country reads ranges and beginnings as it reads numbers', async (t) => {
  const germany = await numberPlan('DE');
  for (const typed of ['0306002*', '0049306002*', '49306002*', '+49306002*'])
    t.equal(canonicalPattern(germany, typed), '+49306002*', typed);
  t.same(prefixForms(germany, '+49306002'), ['49306002', '0049306002', '0306002']);
  t.same(prefixForms(germany, '6002'), ['+6002'], 'no number of the public network');
  for (const typed of ['030600100..030600199', '4930600100..4930600199', '+4930600100..+4930600199'])
    t.equal(canonicalPattern(germany, typed), '+4930600100..+4930600199', typed);
  t.equal(canonicalPattern(germany, '100..199'), '100..199');
});

await t.test('one number is nearer than a range, a shorter range nearer, a longer beginning nearer', (t) => {
  const index = new DidIndex<string>();
  for (const did of [
    '+49306*',
    '+4930600*',
    '+4930600100..+4930600199',
    '+4930600110..+4930600119',
    '+4930600115',
    '600..699',
  ])
    index.add(did, did);
  for (const [number, did] of [
    ['+4930600115', '+4930600115'],
    ['4930600116', '+4930600110..+4930600119'],
    ['4930600120', '+4930600100..+4930600199'],
    ['+49306001205', '+4930600*'],
    ['4930600', '+4930600*'],
    ['4930699', '+49306*'],
    ['+650', '600..699'],
    ['49305', undefined],
    ['', undefined],
    ['+', undefined],
    ['49306; DROP', undefined],
    [`49306${'1'.repeat(5000)}`, undefined],
    ['4930６', undefined],
    ['__proto__', undefined],
  ] as const)
    t.equal(index.find(number)?.did, did, number.slice(0, 30));
  t.equal(index.find('4930600116')?.number, '+4930600116', 'the number that was called, as it is kept');
  t.end();
});

const { db } = await freshDatabase(t);
await addTeam(db, 'other');
for (const team of ['astercc', 'other']) await addGroup(db, team, { name: 'support' });
const to = { to: 'group:support' };
const add = (team: string, number: string) => addDid(db, team, { number, ...to });

await t.test('numbers that are named together belong to one team (spec 4)', async (t) => {
  await add('astercc', '+4930600100..+4930600199');
  await add('astercc', '+49306002*');
  await add('astercc', '+4930600150');
  await add('astercc', '+4930600160..+4930600169');
  await add('astercc', '+49306002345');
  for (const [number, ...words] of [
    ['+4930600142', '+4930600100..+4930600199', 'team astercc', 'one team'],
    ['4930600142', '+4930600100..+4930600199'],
    ['+4930600190..+4930600210', '+4930600100..+4930600199'],
    ['+49306002999', '+49306002*'],
    ['+493060024*', '+49306002*'],
    ['+4930*', 'of team astercc'],
    ['+49306002', '+49306002*'],
  ] as const)
    await refused(t, 'conflict', [number, ...words], () => add('other', number));
  await refused(t, 'conflict', ['neither', '+4930600160..+4930600169'], () =>
    add('astercc', '+4930600165..+4930600175'),
  );
  await refused(t, 'conflict', ['exists already'], () => add('astercc', '+49306002*'));
  await add('other', '+4930610000');
  await refused(t, 'conflict', ['+4930610000', 'team other'], () => add('astercc', '+49306*'));
  await add('other', '+49306001505');
  t.match(await showDid(db, 'astercc', '49306002*'), { number: '+49306002*', to: 'group:support' });
  t.match(await showDid(db, 'astercc', '4930600100..4930600199').catch((error: unknown) => error), {
    code: 'unknown',
  });
  t.match(await showDid(db, 'astercc', '+4930600100..4930600199'), { number: '+4930600100..+4930600199' });
});

await t.test('of two teams that take numbers of each other in the same moment one has them', async (t) => {
  for (const [one, two] of [
    ['+4940*', '+4940123'],
    ['+4941100..+4941199', '+4941150..+4941250'],
  ] as const) {
    const outcomes = await Promise.allSettled([add('astercc', one), add('other', two)]);
    t.same(outcomes.map(({ status }) => status).sort(), ['fulfilled', 'rejected'], one);
  }
});

await t.test('in the files a range is its numbers, a beginning a pattern for each length', async (t) => {
  await addTrunk(db, null, { name: 'provider', endpoint: 'provider', country: 'DE' });
  const { teams, formsOf } = await readRows(db, 'default');
  const team = teams.find(({ identity }) => identity === 'astercc');
  const numbers = team?.dids.map(({ number }) => number) ?? [];
  t.equal(numbers.length, new Set(numbers).size, 'each once');
  t.equal(numbers.filter((number) => /^[+]49306001[0-9]{2}$/.test(number)).length, 100);
  t.same(team && formsOf(team, '+4930600142').inTeam, ['4930600142', '004930600142', '030600142']);
  t.match(
    team?.prefixes.filter(({ number }) => number === '+49306002'),
    [{ number: '+49306002', forAll: ['49306002', '0049306002', '0306002'] }],
  );
});

await t.test('an unknown number that a range has now is none any more', async (t) => {
  await db('unknown_numbers').insert(
    ['0306005', '030600177', '0306002999'].map((number) => ({
      node: 'default',
      number,
      calls: 1,
      first_at: new Date(),
      last_at: new Date(),
      endpoint: 'provider',
    })),
  );
  t.same(
    (await listUnknownNumbers(db)).map(({ number }) => number),
    ['0306005'],
  );
});

await t.test('a country that comes later reads them anew', async (t) => {
  await setTrunk(db, null, 'provider', { country: null });
  await add('other', '0306003*');
  await add('other', '030600400..030600499');
  await setTrunk(db, null, 'provider', { country: 'DE' });
  const kept = (await listDids(db, 'other')).map(({ number }) => number);
  t.ok(kept.includes('+49306003*'), kept.join(' '));
  t.ok(kept.includes('+4930600400..+4930600499'), kept.join(' '));
  await dids.set(db, 'other', '0306003*', to);
  await removeDid(db, 'other', '0306003*');
});
