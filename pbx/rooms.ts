import { prepared, type Queryable } from '../domain/database/pool.js';
import { AmiError } from './ami/errors.js';
import type { ManagerActions } from './ami/manager.js';

/** A conference room that somebody is in. */
export interface OpenRoom {
  number: string;
  parties: number;
  locked: boolean;
}

/**
 * The rooms of a team that somebody is in, as Asterisk counts them: a party of a transfer may have another one behind it.
 * `missing`: app_confbridge is not loaded. A team without rooms has none, and Asterisk is not asked.
 */
export async function readRooms(
  manager: ManagerActions,
  db: Queryable,
  team: string,
): Promise<OpenRoom[] | 'missing'> {
  const numbers = await prepared<{ number: string }>(
    db,
    'select r.number from rooms r join teams t on t.id = r.team_id where t.identity = ? order by length(r.number), r.number',
    [team],
  );
  if (numbers.length === 0) return [];
  try {
    const open = await manager.list('ConfbridgeListRooms');
    return numbers.flatMap(({ number }) => {
      const found = open.find(({ headers }) => headers.get('conference') === `${team}-${number}`);
      if (!found) return [];
      return [
        {
          number,
          parties: Number(found.headers.get('parties') ?? 0),
          locked: found.headers.get('locked') === 'Yes',
        },
      ];
    });
  } catch (error) {
    if (!(error instanceof AmiError) || error.code !== 'rejected') throw error;
    return /no active conferences/i.test(error.message) ? [] : 'missing';
  }
}
