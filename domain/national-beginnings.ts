import { after, digits, isNothing, readDigitLanguage, type DigitLanguage } from './digit-language.js';

/**
 * With which digits numbers of a country begin that are surely of a class, without the 0 before them: `30`, `17[0-9]`, a
 * digit or a set of digits as Asterisk's patterns have them. What is in none of them is to stay closed.
 */
export interface NationalBeginnings {
  readonly national: readonly string[];
  /** Also where mobile and other numbers begin alike. */
  readonly mobile: readonly string[];
  /** Both. */
  readonly open: readonly string[];
  /** All others: premium rate, shared cost, special, of another country of the same code, and what nobody has. */
  readonly closed: readonly string[];
}

/** What libphonenumber knows of a country; these methods are not in its types. */
interface Tables {
  selectNumberingPlan(country: string): void;
  getCountryCodesForCallingCode(code: string): string[] | undefined;
  readonly numberingPlan: {
    callingCode(): string;
    type(type: string): { pattern(): string | undefined } | undefined;
  };
}

const nationalTypes = ['FIXED_LINE', 'VOIP', 'TOLL_FREE', 'UAN', 'VOICEMAIL'];
const mobileTypes = ['MOBILE'];
const closedTypes = ['PREMIUM_RATE', 'SHARED_COST', 'PERSONAL_NUMBER', 'PAGER'];

/** The longest beginnings that are looked at: what is mixed behind them is closed. Shorter ones where there would be too many. */
const longest = [6, 5, 4, 3];
const most = 150;

type Label = 'national' | 'mobile' | 'closed';
const labels: readonly Label[] = ['national', 'mobile', 'closed'];

/** What can still match, by what it would be. */
type Left = Readonly<Record<Label, DigitLanguage[]>>;

const known = new Map<string, Promise<NationalBeginnings>>();
const allClosed: NationalBeginnings = { national: [], mobile: [], open: [], closed: ['[0-9]'] };

/**
 * Which beginnings of numbers are surely national or mobile in a country, for who has nobody to ask. Derived from the
 * patterns of libphonenumber, which are not tried out but followed digit by digit; a pattern that is not understood closes
 * everything.
 */
export function nationalBeginnings(country: string): Promise<NationalBeginnings> {
  const found = known.get(country) ?? derive(country);
  known.set(country, found);
  return found;
}

async function derive(country: string): Promise<NationalBeginnings> {
  const { Metadata, isSupportedCountry } = await import('libphonenumber-js/max');
  if (!isSupportedCountry(country)) return allClosed;
  const tables = new Metadata() as unknown as Tables;
  const languagesOf = (of: string, types: readonly string[]): DigitLanguage[] => {
    tables.selectNumberingPlan(of);
    return types.flatMap((type) => {
      const pattern = tables.numberingPlan.type(type)?.pattern();
      return pattern === undefined || pattern === '' ? [] : [readDigitLanguage(pattern)];
    });
  };
  tables.selectNumberingPlan(country);
  const code = tables.numberingPlan.callingCode();
  const others = (tables.getCountryCodesForCallingCode(code) ?? []).filter((other) => other !== country);
  try {
    const left: Left = {
      national: languagesOf(country, nationalTypes),
      mobile: languagesOf(country, mobileTypes),
      closed: [
        ...languagesOf(country, closedTypes),
        ...others.flatMap((other) => languagesOf(other, [...nationalTypes, ...mobileTypes, ...closedTypes])),
      ],
    };
    // Where countries share a code, an area code that nobody has today may be another country's tomorrow.
    const exact = others.length > 0 ? 3 : 2;
    const found = longest.map((length) => written(tree(left, '', { exact, longest: length })));
    return found.find(({ open }) => open.length <= most) ?? allClosed;
  } catch {
    return allClosed;
  }
}

/** All numbers that begin so are of one class; or it depends on the next digit. */
type Tree = Label | readonly Tree[];

/** `exact`: so many digits of a beginning must be in use. */
function tree(left: Left, beginning: string, limits: { exact: number; longest: number }): Tree {
  const can = labels.filter((label) => left[label].length > 0);
  const [only, ...more] = can;
  if (only === undefined || (only === 'closed' && more.length === 0)) return 'closed';
  const mixed = more.length > 0;
  if (mixed && beginning.length >= limits.longest) return can.includes('closed') ? 'closed' : 'mobile';
  if (!mixed && beginning.length >= limits.exact) return only;
  const children = digits.map((digit) => {
    const next = (label: Label): DigitLanguage[] =>
      left[label].map((one) => after(one, digit)).filter((one) => !isNothing(one));
    return tree(
      { national: next('national'), mobile: next('mobile'), closed: next('closed') },
      beginning + digit,
      limits,
    );
  });
  const [first] = children;
  return typeof first === 'string' && children.every((child) => child === first) ? first : children;
}

function written(whole: Tree): NationalBeginnings {
  const found: Record<Label, string[]> = { national: [], mobile: [], closed: [] };
  const collect = (children: readonly Tree[], beginning: string): void => {
    for (const label of labels) {
      const of = digits.filter((_digit, at) => children[at] === label);
      if (of.length > 0) found[label].push(beginning + setOf(of));
    }
    for (const [digit, child] of children.entries())
      if (typeof child !== 'string') collect(child, `${beginning}${digit}`);
  };
  collect(typeof whole === 'string' ? digits.map(() => whole) : whole, '');
  const { national, mobile, closed } = found;
  return { national, mobile, open: [...national, ...mobile], closed };
}

/** Digits as a pattern of Asterisk has them: `3`, `[2-57]`. */
function setOf(of: readonly string[]): string {
  if (of.length === 1) return of.join('');
  const ranges: [first: string, last: string][] = [];
  for (const digit of of) {
    const last = ranges.at(-1);
    if (last && Number(digit) === Number(last[1]) + 1) last[1] = digit;
    else ranges.push([digit, digit]);
  }
  const written = ranges.map(([first, last]) =>
    first === last ? first : Number(last) === Number(first) + 1 ? first + last : `${first}-${last}`,
  );
  return `[${written.join('')}]`;
}
