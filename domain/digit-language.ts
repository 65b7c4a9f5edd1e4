/**
 * Regular expressions over digits, as the tables of libphonenumber have them, and what is left of one behind a beginning: its
 * derivative by a digit (Brzozowski). So it is known, and not tried out, whether any number that begins so can match.
 */
export type DigitLanguage =
  /** Nothing matches. */
  | { readonly is: 'nothing' }
  /** Only what is empty. */
  | { readonly is: 'end' }
  /** One of these digits. */
  | { readonly is: 'digit'; readonly of: ReadonlySet<string> }
  | { readonly is: 'both'; readonly first: DigitLanguage; readonly then: DigitLanguage }
  | { readonly is: 'either'; readonly of: readonly DigitLanguage[] }
  | { readonly is: 'repeated'; readonly what: DigitLanguage; readonly least: number; readonly most: number };

const nothing: DigitLanguage = { is: 'nothing' };
const end: DigitLanguage = { is: 'end' };
export const digits = Array.from('0123456789');

/** Whether no number at all matches. */
export const isNothing = (language: DigitLanguage): boolean => language.is === 'nothing';

/** What has to follow a digit so that both together match. */
export function after(language: DigitLanguage, digit: string): DigitLanguage {
  switch (language.is) {
    case 'nothing':
    case 'end':
      return nothing;
    case 'digit':
      return language.of.has(digit) ? end : nothing;
    case 'both': {
      const rest = both(after(language.first, digit), language.then);
      return matchesEmpty(language.first) ? either([rest, after(language.then, digit)]) : rest;
    }
    case 'either':
      return either(language.of.map((one) => after(one, digit)));
    case 'repeated':
      return both(
        after(language.what, digit),
        repeated(language.what, Math.max(0, language.least - 1), language.most - 1),
      );
  }
}

function matchesEmpty(language: DigitLanguage): boolean {
  switch (language.is) {
    case 'end':
      return true;
    case 'both':
      return matchesEmpty(language.first) && matchesEmpty(language.then);
    case 'either':
      return language.of.some(matchesEmpty);
    case 'repeated':
      return language.least === 0 || matchesEmpty(language.what);
    default:
      return false;
  }
}

function both(first: DigitLanguage, then: DigitLanguage): DigitLanguage {
  if (first.is === 'nothing' || then.is === 'nothing') return nothing;
  if (first.is === 'end') return then;
  return then.is === 'end' ? first : { is: 'both', first, then };
}

function either(of: readonly DigitLanguage[]): DigitLanguage {
  const [one, ...more] = of.filter((each) => each.is !== 'nothing');
  if (!one) return nothing;
  return more.length === 0 ? one : { is: 'either', of: [one, ...more] };
}

const repeated = (what: DigitLanguage, least: number, most: number): DigitLanguage =>
  most <= 0 ? end : { is: 'repeated', what, least, most };

/** Reads a pattern that matches a number as a whole. @throws for what is not of the few forms that the tables have. */
export function readDigitLanguage(pattern: string): DigitLanguage {
  let at = 0;
  const strange = (): Error =>
    new Error(`${pattern.slice(at, at + 20)} is not understood, at ${at} of ${pattern}`);
  const take = (text: string): boolean => {
    if (!pattern.startsWith(text, at)) return false;
    at += text.length;
    return true;
  };

  const alternatives = (): DigitLanguage => {
    const found = [sequence()];
    while (take('|')) found.push(sequence());
    return either(found);
  };
  const sequence = (): DigitLanguage => {
    let found = end;
    while (at < pattern.length && pattern[at] !== '|' && pattern[at] !== ')') found = both(found, counted());
    return found;
  };
  const counted = (): DigitLanguage => {
    const what = atom();
    if (take('?')) return repeated(what, 0, 1);
    if (take('*')) return repeated(what, 0, Infinity);
    if (take('+')) return repeated(what, 1, Infinity);
    const [whole, least = '', comma, most = ''] = /^\{([0-9]+)(,([0-9]*))?\}/.exec(pattern.slice(at)) ?? [];
    if (whole === undefined) return what;
    at += whole.length;
    const last = comma === undefined ? Number(least) : most === '' ? Infinity : Number(most);
    return repeated(what, Number(least), last);
  };
  const atom = (): DigitLanguage => {
    if (take('(?:') || (pattern[at] === '(' && pattern[at + 1] !== '?' && take('('))) {
      const inner = alternatives();
      if (!take(')')) throw strange();
      return inner;
    }
    if (take('\\d')) return { is: 'digit', of: new Set(digits) };
    const [whole, listed = ''] = /^\[((?:[0-9](?:-[0-9])?|\\d)+)\]/.exec(pattern.slice(at)) ?? [];
    if (whole !== undefined) {
      at += whole.length;
      return { is: 'digit', of: digitsIn(listed) };
    }
    const one = pattern[at] ?? '';
    if (!/^[0-9]$/.test(one)) throw strange();
    at += 1;
    return { is: 'digit', of: new Set([one]) };
  };

  const whole = alternatives();
  if (at < pattern.length) throw strange();
  return whole;
}

function digitsIn(listed: string): Set<string> {
  const found = new Set<string>();
  for (const [, any, first = '', last = first] of listed.matchAll(/(\\d)|([0-9])(?:-([0-9]))?/g))
    for (const digit of digits) if (any !== undefined || (digit >= first && digit <= last)) found.add(digit);
  return found;
}
