import t from 'tap';
import { callersExtension } from '../../domain/presence/callers-extension.js';
import { addDid, listDids, removeDid, setDid, showDid } from '../../domain/provisioning/numbers/did.js';
import { addExtension, removeExtension, setExtension } from '../../domain/provisioning/numbers/extension.js';
import { addGroup } from '../../domain/provisioning/people/group.js';
import { addTeam, setTeam } from '../../domain/provisioning/team.js';
import { addTrunk, setTrunk } from '../../domain/provisioning/numbers/trunk.js';
import { addUser } from '../../domain/provisioning/people/user.js';
import { readRows } from '../../pbx/files/model/rows.js';
import { freshDatabase } from '../support/database.js';
import { refused } from '../support/refusal.js';

const { db } = await freshDatabase(t);
for (const team of ['other', 'vienna']) await addTeam(db, team);
for (const team of ['astercc', 'other', 'vienna']) {
  await addUser(db, team, { username: 'anna' });
  await addGroup(db, team, { name: 'support', number: '6000' });
}
const to = { to: 'group:support' };
const numbersOf = async (team: string): Promise<string[]> =>
  (await listDids(db, team)).map(({ number }) => number);
/** The forms in which Asterisk is to find the DIDs of a team. */
const writtenOf = async (team: string, where: 'inTeam' | 'forAll' = 'forAll'): Promise<string[]> => {
  const { teams, formsOf } = await readRows(db, 'default');
  const own = teams.filter(({ identity }) => identity === team);
  return own.flatMap((one) => one.dids.flatMap(({ number }) => [number, ...formsOf(one, number)[where]]));
};

await t.test('+N and N are one number, over all teams', async (t) => {
  await addDid(db, 'astercc', { number: '600100', ...to });
  await addDid(db, 'astercc', { number: '+4930600100', ...to });
  for (const team of ['astercc', 'other']) {
    await refused(t, 'conflict', ['DID +600100', 'as 600100, in team astercc', 'did set 600100'], () =>
      addDid(db, team, { number: '+600100', ...to }),
    );
    await refused(t, 'conflict', ['DID 4930600100', '+4930600100'], () =>
      addDid(db, team, { number: '4930600100', ...to }),
    );
  }
  t.match(await showDid(db, 'astercc', '4930600100'), { number: '+4930600100' });
  await setDid(db, 'astercc', '+600100', to);
  await refused(t, 'not_found', ['DID "+600100"'], () => showDid(db, 'other', '+600100'));
  t.same(await writtenOf('astercc'), ['+4930600100', '4930600100', '600100', '+600100']);
});

await t.test('of two teams that add one number in the same moment one has it', async (t) => {
  const outcomes = await Promise.allSettled([
    addDid(db, 'astercc', { number: '600101', ...to }),
    addDid(db, 'other', { number: '+600101', ...to }),
  ]);
  t.same(outcomes.map(({ status }) => status).sort(), ['fulfilled', 'rejected']);
  await removeDid(db, outcomes[0].status === 'fulfilled' ? 'astercc' : 'other', '600101');
});

await t.test('the country of its trunk says which number a national one is', async (t) => {
  await addDid(db, 'other', { number: '030600200', ...to });
  await refused(t, 'usage', ['country "XX"', 'ISO 3166'], () =>
    addTrunk(db, null, { name: 'shared', endpoint: 'shared', country: 'XX' }),
  );
  await refused(t, 'usage', ['country "de"', '"DE"'], () =>
    addTrunk(db, null, { name: 'shared', endpoint: 'shared', country: 'de' }),
  );
  await addTrunk(db, null, { name: 'shared', endpoint: 'shared', trusted: true });
  t.same(await numbersOf('other'), ['030600200']);
  await addDid(db, 'astercc', { number: '004930600200', ...to });
  await refused(
    t,
    'conflict',
    ['004930600200 of team astercc', '030600200 of team other', 'one number'],
    () => setTrunk(db, null, 'shared', { country: 'DE' }),
  );
  await removeDid(db, 'astercc', '004930600200');
  await setTrunk(db, null, 'shared', { country: 'DE' });
  t.same(await numbersOf('other'), ['+4930600200'], 'also one that was there before the country');
  for (const form of ['030600200', '004930600200', '4930600200', '+4930600200']) {
    t.match(await showDid(db, 'other', form), { number: '+4930600200' }, form);
    await refused(t, 'conflict', ['+4930600200', 'team other'], () =>
      addDid(db, 'astercc', { number: form, ...to }),
    );
  }
  t.same(await writtenOf('other'), ['+4930600200', '4930600200', '004930600200', '030600200']);
  t.same(await writtenOf('astercc'), [
    ...['+4930600100', '4930600100', '004930600100', '030600100'],
    ...['600100', '+600100'],
  ]);
  await addDid(db, 'other', { number: '0049 30 600201'.replaceAll(' ', ''), ...to });
  t.match(await removeDid(db, 'other', '030600201'), {});
});

