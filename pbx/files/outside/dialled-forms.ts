import type { CountryCode } from 'libphonenumber-js/max';
import { bare } from '../../../domain/telephone-numbers.js';

/** What a pattern of the dialplan matches, and how that becomes a number: so many characters are left out, and others added. */
export interface DialledPattern {
  pattern: string;
  added: string;
  strip: string;
}

/** How numbers are dialled in a country, as far as the dialplan alone can tell. */
export interface DialledForms {
  /** Its calling code, 49; undefined: no country is known. */
  code: string | undefined;
  /** What is dialled before an area code: 0; empty: nothing. */
  trunkPrefix: string;
  /** What is dialled before a number of another country: 00. */
  beforeAbroad: string;
  /** What may be dialled before a short number as if it were one of another country: +49 and 0049. */
  withCountry: readonly string[];
  /** A beginning of numbers, as people type it, in the form in which numbers are kept. */
  beginning: (typed: string) => string;
  /** What phones dial, and the number that it is. `area`: before a number without an area code. */
  patterns: (area: string | null) => DialledPattern[];
}

/** What libphonenumber knows of a country; these methods are not in its types. */
interface Tables {
  IDDPrefix(): string;
  nationalPrefix(): string | 0 | undefined;
}

const asItIs: DialledPattern = { pattern: '_+X.', added: '', strip: '0' };

/** The forms of a country, ISO 3166. Without one only whole numbers with a + are known. */
export async function dialledForms(country: string | null): Promise<DialledForms> {
  if (country === null)
    return {
      code: undefined,
      trunkPrefix: '',
      beforeAbroad: '00',
      withCountry: [],
      beginning: (typed) => typed,
      patterns: () => [asItIs],
    };
  const { Metadata, getCountryCallingCode } = await import('libphonenumber-js/max');
  const metadata = new Metadata();
  metadata.selectNumberingPlan(country as CountryCode);
  const tables = metadata.numberingPlan as unknown as Tables;
  const code = getCountryCallingCode(country as CountryCode);
  const trunkPrefix = tables.nationalPrefix() || '';
  // Where each carrier has one of its own, phones dial a +.
  const abroad = /^[0-9]+$/.exec(tables.IDDPrefix())?.[0];
  return {
    code,
    trunkPrefix,
    beforeAbroad: abroad ?? '00',
    withCountry: [`+${code}`, ...(abroad === undefined ? [] : [abroad + code])],
    beginning: (typed) => {
      if (typed.startsWith('+')) return typed;
      if (abroad !== undefined && typed.startsWith(abroad)) return `+${typed.slice(abroad.length)}`;
      const rest = trunkPrefix !== '' && typed.startsWith(trunkPrefix) ? typed.slice(trunkPrefix.length) : '';
      return rest === '' ? typed : `+${code}${rest}`;
    },
    patterns: (area) => [
      asItIs,
      ...(abroad === undefined
        ? []
        : [{ pattern: `_${abroad}X.`, added: '+', strip: String(abroad.length) }]),
      ...atHome(code, trunkPrefix, area),
    ],
  };
}

/** A number of the country itself. One that begins as short numbers do, or is as short, is left to the server. */
function atHome(code: string, trunkPrefix: string, area: string | null): DialledPattern[] {
  const whole = `+${code}`;
  // Nothing is dialled before an area code, as in Spain, or the calling code itself, as in the United States.
  if (trunkPrefix === '')
    return ['_0XXXXX.', '_NXXXXX.'].map((pattern) => ({ pattern, added: whole, strip: '0' }));
  const found =
    trunkPrefix === code
      ? [
          { pattern: `_${code}XXXXXX.`, added: '+', strip: '0' },
          { pattern: '_NXXXXXXXXX', added: whole, strip: '0' },
        ]
      : [{ pattern: `_${trunkPrefix}ZX.`, added: whole, strip: String(trunkPrefix.length) }];
  if (area === null) return found;
  const length = trunkPrefix === code ? '_NXXXXXX' : '_NXXX.';
  return [...found, { pattern: length, added: whole + bare(area), strip: '0' }];
}
