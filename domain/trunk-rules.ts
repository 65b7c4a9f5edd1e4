import { fail } from './errors.js';
import { quoted } from './names.js';

/** What a trunk group does with numbers that begin so, in the form in which numbers are kept: `+49…`. */
export interface TrunkRule {
  /** Empty: every number. */
  readonly beginning: string;
  readonly refused: boolean;
  /** Characters that are taken away in front, a + included. */
  readonly strip: number;
  /** What is put there then. */
  readonly added: string;
}

/** What becomes of a number in a trunk group. */
export type Ruled =
  | { readonly refused: true }
  /** `sent`: as it is sent over every trunk of the group; undefined: in the format of each trunk. */
  | { readonly refused: false; readonly sent: string | undefined };

/** The rule that holds for a number: of those that it begins with the one with the longest beginning. */
export const ruleFor = (rules: readonly TrunkRule[], number: string): TrunkRule | undefined =>
  rules
    .filter(({ beginning }) => number.startsWith(beginning))
    .sort((a, b) => b.beginning.length - a.beginning.length)[0];

/** Applies the one rule that holds. A number for which there is none is let through in the format of each trunk. */
export function applyRules(rules: readonly TrunkRule[], number: string): Ruled {
  const rule = ruleFor(rules, number);
  if (rule?.refused) return { refused: true };
  if (!rule || (rule.strip === 0 && rule.added === '')) return { refused: false, sent: undefined };
  return { refused: false, sent: `${rule.added}${number.slice(rule.strip)}` };
}

const form =
  /^(?<beginning>[*]|[+]?[0-9]{1,15}) +(?:(?<word>allow|refuse)|(?:strip +(?<strip>[0-9]{1,2}))?(?: *\badd +(?<added>[+]?[0-9]{1,15}))?)$/;

/** Reads a rule as it was typed: `+1900 refuse`, `* allow`, `+49 strip 3 add 0`. @throws Star64Error `invalid_rule` */
export function parseTrunkRule(typed: string): TrunkRule {
  const { beginning, word, strip, added } = form.exec(typed.trim())?.groups ?? {};
  const refused = (why: string) =>
    fail('invalid_rule', {
      noun: 'trunk-group',
      facts: { rule: typed },
      says: `rule ${quoted(typed)} of a trunk group is not allowed (${why})`,
      remedy: { text: 'type for example "+1900 refuse", "* allow" or "+49 strip 3 add 0"' },
    });
  if (beginning === undefined || (word ?? strip ?? added) === undefined)
    throw refused('a beginning or * for every number, then allow, refuse, strip <number> or add <digits>');
  const characters = Number(strip ?? 0);
  if (characters > 20) throw refused('strip takes 20 characters away at most');
  return {
    beginning: beginning === '*' ? '' : beginning,
    refused: word === 'refuse',
    strip: characters,
    added: added ?? '',
  };
}

/** A rule in the one way in which it is shown. */
export function writeTrunkRule({ beginning, refused, strip, added }: TrunkRule): string {
  const changes = [...(strip > 0 ? [`strip ${strip}`] : []), ...(added === '' ? [] : [`add ${added}`])];
  const done = refused ? 'refuse' : changes.length === 0 ? 'allow' : changes.join(' ');
  return `${beginning === '' ? '*' : beginning} ${done}`;
}

/** A rule as typed; returns it in the one way in which it is shown. */
export const checkTrunkRule = (line: string): string => writeTrunkRule(parseTrunkRule(line));
