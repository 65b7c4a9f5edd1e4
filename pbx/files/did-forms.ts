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
  const plans = new Map<string | null, (number: string) => string[]>();
  const countries = new Set(dids.flatMap(({ countries }) => countries));
  for (const country of [null, ...countries]) plans.set(country, byBlocks(await numberPlan(country)));
  const formsIn = (country: string | null, number: string): string[] => plans.get(country)?.(number) ?? [];
  const written = dids.map(({ number, countries }) => {
    if (countries.length < 2) return formsIn(countries[0] ?? null, number);
    return [...new Set(countries.flatMap((country) => formsIn(country, number)))].sort(byLook);
  });
  const holders = new Set(dids.map(({ number }) => number));
  const contested = new Set<string>();
  for (const forms of written) {
    for (const form of forms) {
      if (holders.has(form)) contested.add(form);
      holders.add(form);
    }
  }
  if (contested.size === 0) return written;
  return written.map((forms) => forms.filter((form) => !contested.has(form)));
}

/** Numbers are handed out in blocks. Those that differ in the last two digits are written alike, and read once. */
function byBlocks(plan: NumberPlan): (number: string) => string[] {
  const blocks = new Map<string, string[]>();
  return (number) => {
    const [head, tail] = [number.slice(0, -2), number.slice(-2)];
    const known = blocks.get(head);
    if (known) return known.map((form) => form + tail);
    const forms = plan.forms(number);
    // The short numbers between two machines are no blocks of a plan.
    if (number.startsWith('+') && head.length > 6 && forms.every((form) => form.endsWith(tail)))
      blocks.set(
        head,
        forms.map((form) => form.slice(0, -2)),
      );
    return forms;
  };
}

/** The same order whatever that of the trunks: without a + first, then by length. */
const byLook = (a: string, b: string): number => bare(a).length - bare(b).length || (a < b ? -1 : 1);
