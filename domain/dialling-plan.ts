import type { CountryCode, PhoneNumber } from 'libphonenumber-js/max';
import type { NumberClass } from './number-classes.js';
import { longestNumber } from './number-pattern.js';
import { bare } from './telephone-numbers.js';

/** How a trunk is sent numbers: +4930…; 4930…; 004930…; or as its country dials them, 030… at home. */
export const numberFormats = ['e164', 'plain', 'international', 'national'] as const;
export type NumberFormat = (typeof numberFormats)[number];

/** What was dialled, read in a country. */
export interface DialledNumber {
  /** With a + and its country; a short number, such as 115, and one that no country is known for, as it was dialled. */
  readonly number: string;
  /** With what a team's own beginnings are compared beside the number: where nobody dials a 0, without the country. */
  readonly also: string | null;
  /** By the tables. */
  readonly class: NumberClass;
  /** Why, in words. */
  readonly why: string;
}

/** How numbers are dialled in a country. */
export interface DiallingPlan {
  /** ISO 3166; null: no country is known. */
  readonly country: string | null;
  /**
   * Reads what a phone dialled behind its outside prefix. `area` is put before a number without area code. Undefined: it
   * cannot be a number, or has no area code where the team has none either.
   */
  readonly read: (dialled: string, area: string | null) => DialledNumber | undefined;
  /** What was dialled, with a + where it begins as a number with its country does: 0049112 is +49112. */
  readonly withPlus: (dialled: string) => string;
  /** A beginning of numbers, as people type it, in the form of the numbers that `read` returns: 0900 is +49900. */
  readonly beginning: (typed: string) => string;
  /** A number as it is sent in this country. */
  readonly written: (number: string, format: NumberFormat) => string;
}

/** What libphonenumber knows of a country; these methods are not in its types. */
interface NumberingPlan {
  IDDPrefix(): string;
  /** 0 where nothing is dialled before an area code. */
  nationalPrefix(): string | 0 | undefined;
}

/** Whoever is not called by mistake: 116000 to 116123 are free of charge in all of Europe (Decision 2007/116/EC). */
const europeanHelp = /^116[0-9]{3}$/;

const noPlan: DiallingPlan = {
  country: null,
  read: (dialled) =>
    /^[+]?[0-9]{2,20}$/.test(dialled)
      ? {
          number: dialled,
          also: null,
          class: 'premium',
          why: 'the country is not known in which it was dialled',
        }
      : undefined,
  withPlus: (dialled) => dialled,
  beginning: (typed) => typed,
  written: (number, format) => inFormat(number, format, '00'),
};

const plans = new Map<string, DiallingPlan>();

/**
 * The dialling plan of a country by libphonenumber, whose tables are loaded when they are first needed. Without a country
 * numbers are as they were dialled, and all premium: of none is known what it costs.
 */
export async function diallingPlan(country: string | null): Promise<DiallingPlan> {
  if (country === null) return noPlan;
  const known = plans.get(country);
  if (known) return known;
  const { parsePhoneNumberFromString, Metadata, getCountryCallingCode } =
    await import('libphonenumber-js/max');
  const here = country as CountryCode;
  const parse = (written: string): PhoneNumber | undefined =>
    parsePhoneNumberFromString(written, { extract: false });
  const metadata = new Metadata();
  metadata.selectNumberingPlan(here);
  const tables = metadata.numberingPlan as unknown as NumberingPlan;
  const plan = planOf({
    country,
    code: getCountryCallingCode(here),
    idd: new RegExp(`^(?:${tables.IDDPrefix()})(?=[1-9])`),
    trunkPrefix: tables.nationalPrefix() || '',
    home: (dialled) => parsePhoneNumberFromString(dialled, { defaultCountry: here, extract: false }),
    parse,
    beforeAbroad: beforeAbroad(parse, here),
  });
  plans.set(country, plan);
  return plan;
}

interface Country {
  readonly country: string;
  /** Its calling code: 49. */
  readonly code: string;
  /** What is dialled before a number of another country. */
  readonly idd: RegExp;
  readonly beforeAbroad: string;
  /** What is dialled before an area code: 0; empty: nothing. */
  readonly trunkPrefix: string;
  readonly home: (dialled: string) => PhoneNumber | undefined;
  readonly parse: (written: string) => PhoneNumber | undefined;
}

