import { checkRoomPin, roomAt, type RoomAtPhone } from '../../domain/presence/room.js';
import { answer } from '../answer.js';
import type { Script } from './script.js';

const tries = 3;
const patienceMs = 7000;
const longestPin = 10;

/** What star64-room does with who comes in without being the leader. */
const asGuest = ({ administrator }: RoomAtPhone): string => (administrator === null ? 'in' : 'waits');

/**
 * Who comes to a conference room: its leader, one who waits for the leader, or one who has to key a PIN first. Arguments:
 * team, number of the room, endpoint of the phone, empty for who has none of the team. Without an answer a room with a PIN
 * is closed, and in any other nobody is waited for.
 */
export const room: Script = async ({ db }, session, [team = '', number = '', endpoint = '']) => {
  const found = await roomAt(db, team, number, endpoint);
  if (!found) return answer(session, 'gone');
  if (found.atOwnPhone) return answer(session, 'leader');
  await answer(session, found.hash === null ? asGuest(found) : 'pin');
};

/** The same after the PIN, which is keyed here: it is in no log and no variable. No connection is held meanwhile. */
export const roomPin: Script = async ({ db, log }, session, [team = '', number = '', endpoint = '']) => {
  let prompt = 'conf-getpin';
  for (let attempt = 1; ; attempt++) {
    const pin = await session.getData(prompt, patienceMs, longestPin);
    const found = await roomAt(db, team, number, endpoint);
    if (!found) return answer(session, 'gone');
    const check = await checkRoomPin(db, found, pin);
    if (check === 'leader') return answer(session, 'leader');
    if (check === 'guest') return answer(session, asGuest(found));
    const last = check === 'locked' || attempt === tries;
    if (last) {
      log.info({ team, room: number, phone: found.extension ?? '', check }, 'not let into a room');
      return answer(session, check === 'locked' ? 'tries' : check);
    }
    prompt = check === 'silence' ? 'conf-getpin' : 'conf-invalidpin';
  }
};
