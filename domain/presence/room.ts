import { prepared, type Database } from '../database/pool.js';
import { verifyPassword } from '../password.js';
import { extensionOfEndpoint } from './callers-extension.js';
import { countFailure, forgetFailures, isLocked, type Suspect } from './sign-in-lock.js';

/** A conference room, as whoever comes to it finds it. */
export interface RoomAtPhone {
  readonly id: number;
  readonly teamId: number;
  readonly number: string;
  readonly hash: string | null;
  /** User name and PIN of the administrator; null: it has none, or they have none. */
  readonly administrator: string | null;
  readonly administratorHash: string | null;
  /** The extension of the phone that calls; null: it is none of the team. */
  readonly extension: string | null;
  /** Whether that one is the administrator's. */
  readonly atOwnPhone: boolean;
}

/**
 * A room by its number, seen from a SIP endpoint, which Asterisk has authenticated; empty: whoever comes has none of the
 * team. Undefined: there is no such room.
 */
export async function roomAt(
  db: Database,
  team: string,
  number: string,
  endpoint: string,
): Promise<RoomAtPhone | undefined> {
  // A phone of our own has its number in the name of its endpoint; one of the operator's is looked up.
  const own = endpoint.startsWith(`${team}-`) ? endpoint.slice(team.length + 1) : undefined;
  const extension = own ?? (endpoint === '' ? undefined : await extensionOfEndpoint(db, team, endpoint));
  const [row] = await prepared<RoomAtPhone>(
    db,
    `select r.id, r.team_id as "teamId", r.number, r.pin_hash as hash, u.username as administrator,
       u.pin_hash as "administratorHash", x.number as extension, coalesce(x.user_id = r.administrator_id, false) as "atOwnPhone"
     from rooms r join teams t on t.id = r.team_id
     left join users u on u.id = r.administrator_id
     left join extensions x on x.team_id = t.id and x.number = :extension and x.removed_at is null
     where t.identity = :team and r.number = :number`,
    { team, number, extension: extension ?? '' },
  );
  return row;
}

/**
 * - `leader`: it is the PIN of the administrator.
 * - `guest`: it is the PIN of the room; in both cases what went wrong before is forgotten.
 * - `wrong`: it is neither, which is counted for the room and the phone; the fifth time in a row locks.
 * - `locked`: too many were wrong; whether this one is right is not said.
 * - `silence`: nothing was keyed, which is no guess and not counted.
 */
export type RoomPinCheck = 'leader' | 'guest' | 'wrong' | 'locked' | 'silence';

/** Checks what somebody keyed as they came to a room. */
export async function checkRoomPin(db: Database, room: RoomAtPhone, pin: string): Promise<RoomPinCheck> {
  const { id, teamId, number, extension, administrator, administratorHash } = room;
  const suspects: Suspect[] = [
    { kind: 'room', number },
    ...(extension === null ? [] : [{ kind: 'phone' as const, number: extension }]),
  ];
  if (await isLocked(db, teamId, suspects)) return 'locked';
  if (pin === '') return 'silence';
  // Before anything is held: a hash takes long on purpose. Of an administrator who is locked no PIN is right.
  const asks = administrator !== null && administratorHash !== null;
  const known = asks && !(await isLocked(db, teamId, [{ kind: 'user', number: administrator }]));
  const leads = known && (await verifyPassword(pin, administratorHash));
  const right = leads || (room.hash !== null && (await verifyPassword(pin, room.hash)));
  return db.transaction(async (trx) => {
    // One guess after the other, also of those that come at once.
    await trx('rooms').where({ id }).forNoKeyUpdate().first('id');
    if (await isLocked(trx, teamId, suspects)) return 'locked';
    await (right ? forgetFailures : countFailure)(trx, teamId, suspects);
    return leads ? 'leader' : right ? 'guest' : 'wrong';
  });
}
