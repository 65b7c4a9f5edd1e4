import { bare, numberPlan, type NumberPlan } from '../../domain/telephone-numbers.js';

/** A DID of a team, and the countries of the trunks that the team can use. */
interface Did {
  number: string;
  countries: readonly string[];
}

/**
 * The other written forms in which a call may come for each of the DIDs of an Asterisk. A form that two of them have, as
 * 030600100 in Germany and in Austria, is left out for both: no file can tell them apart. As it is kept, each is found.
 */
export async function formsOf(dids: readonly Did[]): Promise<string[][]> {
  const plans = new Map<string, NumberPlan>();
  for (const country of new Set(dids.flatMap(({ countries }) => countries)))
    plans.set(country, await numberPlan(country));
  const noPlan = await numberPlan(null);
  const written = dids.map(({ number, countries }) => {
    const forms = countries.flatMap((country) => plans.get(country)?.forms(number) ?? []);
    if (countries.length === 0) return noPlan.forms(number);
    return countries.length === 1 ? forms : [...new Set(forms)].sort(byLook);
  });
  const holders = new Set(dids.map(({ number }) => number));
  const contested = new Set<string>();
  for (const form of written.flat()) {
    if (holders.has(form)) contested.add(form);
    holders.add(form);
  }
  if (contested.size === 0) return written;
  return written.map((forms) => forms.filter((form) => !contested.has(form)));
}

/** The same order whatever that of the trunks: without a + first, then by length. */
const byLook = (a: string, b: string): number => bare(a).length - bare(b).length || (a < b ? -1 : 1);
