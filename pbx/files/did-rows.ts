import {
  byNearness,
  longestNumber,
  numbersOf,
  prefixForms,
  readPattern,
} from '../../domain/number-pattern.js';
import { bare } from '../../domain/telephone-numbers.js';
import { formsOf } from './did-forms.js';
import type { Slots } from './slots.js';

export interface DidRow {
  number: string;
  slots: Slots;
  /** Other ways in which a trunk may write it. */
  forms: string[];
  /** Those of them that no other team's number has. */
  formsForAll: string[];
}

/** The DIDs of a team as the database has them, by how many numbers they are. */
export interface Spread {
  /** One number each. */
  dids: DidRow[];
  /** All numbers that begin alike; `number` is how they begin. */
  prefixes: DidRow[];
}

/**
 * A range as its numbers, each with the slots of the range: a pattern would match numbers beyond its ends. A number that is a
 * DID of its own, or lies in a shorter range, too, goes there.
 */
export function spread(dids: readonly DidRow[]): Spread {
  const read = dids.map((did) => ({ did, pattern: readPattern(did.number) }));
  const own = new Set(read.flatMap(({ did, pattern }) => (pattern.is === 'one' ? [bare(did.number)] : [])));
  const ranges = read
    .filter(({ pattern }) => pattern.is === 'range')
    .sort((a, b) => byNearness(a.pattern, b.pattern));
  const numbers = new Map<DidRow, DidRow[]>();
  for (const { did, pattern } of ranges) {
    if (pattern.is !== 'range') continue;
    const free = numbersOf(pattern).filter((number) => !own.has(bare(number)));
    for (const number of free) own.add(bare(number));
    numbers.set(
      did,
      free.map((number) => ({ ...did, number })),
    );
  }
  return {
    dids: read.flatMap(({ did, pattern }) => (pattern.is === 'one' ? [did] : (numbers.get(did) ?? []))),
    prefixes: read.flatMap(({ did, pattern }) =>
      pattern.is === 'prefix' ? [{ ...did, number: pattern.prefix }] : [],
    ),
  };
}

/** Gives each DID of an Asterisk its other written forms; ranges and beginnings are told apart before. */
export async function writeForms(
  teams: readonly ({ identity: string } & Spread)[],
  countries: ReadonlyMap<string, string[]>,
): Promise<void> {
  for (const team of teams) Object.assign(team, spread(team.dids));
  const all = (of: keyof Spread) =>
    teams.flatMap((team) =>
      team[of].map((did) => ({
        did,
        team: team.identity,
        number: did.number,
        countries: countries.get(team.identity) ?? [],
      })),
    );
  const [dids, prefixes] = [all('dids'), all('prefixes')];
  for (const [rows, forms] of [
    [dids, await formsOf(dids)],
    [prefixes, await formsOf(prefixes, (plan) => (prefix) => prefixForms(plan, prefix))],
  ] as const) {
    for (const [index, { did }] of rows.entries()) {
      did.forms = forms[index]?.inTeam ?? [];
      did.formsForAll = forms[index]?.forAll ?? [];
    }
  }
}

/** As many `X` as a number that begins so can have further digits, from none on. */
export const restsOf = (prefix: string): string[] =>
  Array.from({ length: longestNumber - bare(prefix).length + 1 }, (_, length) => 'X'.repeat(length));
