import t from 'tap';
import { usualEmergencies } from '../../domain/emergency-defaults.js';
import { addExtension, setExtension } from '../../domain/provisioning/numbers/extension.js';
import { addFeatureCode } from '../../domain/provisioning/features/feature-code.js';
import { addGroup } from '../../domain/provisioning/people/group.js';
import { addRingGroup } from '../../domain/provisioning/features/ring-group.js';
import { addTeam, setTeam, showTeam } from '../../domain/provisioning/team.js';
import { addUser } from '../../domain/provisioning/people/user.js';
import { freshDatabase } from '../support/database.js';
import { migrations } from '../../migrations/index.js';

/** Nothing of a team stands where an emergency number is, or where one begins. */
const { db } = await freshDatabase(t);
const team = 'astercc';
await addUser(db, team, { username: 'anna' });
const extension = (number: string) => addExtension(db, team, { number, user: 'anna' });
const refused = (message: RegExp | string): { kind: string; code: string; message: RegExp | string } => ({
  kind: 'conflict',
  code: 'emergency_number',
  message,
});

await t.test('a team has emergency numbers from its first moment', async (t) => {
  t.match(await showTeam(db, team), { emergency: '112,911' });
  t.match(await addTeam(db, 'silent', { emergency: null }), { emergency: null });
  t.match(await setTeam(db, team, { emergency: '112,110' }), { emergency: '112,110' });
  await t.rejects(setTeam(db, team, { emergency: '112;110' }), {
    kind: 'usage',
    message: /"112110"|112,110/,
  });
  t.equal(usualEmergencies('DE'), '112,110');
  t.equal(usualEmergencies(null), '112,911');
});

await t.test('what was given to teams by the migration is what a new one gets', (t) => {
  const sql = migrations.find(({ name }) => name === '0028-emergency')?.sql ?? '';
  const given = [...sql.matchAll(/\('([A-Z]{2})', '([0-9,]+)'\)/g)];
  t.ok(given.length > 40);
  for (const [, country = '', numbers] of given) t.equal(usualEmergencies(country), numbers, country);
  t.end();
});

await t.test('nothing that its phones dial is one, or the beginning of one', async (t) => {
  await setTeam(db, 'silent', { emergency: '112' });
  await extension('1120');
  await t.rejects(
    extension('112'),
    refused(
      'number 112 of team astercc is dialled for emergencies: choose another number, or say with `star64 team set astercc --emergency <numbers>` which emergency numbers there are.',
    ),
  );
  await t.rejects(extension('11'), refused(/^number 11 .* is the beginning of 110, which is dialled/));
  await t.rejects(addGroup(db, team, { name: 'fire', number: '112' }), refused(/^number 112 /));
  await t.rejects(
    addRingGroup(db, team, { number: '110', name: 'fire', members: ['1120'] }),
    refused(/^number 110 /),
  );
  await t.rejects(
    addFeatureCode(db, 'silent', { code: '1', feature: 'status' }),
    refused(/^feature code 1 .* is the beginning of 112/),
  );
  await addFeatureCode(db, team, { code: '*11', feature: 'status' });
});

await t.test('nor with the outside prefix', async (t) => {
  await db('teams').where({ identity: team }).update({ outside_prefix: '0' });
  await t.rejects(extension('0112'), refused(/^number 0112 of team astercc is dialled for emergencies/));
  await t.rejects(extension('01'), refused(/^number 01 .* beginning of 0110/));
  await t.rejects(addFeatureCode(db, team, { code: '0', feature: 'status' }), refused(/^feature code 0 /));
  await extension('0911');
});

await t.test('a number that is there stays, and cannot become one', async (t) => {
  await t.rejects(
    setTeam(db, team, { emergency: '112,1120' }),
    refused(
      'emergency number 1120 of team astercc is extension 1120 of user anna: give that another number first, or leave this one out with `star64 team set astercc --emergency <others>`.',
    ),
  );
  await t.rejects(
    setTeam(db, team, { emergency: '112,911' }),
    refused(/^emergency number 0911 of team astercc is extension 0911 of user anna/),
  );
  await t.rejects(setTeam(db, team, { emergency: '11205' }), refused(/^emergency number 11205 .* begins/));
  t.match(await showTeam(db, team), { emergency: '112,110' });
});

await t.test('of a number and an emergency number that come together, one is there', async (t) => {
  await setTeam(db, team, { emergency: '112' });
  const results = await Promise.allSettled([
    ...['1190', '1191', '1192'].map((number) => extension(number)),
    setTeam(db, team, { emergency: '112,1190,1191,1192' }),
  ]);
  const refusals = results.filter(({ status }) => status === 'rejected').length;
  const { emergency } = await showTeam(db, team);
  t.ok(emergency === '112' ? refusals === 1 : refusals === 3, `${String(emergency)}, ${refusals} refused`);
});

await t.test('the location of a phone is told in words', async (t) => {
  t.match(await setExtension(db, team, '1120', { location: '2nd floor, room 14' }), {
    location: '2nd floor, room 14',
  });
  t.match(await setExtension(db, team, '1120', { location: null }), { location: null });
  await t.rejects(setExtension(db, team, '1120', { location: 'a\nb' }), {
    kind: 'usage',
    message: /line breaks/,
  });
});
