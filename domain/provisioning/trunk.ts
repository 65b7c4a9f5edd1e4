import type { Changes } from './description.js';
import type { Queryable } from '../database/pool.js';
import { trunk } from './nouns/trunk.js';
import { operationsOf } from './operations.js';

export type TrunkChanges = Changes<typeof trunk>;

/** A way to the public network. No caller number of one is trusted unless that is said. */
export const trunks = operationsOf(trunk);

export type Trunk = Awaited<ReturnType<typeof trunks.show>>;

export const addTrunk = (
  db: Queryable,
  team: string | null,
  { name, ...values }: { name: string } & TrunkChanges,
): Promise<Trunk> => trunks.add(db, team, name, values);
export const listTrunks = trunks.list;
export const showTrunk = trunks.show;
export const setTrunk = trunks.set;
export const removeTrunk = trunks.remove;
