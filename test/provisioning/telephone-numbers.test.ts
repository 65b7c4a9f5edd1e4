import t from 'tap';
import { isCountry, numberPlan } from '../../domain/telephone-numbers.js';

/** A number as it is kept, and every form in which a trunk of the country may write it. */
const numbers: Record<string, readonly [country: string | null, kept: string, ...forms: string[]]> = {
  'with no country a + says nothing': [null, '4930600100', '+4930600100'],
  'a German one': ['DE', '+4930600100', '4930600100', '004930600100', '030600100'],
  'a mobile one': ['DE', '+4915112345678', '4915112345678', '004915112345678', '015112345678'],
  'a foreign one has no national form': ['DE', '+12125550100', '12125550100', '0012125550100'],
  'in America': ['US', '+12125550100', '12125550100', '01112125550100', '2125550100'],
  'in Spain, where a national number has no prefix': [
    'ES',
    '+34912345678',
    '34912345678',
    '0034912345678',
    '912345678',
  ],
  'in Italy, where the 0 belongs to it': [
    'IT',
    '+390612345678',
    '390612345678',
    '00390612345678',
    '0612345678',
  ],
  'in Hungary, where the prefix is 06': ['HU', '+3612345678', '3612345678', '003612345678', '0612345678'],
  'in Argentina, where a mobile changes its look': [
    'AR',
    '+5491123456789',
    '5491123456789',
    '005491123456789',
    '0111523456789',
  ],
  'a short number between two machines': ['DE', '600100', '+600100'],
  'one that looks like a local one': ['DE', '30600100', '+30600100'],
};
for (const [what, [country, kept, ...forms]] of Object.entries(numbers)) {
  await t.test(what, async (t) => {
    const plan = await numberPlan(country);
    t.same(plan.forms(kept), forms);
    t.equal(plan.canonical(kept), kept);
    if (kept.startsWith('+')) for (const form of forms) t.equal(plan.canonical(form), kept, form);
  });
}

await t.test('every country has a plan whose forms lead back to the number', async (t) => {
  const { getCountries, parsePhoneNumberFromString } = await import('libphonenumber-js/max');
  const { default: examples } = await import('libphonenumber-js/mobile/examples');
  let checked = 0;
  for (const country of getCountries()) {
    const plan = await numberPlan(country);
    const number = parsePhoneNumberFromString(examples[country], country)?.number;
    if (number === undefined) continue;
    checked++;
    for (const form of plan.forms(number)) t.equal(plan.canonical(form), number, `${country} ${form}`);
  }
  t.ok(checked > 200, `${checked} countries`);
});

await t.test('a country is one of ISO 3166', async (t) => {
  t.equal(await isCountry('DE'), true);
  t.equal(await isCountry('XX'), false);
  t.equal(await isCountry('toString'), false);
});
