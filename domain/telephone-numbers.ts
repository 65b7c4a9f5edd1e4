import type { CountryCode, PhoneNumber } from 'libphonenumber-js/max';

/** One number of the public network has many written forms: +4930600100, 4930600100, 004930600100, 030600100. */

/** By what two written forms are compared where no numbering plan is known: a + in front says nothing. */
export const bare = (written: string): string => written.replace(/^[+]/, '');

const fewestAlike = 6;

/** Whether two written forms may be one number, where no plan is known: one ends with the other, without what is dialled before it. */
export function areAlike(one: string, other: string): boolean {
  const [long, short] = [one, other]
    .map((written) => written.replace(/[^0-9]/g, '').replace(/^0+/, ''))
    .sort((a, b) => b.length - a.length) as [string, string];
  return long === short ? short !== '' : short.length >= fewestAlike && long.endsWith(short);
}

/** How numbers are written on a trunk. */
export interface NumberPlan {
  /**
   * The one form in which a number is kept: with a + and its country, where the plan knows it, else as it was written.
   * Short numbers between two machines, such as 600100, are in no plan.
   */
  canonical(written: string): string;
  /** The other forms in which a call for a number that is kept so may come. */
  forms(number: string): string[];
}

/** With the + and without: what holds on every trunk. */
const everywhere = (number: string): string => (number.startsWith('+') ? bare(number) : `+${number}`);

const noPlan: NumberPlan = { canonical: (written) => written, forms: (number) => [everywhere(number)] };

const plans = new Map<string, NumberPlan>();

/**
 * The plan of a country (ISO 3166, `DE`), by libphonenumber; null: none is known. Its tables are loaded when they are
 * first needed. Only a number that the tables call valid is read as one of the public network, so that a number of
 * another kind does not become one by chance.
 */
export async function numberPlan(country: string | null): Promise<NumberPlan> {
  if (country === null) return noPlan;
  const known = plans.get(country);
  if (known) return known;
  const { parsePhoneNumberFromString, getCountryCallingCode } = await import('libphonenumber-js/max');
  const here = country as CountryCode;
  const code = getCountryCallingCode(here);
  const options = { defaultCountry: here, extract: false };
  // Of what is dialled there for a number of another country, what comes before it: 00, 011. Some have one for each carrier.
  const abroad = ['+12125550100', '+493012345678'].flatMap((number) => {
    const dialled = parsePhoneNumberFromString(number)?.format('IDD', { fromCountry: here }) ?? '';
    const digits = dialled.replace(/[^0-9]/g, '');
    return digits.endsWith(bare(number)) && digits !== bare(number)
      ? [digits.slice(0, -bare(number).length)]
      : [];
  })[0];
  const parse = (written: string): PhoneNumber | undefined => parsePhoneNumberFromString(written, options);
  const read = (written: string): PhoneNumber | undefined => {
    const number = parse(written);
    return number?.isValid() ? number : undefined;
  };
  const forms = (number: string): string[] => {
    const parsed = read(number);
    if (parsed?.number !== number) return [everywhere(number)];
    const written = [bare(number)];
    const add = (form: string): void => {
      if (!written.includes(form) && parse(form)?.number === number) written.push(form);
    };
    if (abroad !== undefined) add(abroad + bare(number));
    // The national form of a number of another country is another number here.
    if (parsed.countryCallingCode === code) add(parsed.formatNational().replace(/[^0-9]/g, ''));
    return written;
  };
  const canonical = (written: string): string =>
    // Read with and without a +: the plan takes 4930600100 for a number of the country itself as well.
    [written, `+${bare(written)}`]
      .map((one) => read(one)?.number)
      .find((number) => number !== undefined && (number === written || forms(number).includes(written))) ??
    written;
  const plan = { canonical, forms };
  plans.set(country, plan);
  return plan;
}

/** What is dialled for a country (ISO 3166) from others, without a +: 49. */
export async function callingCode(country: string): Promise<string> {
  const { getCountryCallingCode } = await import('libphonenumber-js/max');
  return getCountryCallingCode(country as CountryCode);
}

/** Whether libphonenumber knows a country of this code. */
export async function isCountry(code: string): Promise<boolean> {
  const { isSupportedCountry } = await import('libphonenumber-js/max');
  return isSupportedCountry(code);
}
