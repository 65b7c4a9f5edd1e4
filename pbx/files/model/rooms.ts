import { prepared, type Queryable } from '../../../domain/database/pool.js';

export interface RoomRow {
  number: string;
  /** The most parties. */
  most: number;
  asksPin: boolean;
  /** Whether it has an administrator, for whom the others wait. */
  led: boolean;
  tones: boolean;
  music: boolean;
}

/** The conference rooms of a node with their teams, in a fixed order. */
export const readRooms = (trx: Queryable, node: string): Promise<(RoomRow & { team: string })[]> =>
  prepared(
    trx,
    `select t.identity as team, r.number, r.most, r.asks_pin as "asksPin", r.administrator_id is not null as led, r.tones, r.music
     from rooms r join teams t on t.id = r.team_id where t.node = ? order by r.number`,
    [node],
  );

const yes = (is: boolean): string => (is ? 'yes' : 'no');

/** Rooms as star64-room.conf is told of them. */
export const roomsModel = (rows: readonly RoomRow[]) =>
  rows.map(({ number, most, asksPin, led, tones, music }) => ({
    number,
    most: String(most),
    asks: asksPin ? 'pin' : led ? 'leader' : '',
    tones: yes(tones),
    music: yes(music),
  }));
