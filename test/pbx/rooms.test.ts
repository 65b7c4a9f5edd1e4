import t from 'tap';
import { addRoom } from '../../domain/provisioning/features/room.js';
import { addTeam } from '../../domain/provisioning/team.js';
import { AmiError } from '../../pbx/ami/errors.js';
import type { ManagerActions } from '../../pbx/ami/manager.js';
import type { AmiMessage } from '../../pbx/ami/message.js';
import { readRooms } from '../../pbx/rooms.js';
import { freshDatabase } from '../support/database.js';

const { db } = await freshDatabase(t);
await addTeam(db, 'b2');
for (const number of ['801', '802']) await addRoom(db, 'astercc', { number });

/** An Asterisk that answers with these conferences, or with an error. */
const says = (answer: Record<string, string>[] | string): ManagerActions =>
  ({
    list: () =>
      typeof answer === 'string'
        ? Promise.reject(new AmiError('rejected', `Asterisk says: ${answer}`))
        : Promise.resolve(
            answer.map((one) => ({ headers: new Map(Object.entries(one)) }) as unknown as AmiMessage),
          ),
  }) as unknown as ManagerActions;

await t.test('who is in the rooms of a team, and nothing of others', async (t) => {
  const manager = says([
    { conference: 'astercc-802', parties: '3', locked: 'Yes' },
    { conference: 'b2-801', parties: '5', locked: 'No' },
    { conference: '801', parties: '7', locked: 'No' },
  ]);
  t.same(await readRooms(manager, db, 'astercc'), [{ number: '802', parties: 3, locked: true }]);
  t.same(await readRooms(says('No active conferences.'), db, 'astercc'), []);
});

await t.test('an Asterisk without ConfBridge is told from one in which nobody is in a room', async (t) => {
  const without = says(
    'Invalid/unknown command: ConfbridgeListRooms. Use Action: ListCommands to show available commands.',
  );
  t.equal(await readRooms(without, db, 'astercc'), 'missing');
  t.same(await readRooms(without, db, 'b2'), [], 'a team that has no rooms needs none');
});