function planOf(of: Country): DiallingPlan {
  const { country, code, idd, trunkPrefix, beforeAbroad } = of;
  // Where nothing is dialled before an area code (Spain, Italy), or the calling code (United States), a number is whole without.
  const alwaysWhole = trunkPrefix === '' || trunkPrefix === code;
  const known = (parsed: PhoneNumber | undefined): DialledNumber | undefined => {
    if (!parsed || bare(parsed.number).length > longestNumber) return undefined;
    const also = alwaysWhole && parsed.countryCallingCode === code ? parsed.nationalNumber : null;
    return { number: parsed.number, also, ...classOf(parsed, country) };
  };
  const valid = (parsed: PhoneNumber | undefined): DialledNumber | undefined =>
    parsed?.isValid() ? known(parsed) : undefined;
  const short = (dialled: string): DialledNumber =>
    europeanHelp.test(dialled) && /^[34]/.test(code)
      ? { number: dialled, also: null, class: 'national', why: 'help that is free of charge in Europe' }
      : { number: dialled, also: null, class: 'premium', why: 'a short number, of unknown price' };

  const withoutPrefix = (dialled: string, area: string | null): DialledNumber | undefined => {
    // As trunks show who has called: 4930…. No number of an area is as long as that.
    const shown =
      dialled.startsWith(code) && dialled.length > 10 ? valid(of.parse(`+${dialled}`)) : undefined;
    const local = area === null ? undefined : of.parse(`+${code}${area}${dialled}`);
    const whole = alwaysWhole ? of.parse(`+${code}${dialled}`) : undefined;
    const found = shown ?? valid(whole) ?? valid(local);
    if (found) return found;
    if (dialled.length <= 6) return short(dialled);
    return known(local ?? whole);
  };

  const withPlus = (dialled: string): string => dialled.replace(idd, '+');

  return {
    country,
    withPlus,
    read: (dialled, area) => {
      if (!/^[+]?[0-9]{2,20}$/.test(dialled)) return undefined;
      if (dialled.startsWith('+')) return known(of.parse(dialled));
      // No subscriber's number begins so, and none is as short: 115, 1450, 11833, 116117.
      if (dialled.length <= 3 || /^(1[0-9]{3}|11[0-9]{3,4})$/.test(dialled)) return short(dialled);
      const beyond = withPlus(dialled);
      if (beyond !== dialled) return known(of.parse(beyond));
      if (trunkPrefix !== '' && dialled.startsWith(trunkPrefix)) return known(of.home(dialled));
      return withoutPrefix(dialled, area);
    },
    beginning: (typed) => {
      if (typed.startsWith('+')) return typed;
      const beyond = withPlus(typed);
      if (beyond !== typed) return beyond;
      // 112 begins with the prefix of the United States, and is short.
      const rest = trunkPrefix !== '' && typed.startsWith(trunkPrefix) ? typed.slice(trunkPrefix.length) : '';
      return rest === '' || (trunkPrefix === code && typed.length <= 3) ? typed : `+${code}${rest}`;
    },
    written: (number, format) => {
      if (format !== 'national' || !number.startsWith('+')) return inFormat(number, format, beforeAbroad);
      const parsed = of.parse(number);
      const home = parsed?.countryCallingCode === code;
      const forms = home
        ? [parsed.formatNational().replace(/[^0-9]/g, ''), trunkPrefix + parsed.nationalNumber]
        : [];
      // Of a number that the tables do not know, the national form may be another number, or lack what is dialled before it.
      const form = forms.find(
        (one) => of.home(one)?.number === number && (alwaysWhole || one.startsWith(trunkPrefix)),
      );
      return form ?? inFormat(number, 'international', beforeAbroad);
    },
  };
}

function inFormat(number: string, format: NumberFormat, beforeAbroad: string): string {
  if (!number.startsWith('+')) return number;
  switch (format) {
    case 'e164':
      return number;
    case 'plain':
      return bare(number);
    default:
      return beforeAbroad + bare(number);
  }
}

/** What is dialled in a country before a number of another one: 00, 011. Some have one for each carrier, and no usual one. */
function beforeAbroad(parse: (written: string) => PhoneNumber | undefined, here: CountryCode): string {
  for (const number of ['12125550100', '493012345678']) {
    // Nothing for a country without a usual way.
    const formatted: string | undefined = parse(`+${number}`)?.format('IDD', { fromCountry: here });
    const dialled = formatted?.replace(/[^0-9]/g, '') ?? '';
    if (dialled.endsWith(number) && dialled !== number) return dialled.slice(0, -number.length);
  }
  return '00';
}

/** Numbers that cost more than a call does, wherever they are. */
const costly: Partial<Record<string, string>> = {
  PREMIUM_RATE: 'a premium-rate number',
  SHARED_COST: 'a number of which caller and called share the cost',
  PERSONAL_NUMBER: 'a personal number',
  PAGER: 'a pager',
};

/** Parts of a country that have a code of their own, and cost no more. Others do: Jersey, the islands of +1. */
const atHome: Readonly<Partial<Record<string, readonly string[]>>> = {
  IT: ['VA'],
  VA: ['IT'],
  FI: ['AX'],
  AX: ['FI'],
  NO: ['SJ'],
  SJ: ['NO'],
};

function classOf(parsed: PhoneNumber, home: string): { readonly class: NumberClass; readonly why: string } {
  const type = parsed.getType();
  if (!parsed.isValid() || type === undefined)
    return { class: 'premium', why: 'the numbering plan knows no such number' };
  const cost = costly[type];
  if (cost !== undefined) return { class: 'premium', why: cost };
  const { country } = parsed;
  if (country === undefined) {
    return type === 'TOLL_FREE'
      ? { class: 'international', why: 'a toll-free number of no country' }
      : { class: 'premium', why: 'a number of no country: of a satellite, or of an international network' };
  }
  if (country !== home && !(atHome[home] ?? []).includes(country))
    return { class: 'international', why: `a number of ${country}` };
  return type === 'MOBILE'
    ? { class: 'mobile', why: `a mobile number of ${country}` }
    : { class: 'national', why: `a number of ${country}` };
}
