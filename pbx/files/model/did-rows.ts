import {
  byNearness,
  longestNumber,
  numbersOf,
  prefixForms,
  readPattern,
} from '../../../domain/number-pattern.js';
import { bare } from '../../../domain/telephone-numbers.js';
import { formsOf, type Forms } from './did-forms.js';
import type { Slots } from './slots.js';

export interface DidRow {
  number: string;
  hours: string | null;
  slots: Slots;
}

/** All numbers that begin alike, and the other ways in which a trunk may write that beginning. */
export interface PrefixRow extends DidRow, Forms {}

/** The DIDs of a team as the database has them, by how many numbers they are. */
export interface Spread {
  /** One number each. */
  dids: DidRow[];
  /** All numbers that begin alike; `number` is how they begin. */
  prefixes: PrefixRow[];
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
      pattern.is === 'prefix' ? [{ ...did, number: pattern.prefix, inTeam: [], forAll: [] }] : [],
    ),
  };
}

/** Tells ranges and beginnings of the teams of an Asterisk apart, and gives the beginnings their other written forms. */
export async function spreadAll(
  teams: readonly (Spread & { identity: string; countries: readonly string[] })[],
): Promise<void> {
  for (const team of teams) Object.assign(team, spread(team.dids));
  const holders = teams.map(({ identity, countries, prefixes: dids }) => ({ identity, countries, dids }));
  const forms = await formsOf(holders, (plan) => (prefix) => prefixForms(plan, prefix));
  for (const team of teams) {
    for (const prefix of team.prefixes) Object.assign(prefix, forms(team, prefix.number));
  }
}

/** As many `X` as a number that begins so can have further digits, from none on. */
export const restsOf = (prefix: string): string[] =>
  Array.from({ length: longestNumber - bare(prefix).length + 1 }, (_, length) => 'X'.repeat(length));
