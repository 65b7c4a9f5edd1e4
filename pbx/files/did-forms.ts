import { bare, numberPlan, type NumberPlan } from '../../domain/telephone-numbers.js';

/** A DID of a team, and the countries of the trunks that the team can use. */
interface Did {
  team: string;
  number: string;
  countries: readonly string[];
}

/** The other written forms of a DID, as they lead to it in the context of its team, and in the one of all teams. */
interface Forms {
  inTeam: string[];
  forAll: string[];
}

/**
 * The other written forms in which a call may come for each of the DIDs of an Asterisk. A form that two of them have, as
 * 030600100 in Germany and in Austria, is left out for both where both are found: no file can tell them apart. As it is
 * kept, each is found. `formsBy`: how a plan writes what each begins with, where it is more than one number.
 */
export async function formsOf(
  dids: readonly Did[],
  formsBy: (plan: NumberPlan) => (number: string) => string[] = byBlocks,
): Promise<Forms[]> {
  const plans = new Map<string | null, (number: string) => string[]>();
  const countries = new Set(dids.flatMap(({ countries }) => countries));
  for (const country of [null, ...countries]) plans.set(country, formsBy(await numberPlan(country)));
  const formsIn = (country: string | null, number: string): string[] => plans.get(country)?.(number) ?? [];
  const written = dids.map(({ countries, number }) => {
    if (countries.length < 2) return formsIn(countries[0] ?? null, number);
    return [...new Set(countries.flatMap((country) => formsIn(country, number)))].sort(byLook);
  });
  const ofAll = contested(dids.map(({ number }, index) => [number, ...(written[index] ?? [])]));
  if (ofAll.size === 0) return written.map((forms) => ({ inTeam: forms, forAll: forms }));
  const byTeam = new Map<string, string[][]>();
  for (const [index, { team, number }] of dids.entries()) {
    const names = byTeam.get(team) ?? [];
    names.push([number, ...(written[index] ?? [])]);
    byTeam.set(team, names);
  }
  const ofTeam = new Map([...byTeam].map(([team, all]) => [team, contested(all)]));
  return written.map((forms, index) => ({
    inTeam: forms.filter((form) => !ofTeam.get(dids[index]?.team ?? '')?.has(form)),
    forAll: forms.filter((form) => !ofAll.has(form)),
  }));
}

/** What two DIDs are called; the first name of each is the one that it is kept as. */
function contested(names: readonly (readonly string[])[]): ReadonlySet<string> {
  const holders = new Set(names.map(([kept = '']) => kept));
  const twice = new Set<string>();
  for (const [, ...forms] of names) {
    for (const form of forms) {
      if (holders.has(form)) twice.add(form);
      holders.add(form);
    }
  }
  return twice;
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
