import t from 'tap';
import type { CountryCode } from 'libphonenumber-js/max';
import { getCountries, getCountryCallingCode } from 'libphonenumber-js/max';
import { diallingPlan } from '../../domain/dialling-plan.js';
import { after, isNothing, readDigitLanguage } from '../../domain/digit-language.js';
import { nationalBeginnings } from '../../domain/national-beginnings.js';

/** The same numbers every time. */
function digitsOf(seed: number): (count: number) => string {
  let state = seed;
  const one = (): number => (state = (state * 1_103_515_245 + 12_345) % 2_147_483_648) / 2_147_483_648;
  return (count) => Array.from({ length: count }, () => Math.floor(one() * 10)).join('');
}

const matcher = (beginnings: readonly string[]): RegExp => new RegExp(`^(?:${beginnings.join('|')})`);

await t.test('a number that costs more is in no open beginning, by the library itself', async (t) => {
  for (const country of ['DE', 'FR', 'GB', 'US', 'ES', 'AT', 'CA']) {
    const { open, national, mobile, closed } = await nationalBeginnings(country);
    const { read } = await diallingPlan(country);
    const code = getCountryCallingCode(country as CountryCode);
    const [isOpen, isMobile, isClosed] = [matcher(open), matcher(mobile), matcher(closed)];
    const random = digitsOf(country.charCodeAt(0) * 256 + country.charCodeAt(1));
    let [valid, letOut] = [0, 0];
    const wrong: string[] = [];
    const look = (number: string): void => {
      const found = read(`+${code}${number}`, null);
      if (!found) return;
      if (isOpen.test(number) === isClosed.test(number)) wrong.push(`${number} is both, or neither`);
      if (
        isOpen.test(number) &&
        (found.class === 'international' || /premium-rate|share|personal|pager/.test(found.why))
      )
        wrong.push(`${number}: ${found.why}`);
      if (found.class === 'mobile' && isOpen.test(number) && !isMobile.test(number))
        wrong.push(`${number} is mobile, and open as a national number`);
      if (found.class === 'national' || found.class === 'mobile') {
        valid++;
        if (isOpen.test(number)) letOut++;
      }
    };
    const lengths = country === 'DE' || country === 'AT' ? [6, 7, 8, 9, 10, 11, 12] : [9, 10];
    // Every beginning of four digits, and a few numbers of each.
    for (let beginning = 0; beginning < 10_000; beginning++)
      for (const length of lengths) look(String(beginning).padStart(4, '0') + random(length - 4));
    t.same(wrong.slice(0, 5), [], country);
    // Where countries share a code (United Kingdom, Canada), what both have stays closed.
    t.ok(valid > 400 && letOut / valid > 0.7, `${country}: ${letOut} of ${valid} that may go out do`);
    t.ok(national.length > 0 && open.length < 100, `${country}: ${open.length} beginnings`);
  }
  t.equal((await nationalBeginnings('DE')).closed.includes('180'), true, 'shared cost');
});

await t.test('a country that nobody knows is closed, and every known one can be derived', async (t) => {
  t.same((await nationalBeginnings('XX')).open, []);
  for (const country of getCountries()) {
    const { open } = await nationalBeginnings(country);
    t.ok(open.length <= 150, `${country}: ${open.length}`);
    t.equal(
      open.every((one) => /^[0-9]*(\[[0-9-]+\]|[0-9])$/.test(one)),
      true,
      country,
    );
  }
});

await t.test('what is left of a pattern behind some digits', (t) => {
  const left = (pattern: string, beginning: string): boolean =>
    !isNothing(Array.from(beginning).reduce(after, readDigitLanguage(pattern)));
  for (const [pattern, beginning, can] of [
    ['1(?:6[023]|7\\d)\\d{2}', '160', true],
    ['1(?:6[023]|7\\d)\\d{2}', '161', false],
    ['1(?:6[023]|7\\d)\\d{2}', '17999', true],
    ['1(?:6[023]|7\\d)\\d{2}', '179999', false],
    ['(?:12|3)?4', '4', true],
    ['(?:12|3)?4', '34', true],
    ['(?:12|3)?4', '14', false],
    ['[2-46-9]{2,3}', '5', false],
    ['[2-46-9]{2,3}', '2345', false],
    ['0*1+', '0001111', true],
    ['0*1+', '10', false],
  ] as const)
    t.equal(left(pattern, beginning), can, `${pattern} ${beginning}`);
  for (const strange of ['(?!1)2', '1$', '[^1]', '1(2', 'a', '1)', '\\w'])
    t.throws(() => readDigitLanguage(strange), strange);
  t.end();
});
