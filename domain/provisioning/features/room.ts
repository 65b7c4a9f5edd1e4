import type { Changes } from '../fields/description.js';
import type { Queryable } from '../../database/pool.js';
import { forget } from '../operations/forget-failures.js';
import { room } from '../nouns/room.js';
import { operationsOf } from '../operations/operations.js';

export type RoomChanges = Changes<typeof room>;

/** Conference rooms (spec 61, 63). A new PIN forgives the wrong ones that were tried. */
export const rooms = operationsOf(room, {
  after: async ({ trx, scope, name, given, before }) => {
    if (before && given.pin !== undefined) await forget({ trx, scope, name }, 'room');
    return undefined;
  },
  remove: async ({ trx, scope, name }) => {
    await forget({ trx, scope, name }, 'room');
    return undefined;
  },
});

export type Room = Awaited<ReturnType<typeof rooms.show>>;

export const addRoom = (
  db: Queryable,
  team: string,
  { number, ...values }: { number: string } & RoomChanges,
): Promise<Room> => rooms.add(db, team, number, values);
