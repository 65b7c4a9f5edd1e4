import type { Changes } from '../fields/description.js';
import type { Queryable } from '../../database/pool.js';
import { canonicalPattern, checkPattern, readPattern } from '../../number-pattern.js';
import { bare } from '../../telephone-numbers.js';
import { homePlan } from '../values/home-plan.js';
import { did } from '../nouns/did.js';
import { operationsOf } from '../operations/operations.js';

export type DidChanges = Changes<typeof did>;

/**
 * A number of the public network, or many, kept in the one form that the plan of the team's country gives it: a number
 * belongs to one team only, and leads to exactly one place.
 */
export const dids = operationsOf(did, {
  check: ({ name, verb }) => {
    if (verb === 'add') checkPattern('DID', name);
  },
  named: async (db, { teamId }, typed, verb) => {
    const kept = canonicalPattern(await homePlan(db, teamId ?? 0), typed);
    if (verb === 'add') return kept;
    // Of a range both ends are written alike.
    const written = readPattern(typed).is === 'range' ? checkPattern('DID', typed) : typed;
    const { rows } = await db.raw<{ rows: { number: string }[] }>(
      `select number from dids where team_id = ? and ltrim(number, '+') = any(?) order by number = ? desc limit 1`,
      [teamId, [bare(written), bare(kept)], written],
    );
    return rows[0]?.number ?? typed;
  },
});

export type Did = Awaited<ReturnType<typeof dids.show>>;

export const addDid = (
  db: Queryable,
  team: string,
  { number, ...to }: { number: string } & DidChanges,
): Promise<Did> => dids.add(db, team, number, to);
export const listDids = dids.list;
export const showDid = dids.show;
export const setDid = dids.set;
export const removeDid = dids.remove;
