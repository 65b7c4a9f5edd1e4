import { fail } from './errors.js';
import { quoted } from './names.js';
import { bare, type NumberPlan } from './telephone-numbers.js';

/**
 * Numbers that are named together: one (`+4930600100`), those from one to another of the same length
 * (`+4930600100..+4930600199`), or all that begin alike, that beginning itself among them (`+49306002*`).
 */
export type NumberPattern =
  | { readonly is: 'one'; readonly number: string }
  | { readonly is: 'range'; readonly first: string; readonly last: string }
  | { readonly is: 'prefix'; readonly prefix: string };

/** Each number of a range is an extension of the dialplan, in all its written forms. */
export const longestRange = 1000;

/** So many digits has the longest number of the public network (E.164). */
export const longestNumber = 15;

/** Reads what follows the alphabet of patterns; the two ends of a range are written alike, with a + or without. */
export function readPattern(written: string): NumberPattern {
  if (written.endsWith('*')) return { is: 'prefix', prefix: written.slice(0, -1) };
  const [first = '', last] = written.split('..');
  if (last === undefined) return { is: 'one', number: written };
  return { is: 'range', first, last: first.startsWith('+') ? `+${bare(last)}` : bare(last) };
}

/** As people type and read it. */
export function writePattern(pattern: NumberPattern): string {
  switch (pattern.is) {
    case 'one':
      return pattern.number;
    case 'range':
      return `${pattern.first}..${pattern.last}`;
    case 'prefix':
      return `${pattern.prefix}*`;
  }
}

/** Whether a number is among them; a + in front says nothing. */
export function covers(pattern: NumberPattern, number: string): boolean {
  const digits = bare(number);
  switch (pattern.is) {
    case 'one':
      return bare(pattern.number) === digits;
    case 'range': {
      const [first, last] = [bare(pattern.first), bare(pattern.last)];
      return digits.length === first.length && first <= digits && digits <= last;
    }
    case 'prefix':
      return digits.startsWith(bare(pattern.prefix));
  }
}

/**
 * Which of two that cover a number is nearer to it: negative for the first. One number before a range, a range before a
 * beginning; of ranges the shorter, of beginnings the longer.
 */
export function byNearness(a: NumberPattern, b: NumberPattern): number {
  const kinds = ['one', 'range', 'prefix'];
  if (a.is === 'range' && b.is === 'range') return Number(sizeOf(a) - sizeOf(b));
  if (a.is === 'prefix' && b.is === 'prefix') return bare(b.prefix).length - bare(a.prefix).length;
  return kinds.indexOf(a.is) - kinds.indexOf(b.is);
}

/** Every number of a range, first to last. */
export function numbersOf({ first, last }: { first: string; last: string }): string[] {
  const digits = bare(first);
  const plus = first.slice(0, first.length - digits.length);
  return Array.from(
    { length: Number(sizeOf({ first, last })) },
    (_, index) => plus + String(BigInt(digits) + BigInt(index)).padStart(digits.length, '0'),
  );
}

const sizeOf = ({ first, last }: { first: string; last: string }): bigint =>
  BigInt(bare(last)) - BigInt(bare(first)) + 1n;

/** The pattern as it was typed, if it means anything; otherwise a usage error that says what does. */
export function checkPattern(what: string, typed: string, most = longestRange): string {
  const pattern = readPattern(typed);
  const refuse = (rule: string, instead: string): never => {
    throw fail('invalid_name', {
      facts: { what, rule, instead },
      says: `${what} ${quoted(typed)} is not allowed (${rule})`,
      remedy: { text: `type for example "${instead}"` },
    });
  };
  if (pattern.is === 'range') {
    if (bare(pattern.first).length !== bare(pattern.last).length)
      refuse('a range goes from one number to another of as many digits', '+4930600100..+4930600199');
    const size = sizeOf(pattern);
    if (size < 2n) refuse('a range goes from a smaller number to a larger one', '+4930600100..+4930600199');
    if (Number(size) > most) {
      // The digits that both ends have in common are the beginning of all of them.
      const [first, last] = [pattern.first, pattern.last];
      let same = 0;
      while (first[same] === last[same]) same++;
      refuse(`a range has at most ${most} numbers`, `${first.slice(0, same)}*`);
    }
  }
  if (pattern.is === 'prefix' && bare(pattern.prefix).length >= longestNumber)
    refuse(`a beginning has at most ${longestNumber - 1} digits`, '+49306002*');
  return writePattern(pattern);
}

/** A pattern in the form in which numbers are kept, as far as the plan can tell; else as it was written. */
export function canonicalPattern(plan: NumberPlan, written: string): string {
  const pattern = readPattern(written);
  switch (pattern.is) {
    case 'one':
      return plan.canonical(written);
    case 'range': {
      const kept = { first: plan.canonical(pattern.first), last: plan.canonical(pattern.last) };
      const alike =
        kept.first.startsWith('+') === kept.last.startsWith('+') &&
        bare(kept.first).length === bare(kept.last).length &&
        sizeOf(kept) === sizeOf(pattern);
      return writePattern(alike ? { is: 'range', ...kept } : pattern);
    }
    case 'prefix':
      return `${completed(plan, pattern.prefix)?.prefix ?? pattern.prefix}*`;
  }
}

/** The other written forms of a beginning, as `forms` of a plan are of a number. */
export function prefixForms(plan: NumberPlan, prefix: string): string[] {
  return completed(plan, prefix)?.forms ?? [prefix.startsWith('+') ? bare(prefix) : `+${prefix}`];
}

/**
 * A beginning is in no plan, a whole number is: so it is completed until the plan knows it, and what was added is taken
 * away again. Undefined where no such number is valid, or what is dialled for it is made in another way.
 */
function completed(plan: NumberPlan, prefix: string): { prefix: string; forms: string[] } | undefined {
  for (let length = 1; bare(prefix).length + length <= longestNumber + 3; length++) {
    for (const digit of '120569') {
      const rest = digit.repeat(length);
      const number = plan.canonical(prefix + rest);
      if (!number.startsWith('+') || !number.endsWith(rest)) continue;
      const forms = plan.forms(number);
      // A number that was typed with a + and that no plan knows has one other form.
      if (forms.length < 2 && number === prefix + rest) continue;
      if (!forms.every((form) => form.endsWith(rest))) continue;
      return { prefix: number.slice(0, -length), forms: forms.map((form) => form.slice(0, -length)) };
    }
  }
  return undefined;
}
