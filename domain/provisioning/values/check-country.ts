import { fail } from '../../errors.js';
import { quoted, type NounName } from '../../names.js';
import { isCountry } from '../../telephone-numbers.js';

/** Refuses a country that there is not. @throws Star64Error `invalid_choice` */
export async function checkCountry(owner: { noun: NounName; name: string }, country: string): Promise<void> {
  if (await isCountry(country)) return;
  throw fail('invalid_choice', {
    ...owner,
    facts: { what: 'country', country },
    says: `country ${quoted(country)} does not exist`,
    remedy: { text: 'type the code that ISO 3166 gives it, for example DE' },
  });
}
