import { hash } from 'node:crypto';
import t from 'tap';
import { EmergencyMemory } from '../../domain/calls/outbound/emergency-numbers.js';
import { addTeam, setTeam } from '../../domain/provisioning/team.js';
import { dialledForms } from '../../pbx/files/outside/dialled-forms.js';
import { emergencyModel, noEmergency, type EmergencyRows } from '../../pbx/files/outside/emergency.js';
import { freshDatabase } from '../support/database.js';

/** What phones dial for emergencies, and the number that each of them is. */
const around = { codes: [], numbers: new Set<string>(), shows: () => true };
const dialled = (rows: Partial<EmergencyRows>, more: Partial<Parameters<typeof emergencyModel>[1]> = {}) =>
  Object.fromEntries(
    emergencyModel({ ...noEmergency, ...rows }, { ...around, ...more }).dialled.map(
      ({ dialled, number }): [string, string] => [dialled, number],
    ),
  );

await t.test('a telephone that puts its country before the number reaches it, too', async (t) => {
  const { withCountry } = await dialledForms('DE');
  t.same(dialled({ numbers: '112', withCountry }), { '112': '112', '+49112': '112', '0049112': '112' });
  const behind = dialled({ numbers: '112', outsidePrefix: '0', withCountry });
  for (const one of ['112', '0112', '+49112', '0+49112', '0049112', '00049112'])
    t.equal(behind[one], '112', one);
  const hiding = dialled(
    { numbers: '112', withCountry },
    { codes: [{ code: '*31', feature: 'hide-number' }] },
  );
  t.equal(hiding['*31+49112'], '112');
  t.same((await dialledForms(null)).withCountry, [], 'no country is known');
  t.same((await dialledForms('US')).withCountry, ['+1', '0111']);
});

await t.test('in that form it takes the place of nothing that the team has', async (t) => {
  const { withCountry } = await dialledForms('DE');
  t.notOk('0049112' in dialled({ numbers: '112', withCountry }, { numbers: new Set(['0049112']) }));
  t.equal(
    dialled({ numbers: '112,0049112', withCountry })['0049112'],
    '0049112',
    'nor of another emergency number',
  );
});

await t.test("only a number that is still the team's is shown", (t) => {
  const { ways, callers } = emergencyModel(
    {
      ...noEmergency,
      numbers: '112',
      callerId: '+49306001',
      ways: ['+49306001', '+49306009'].map((callerId) => ({ endpoint: 'own', replySeconds: 6, callerId })),
      callers: [
        { endpoint: 'moved', callerIds: ['+49306009', '+49306001'] },
        { endpoint: 'gone', callerIds: ['+49306009'] },
      ],
    },
    { ...around, shows: (number) => number === '+49306001' },
  );
  t.same(
    ways.map(({ way }) => way),
    ['own:6:+49306001', 'own:6:'],
  );
  t.same(callers, [
    { key: 'team', callerId: '+49306001' },
    { key: hash('md5', 'moved'), callerId: '+49306001' },
  ]);
  t.end();
});

await t.test('a server knows them with a country, and says the number that is sent', async (t) => {
  const { db } = await freshDatabase(t);
  await setTeam(db, 'astercc', { emergency: '112' });
  await addTeam(db, 'silent', { emergency: null });
  const memory = new EmergencyMemory(db, 'default');
  await memory.load();
  for (const number of ['112', '+49112', '+1112', '+353112'])
    t.equal(memory.dialled('astercc', number), '112', number);
  for (const number of ['0112', '+491120', '1120'])
    t.equal(memory.dialled('astercc', number), undefined, number);
  t.equal(memory.dialled('silent', '112'), undefined);
});
