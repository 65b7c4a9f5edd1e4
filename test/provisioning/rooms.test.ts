import t from 'tap';
import { addDid, removeDid } from '../../domain/provisioning/numbers/did.js';
import { addExtension } from '../../domain/provisioning/numbers/extension.js';
import { addFeatureCode } from '../../domain/provisioning/features/feature-code.js';
import { addRoom, rooms } from '../../domain/provisioning/features/room.js';
import { addTeam } from '../../domain/provisioning/team.js';
import { addUser, removeUser } from '../../domain/provisioning/people/user.js';
import { cli } from '../support/processes/cli.js';
import { freshDatabase } from '../support/database.js';
import { refused } from '../support/refusal.js';

const { db, url } = await freshDatabase(t);
const team = 'astercc';
await addTeam(db, 'b2');
for (const one of [team, 'b2']) await addUser(db, one, { username: 'anna' });
await addUser(db, 'b2', { username: 'bea' });
await addExtension(db, team, { number: '5000', user: 'anna' });

await t.test('a room says whether it has a PIN, and never which', async (t) => {
  const made = await addRoom(db, team, { number: '801' });
  t.match(made, { name: '801', pin: false, administrator: null, most: 30, tones: true, music: true });
  const env = { DATABASE_URL: url };
  const { out } = await cli(['--json', 'room', 'set', '801', '--pin-stdin', '--most', '5'], {
    env,
    input: '730551\n',
  });
  t.match(JSON.parse(out), { pin: true, most: 5 });
  t.notMatch(out, /730551|scrypt/);
  t.match(await rooms.set(db, team, '801', { administrator: 'anna', pin: null }), {
    pin: false,
    administrator: 'anna',
  });
  for (const pin of ['801', '4444', '12345']) {
    await refused(t, 'usage', ['PIN'], () => rooms.set(db, team, '801', { pin }));
  }
  await refused(t, 'usage', ['30'], () => rooms.set(db, team, '801', { most: 31 }));
});

await t.test('its number is one of the team, and its administrator is of the team', async (t) => {
  await refused(t, 'conflict', ['801', 'room 801'], () =>
    addExtension(db, team, { number: '801', user: 'anna' }),
  );
  await refused(t, 'conflict', ['5000', 'extension 5000'], () => addRoom(db, team, { number: '5000' }));
  await refused(t, 'conflict', ['room 801'], () => addRoom(db, team, { number: '801' }));
  await refused(t, 'not_found', ['bea'], () => rooms.set(db, team, '801', { administrator: 'bea' }));
  await refused(t, 'conflict', ['80'], () => addFeatureCode(db, team, { code: '80', feature: 'status' }));
  t.match(await addRoom(db, 'b2', { number: '801' }), { team: 'b2' }, 'another team has its own');
});

await t.test('what needs it, and whom it needs, is not removed', async (t) => {
  await addDid(db, team, { number: '600100', to: 'room:801' });
  await refused(t, 'conflict', ['600100'], () => rooms.remove(db, team, '801'));
  await addUser(db, team, { username: 'carl' });
  await rooms.set(db, team, '801', { administrator: 'carl' });
  await refused(t, 'conflict', ['room 801', '--no-administrator'], () => removeUser(db, team, 'carl'));
  await removeDid(db, team, '600100');
  await rooms.remove(db, team, '801');
  await removeUser(db, team, 'carl');
  t.match(
    await addExtension(db, team, { number: '801', user: 'anna' }),
    { number: '801' },
    'the number is free',
  );
});
