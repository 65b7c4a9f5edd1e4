import type { Queryable } from '../../../domain/database/pool.js';
import type { Destination, DestinationKind } from '../../../domain/destination.js';

/** Where the calls of one thing go next, by slot. */
export type Slots = Readonly<Record<string, Destination>>;

export interface AnnouncementRow {
  name: string;
  sound: string;
  times: number;
  slots: Slots;
}
export interface MenuRow {
  name: string;
  sound: string;
  seconds: number;
  tries: number;
  slots: Slots;
}

interface SlotRow {
  team: string;
  owner: string;
  slot: string;
  kind: DestinationKind;
  name: string;
}

/** The slots of everything on a node but its DIDs, by `<team> <kind>:<name>`; of a team itself by `<team> team:<identity>`. */
export async function readSlots(trx: Queryable, node: string): Promise<Map<string, Slots>> {
  const { rows } = await trx.raw<{ rows: SlotRow[] }>(
    `select t.identity as team, d.owner, d.slot, d.kind, d.name
     from destination_targets d join teams t on t.id = d.team_id
     where t.node = :node and d.from_did_id is null`,
    { node },
  );
  const found = new Map<string, Record<string, Destination>>();
  for (const { team, owner, slot, kind, name } of rows) {
    const key = `${team} ${owner}`;
    const slots = found.get(key) ?? {};
    slots[slot] = { kind, name };
    found.set(key, slots);
  }
  return found;
}
