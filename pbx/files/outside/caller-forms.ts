import { bare, numberPlan } from '../../../domain/telephone-numbers.js';

/** The endpoint of a trunk that a team can use, and whose caller numbers are proof enough. */
export interface TrustedTrunk {
  endpoint: string;
  country: string | null;
}

/** An agent's telephone as it calls in over a trunk. */
export interface CallerRow {
  endpoint: string;
  /** The caller's number without its +, which some networks leave out. */
  digits: string;
  /** Number of the extension. */
  extension: string;
}

/**
 * Every way in which the telephones of a team may show over its trusted trunks: those by which `callersExtension` knows
 * them and nobody else, for `*67` when no server answers. `telephones`: extensions by their telephone keys.
 */
export async function callersOf(
  trunks: readonly TrustedTrunk[],
  telephones: ReadonlyMap<string, string>,
): Promise<CallerRow[]> {
  const callers: CallerRow[] = [];
  for (const { endpoint, country } of trunks) {
    const plan = await numberPlan(country);
    for (const [key, extension] of telephones) {
      const kept = plan.canonical(key);
      // Read in the country of this trunk it is another number, as which nobody calls.
      if (bare(kept) !== key) continue;
      const forms = new Set([key, ...plan.forms(kept).map(bare)]);
      for (const digits of forms) callers.push({ endpoint, digits, extension });
    }
  }
  return callers;
}
