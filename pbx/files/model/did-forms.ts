import { bare, numberPlan, type NumberPlan } from '../../../domain/telephone-numbers.js';

/** A team with its DIDs, and the countries of the trunks that it can use. */
interface Holder {
  identity: string;
  dids: readonly { number: string }[];
  countries: readonly string[];
}

/** The other written forms of a DID, as they lead to it in the context of its team, and in the one of all teams. */
export interface Forms {
  inTeam: string[];
  forAll: string[];
}

/**
 * Gives the other written forms in which a call may come for a DID of an Asterisk. A form that two of its DIDs have, as
 * 030600100 in Germany and in Austria, is left out for both where both are found: no file can tell them apart. As it is
 * kept, each is found. Forms are reckoned when they are asked for: those of all DIDs together need several times the room
 * of the DIDs. `formsBy`: how a plan writes them, where they are no whole numbers.
 */
export async function formsOf(
  teams: readonly Holder[],
  formsBy: (plan: NumberPlan) => (number: string) => string[] = byBlocks,
): Promise<(team: Pick<Holder, 'identity' | 'countries'>, number: string) => Forms> {
  const plans = new Map<string | null, (number: string) => string[]>();
  for (const country of [null, ...new Set(teams.flatMap(({ countries }) => countries))])
    plans.set(country, formsBy(await numberPlan(country)));
  const formsIn = (country: string | null, number: string): string[] => plans.get(country)?.(number) ?? [];
  const written = ({ countries }: Pick<Holder, 'countries'>, number: string): string[] => {
    if (countries.length < 2) return formsIn(countries[0] ?? null, number);
    return [...new Set(countries.flatMap((country) => formsIn(country, number)))].sort(byLook);
  };
  const { ofAll, ofTeam } = contested(teams, (team, number) => [number, ...written(team, number)]);
  return (team, number) => {
    const forms = written(team, number);
    if (ofAll.size === 0) return { inTeam: forms, forAll: forms };
    return {
      inTeam: forms.filter((form) => !ofTeam.get(team.identity)?.has(form)),
      forAll: forms.filter((form) => !ofAll.has(form)),
    };
  };
}

/** What two DIDs are called: of all teams, and of one. Of names that nobody else has, no more than a number is kept. */
function contested(teams: readonly Holder[], namesOf: (team: Holder, number: string) => string[]) {
  const prints: number[] = [];
  for (const team of teams) {
    for (const { number } of team.dids)
      for (const name of namesOf(team, number)) prints.push(fingerprint(name));
  }
  const likely = new Set<number>();
  const sorted = Int32Array.from(prints).sort();
  for (const [index, print] of sorted.entries()) if (print === sorted[index - 1]) likely.add(print);
  const names = new Map<string, string[]>();
  if (likely.size > 0) {
    for (const team of teams) {
      const own = team.dids
        .flatMap(({ number }) => namesOf(team, number))
        .filter((name) => likely.has(fingerprint(name)));
      if (own.length > 0) names.set(team.identity, own);
    }
  }
  return {
    ofAll: repeated([...names.values()].flat()),
    ofTeam: new Map([...names].map(([team, own]) => [team, repeated(own)])),
  };
}

function repeated(names: readonly string[]): ReadonlySet<string> {
  const [once, twice] = [new Set<string>(), new Set<string>()];
  for (const name of names) (once.has(name) ? twice : once).add(name);
  return twice;
}

/** The same for the same name, and seldom for two (FNV-1a). */
function fingerprint(name: string): number {
  let print = 0x811c9dc5;
  for (let index = 0; index < name.length; index++)
    print = Math.imul(print ^ name.charCodeAt(index), 0x01000193);
  return print;
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
