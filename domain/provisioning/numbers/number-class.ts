import type { Changes } from '../fields/description.js';
import type { Queryable } from '../../database/pool.js';
import { diallingPlan } from '../../dialling-plan.js';
import { homeCountry } from '../values/home-plan.js';
import { numberClass } from '../nouns/number-class.js';
import { operationsOf } from '../operations/operations.js';

export type NumberClassChanges = Changes<typeof numberClass>;

/** Beginnings of numbers, kept as numbers are, as far as the country of the team is known: 0180 is +49180. */
export const numberClassesOf = operationsOf(numberClass, {
  named: async (db, { teamId }, typed, verb) => {
    const kept = (await diallingPlan(await homeCountry(db, teamId ?? 0))).beginning(typed);
    if (verb === 'add' || kept === typed) return kept;
    // One that was added before the country was known is kept as it was typed.
    const rows = await db('number_classes')
      .where({ team_id: teamId })
      .whereIn('beginning', [typed, kept])
      .select<{ beginning: string }[]>('beginning');
    return rows.some(({ beginning }) => beginning === typed) ? typed : kept;
  },
});

export type NumberClassRow = Awaited<ReturnType<typeof numberClassesOf.show>>;

export const addNumberClass = (
  db: Queryable,
  team: string,
  { beginning, ...values }: { beginning: string } & NumberClassChanges,
): Promise<NumberClassRow> => numberClassesOf.add(db, team, beginning, values);