await t.test('a country that would make two numbers one is refused, and changes nothing', async (t) => {
  await addDid(db, 'vienna', { number: '+4316001', ...to });
  await addTrunk(db, 'vienna', { name: 'own', endpoint: 'vienna' });
  await addDid(db, 'vienna', { number: '016001', ...to });
  await refused(t, 'conflict', ['DID 016001 of team vienna', '+4316001', 'remove one'], () =>
    setTrunk(db, 'vienna', 'own', { country: 'AT' }),
  );
  t.same(await numbersOf('vienna'), ['+4316001', '016001']);
  await removeDid(db, 'vienna', '016001');
  await setTrunk(db, 'vienna', 'own', { country: 'AT' });
});

await t.test('nor two that were typed in two ways before the country was known', async (t) => {
  await addTeam(db, 'graz');
  await addUser(db, 'graz', { username: 'anna' });
  await addGroup(db, 'graz', { name: 'support', number: '6000' });
  await addTrunk(db, 'graz', { name: 'own', endpoint: 'graz' });
  for (const number of ['0316600100', '0043316600100']) await addDid(db, 'graz', { number, ...to });
  const telephone = { user: 'anna', kind: 'external' } as const;
  await addExtension(db, 'graz', { ...telephone, number: '7000', telephone: '06641234567' });
  await addExtension(db, 'graz', { ...telephone, number: '7001', telephone: '00436641234567' });
  const austria = () => setTrunk(db, 'graz', 'own', { country: 'AT' });
  await refused(t, 'conflict', ['0316600100', '43316600100', 'would be one'], austria);
  await removeDid(db, 'graz', '0316600100');
  await refused(t, 'conflict', ['telephone number', '06641234567', 'would be one'], austria);
  await removeExtension(db, 'graz', '7001');
  await austria();
  t.equal(await callersExtension(db, 'graz', 'graz', '+436641234567'), undefined, 'not trusted');
  await setTrunk(db, 'graz', 'own', { trusted: true });
  t.equal(await callersExtension(db, 'graz', 'graz', '+436641234567'), '7000');
});

await t.test('with trunks in two countries the default trunk says how people write', async (t) => {
  await addTrunk(db, 'vienna', { name: 'munich', endpoint: 'munich', country: 'DE' });
  await addDid(db, 'vienna', { number: '016002', ...to });
  t.same(await numbersOf('vienna'), ['+4316001', '016002'], 'not known whose');
  await setTeam(db, 'vienna', { trunk: 'own' });
  t.same(await numbersOf('vienna'), ['+4316001', '+4316002']);
  t.ok((await writtenOf('vienna')).includes('016002'));
});

await t.test('a form that two numbers have leads to neither; each is found as it is kept', async (t) => {
  await addDid(db, 'astercc', { number: '+491601001001', ...to });
  await addDid(db, 'vienna', { number: '+431601001001', ...to });
  const [vienna, berlin] = [await writtenOf('vienna'), await writtenOf('astercc')];
  t.notOk([...vienna, ...berlin].includes('01601001001'));
  for (const team of ['vienna', 'astercc'])
    t.ok(
      (await writtenOf(team, 'inTeam')).includes('01601001001'),
      'on a trunk of one team it is its number',
    );
  t.ok(vienna.includes('00431601001001'));
  t.ok(berlin.includes('00491601001001'));
  await removeDid(db, 'vienna', '+431601001001');
  t.ok((await writtenOf('astercc')).includes('01601001001'));
});

await t.test('an agent is known by the number of their telephone, however the trunk writes it', async (t) => {
  const telephone = { user: 'anna', kind: 'external' } as const;
  await addExtension(db, 'other', { ...telephone, number: '7000', telephone: '015112345678' });
  for (const caller of ['015112345678', '004915112345678', '+4915112345678', '4915112345678'])
    t.equal(await callersExtension(db, 'other', 'shared', caller), '7000', caller);
  for (const caller of ['15112345678', '+15112345678', '015112345679', 'anonymous'])
    t.equal(await callersExtension(db, 'other', 'shared', caller), undefined, caller);
  t.equal(await callersExtension(db, 'other', 'vienna', '015112345678'), undefined, 'not its trunk');
  await refused(t, 'conflict', ['telephone number +4915112345678', 'extension 7000'], () =>
    addExtension(db, 'other', { ...telephone, number: '7001', telephone: '+4915112345678' }),
  );
  t.match(await setExtension(db, 'other', '7000', { telephone: '+4915112345670' }), {
    telephone: '+4915112345670',
  });
  t.equal(await callersExtension(db, 'other', 'shared', '015112345670'), '7000');
});
