import { rules } from './alphabets.js';
import { fail, type Star64Error } from './errors.js';

export { command } from './errors.js';

/** What can be named: each has one alphabet. */
export type Named = keyof typeof rules;

/** What is provisioned, as it is called on the command line. */
export type NounName = Exclude<
  Named,
  | 'queueNumber'
  | 'telephone'
  | 'endpoint'
  | 'country'
  | 'language'
  | 'sound'
  | 'hoursNumber'
  | 'musicClass'
  | 'prefix'
  | 'night'
  | 'caller'
  | 'emergency'
  | 'transport'
  | 'account'
  | 'fromUser'
  | 'domain'
  | 'codecs'
  | 'sipAnswers'
  | 'area'
  | 'outsidePrefix'
  | 'callKeys'
>;

const longestQuote = 60;

/** A value from outside, safe to show in one line of a message: control characters and marks that turn the line around escaped, cut when long. */
export function quoted(value: string): string {
  const cut = value.length > longestQuote ? `${value.slice(0, longestQuote)}…` : value;
  return JSON.stringify(cut).replace(
    /[\p{Cc}\p{Zl}\p{Zp}\u202a-\u202e\u2066-\u2069]/gu,
    (character) => `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`,
  );
}

/** The value, if it follows the pattern of its kind; otherwise a usage error with what to type instead. */
export function checkName(kind: Named, value: string): string {
  const { noun, what, pattern, rule, example, tidy } = rules[kind];
  if (pattern.test(value)) return value;
  const meant = tidy(value);
  const instead = pattern.test(meant) ? meant : example;
  throw fail('invalid_name', {
    noun,
    facts: { what, rule, instead },
    says: `${what} ${quoted(value)} is not allowed (${rule})`,
    remedy: { text: `type for example "${instead}"` },
  });
}

/** False for a string that nothing of this kind can be called, so that nobody need look for it. */
export const canBeName = (kind: Named, value: string): boolean => rules[kind].pattern.test(value);

/** The word for a kind of thing in messages: `feature code`. */
export const nounOf = (kind: Named): string => rules[kind].noun;

/** The error for a name that nothing answers to. */
export function unknown(kind: NounName, team: string | null, name: string): Star64Error {
  const where = kind === 'team' ? '' : team === null ? ' in the system' : ` in team ${team}`;
  return fail('unknown', {
    noun: kind,
    name,
    facts: { team },
    says: `${rules[kind].noun} ${quoted(name)} does not exist${where}`,
    remedy: {
      text: '{0} shows those that do',
      steps: [{ noun: kind, verb: 'list', ...(kind !== 'team' && { team }) }],
    },
  });
}

const longestText = 80;

/**
 * The name of a person, a team or a pause reason in any language: 1 to 80 characters, not only spaces. Refuses
 * control characters and line separators, which would end a line of a generated file or a protocol, and half
 * surrogate pairs, which the database cannot store as they are.
 */
export function checkText(what: string, value: string, example = 'Anna Berg'): string {
  const refuse = (rule: string, instead: string): Star64Error =>
    fail('invalid_text', {
      facts: { what, rule },
      says: `${what} ${quoted(value)} is not allowed (${rule})`,
      remedy: { text: `${instead}, for example "${example}"` },
    });
  if (/[\p{Cc}\p{Zl}\p{Zp}\p{Cs}]/u.test(value)) {
    throw refuse('no control characters or line breaks', 'type it in one line');
  }
  const length = Array.from(value).length;
  if (length > longestText || value.trim() === '') {
    throw refuse(`1 to ${longestText} characters`, 'type another');
  }
  return value;
}

/** One of a few words; otherwise a usage error that lists them. */
export function checkChoice<T extends string>(what: string, choices: readonly T[], value: string): T {
  const found = choices.find((choice) => choice === value);
  if (found === undefined) {
    throw fail('invalid_choice', {
      facts: { what, choices },
      says: `${what} ${quoted(value)} does not exist`,
      remedy: { text: `type one of ${choices.join(', ')}` },
    });
  }
  return found;
}

/** A whole number in a range, both ends included. */
export function checkWhole(what: string, range: { from: number; to: number }, value: number): number {
  if (!Number.isInteger(value) || value < range.from || value > range.to) {
    throw fail('invalid_number', {
      facts: { what, ...range },
      says: `${what} ${value} is not allowed`,
      remedy: { text: `type a whole number from ${range.from} to ${range.to}` },
    });
  }
  return value;
}
