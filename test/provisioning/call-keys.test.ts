import t from 'tap';
import { callActions, callKeys, setCallKey } from '../../domain/provisioning/features/call-key.js';
import { addTeam, removeTeam } from '../../domain/provisioning/team.js';
import { freshDatabase } from '../support/database.js';
import { refused } from '../support/refusal.js';

const { db } = await freshDatabase(t);
await addTeam(db, 'other');
const keysOf = async (team: string) =>
  (await callKeys.list(db, team)).map(
    ({ action, keys, enabled }) => `${action} ${keys}${enabled ? '' : ' off'}`,
  );

const defaults = [
  'transfer *1',
  'consult *2',
  'conference *3',
  'back *4',
  'swap *5',
  'complete *6',
  'hold *7',
  'record *8',
  'drop *9',
  'end *0',
];

await t.test('every team has the keys of a call, in their order, and changes its own alone', async (t) => {
  t.same(await keysOf('astercc'), defaults);
  t.same(
    defaults.map((one) => one.split(' ')[0]),
    [...callActions],
  );
  t.match(await setCallKey(db, 'astercc', 'drop', { keys: '##5' }), { keys: '##5', enabled: true });
  t.match(await setCallKey(db, 'astercc', 'drop', { keys: '*9' }), { keys: '*9' });
  t.same(await keysOf('other'), defaults);
});

await t.test('of the keys of a team that are enabled none begins another', async (t) => {
  const set = (action: string, given: object) => () => setCallKey(db, 'astercc', action, given);
  await refused(
    t,
    'conflict',
    ['keys *2 are those for consult', 'call-key set consult'],
    set('hold', { keys: '*2' }),
  );
  await refused(t, 'conflict', ['keys *21 begin with *2, those for consult'], set('hold', { keys: '*21' }));
  await setCallKey(db, 'astercc', 'hold', { keys: '*77' });
  await refused(t, 'conflict', ['keys *7 are the beginning of *77'], set('drop', { keys: '*7' }));
  await setCallKey(db, 'astercc', 'hold', { enabled: false });
  await setCallKey(db, 'astercc', 'drop', { keys: '*7' });
  await refused(t, 'conflict', ['*77 begin with *7, those for drop'], set('hold', { enabled: true }));
  t.match(
    await setCallKey(db, 'other', 'hold', { keys: '*77' }),
    { keys: '*77' },
    'another team has its own',
  );
  // The last of the line, and all lengths.
  for (const keys of ['#####', '####*', '####0', '###9', '**'])
    t.match(await setCallKey(db, 'astercc', 'end', { keys }), { keys });
});

await t.test('what is no keys, or no action, is refused', async (t) => {
  for (const keys of ['5', '*', '*123456', '*a', '7*'])
    await refused(t, 'usage', ['keys'], () => setCallKey(db, 'astercc', 'hold', { keys }));
  await refused(t, 'not_found', ['call key', 'park'], () =>
    setCallKey(db, 'astercc', 'park', { keys: '*7' }),
  );
});

await t.test('they go with their team', async (t) => {
  await removeTeam(db, 'other');
  t.equal((await db('call_keys')).length, callActions.length);
});
