import { nationalBeginnings } from '../../../domain/national-beginnings.js';
import { dialledForms, type DialledForms } from './dialled-forms.js';
import type { WayPlans } from './ways.js';
import type { WayRow, WaysRow } from './ways-rows.js';

/** What the ways of a team need of countries: see `WayPlans`. */
export async function wayPlans({ country, way, payers }: WaysRow): Promise<WayPlans> {
  const all = [way, ...payers.flatMap(({ userGroups }) => userGroups.map((group) => group.way))];
  const countries = new Set(
    all
      .filter((one): one is WayRow => one !== null)
      .flatMap(({ trunks }) => trunks.map((trunk) => trunk.country)),
  );
  const trunks = new Map<string | null, DialledForms>();
  for (const one of countries) trunks.set(one, await dialledForms(one));
  const dialled = await dialledForms(country);
  return { dialled, trunks, sure: country === null ? [] : await surelyAtHome(country, dialled) };
}

/** What is open by the tables of the country; a set of digits, as in 17[0-5], as a beginning for each. */
async function surelyAtHome(country: string, { code }: DialledForms): Promise<WayPlans['sure']> {
  const { national, mobile } = await nationalBeginnings(country);
  const whole = (digits: string): string => `+${code ?? ''}${digits}`;
  return [
    ...national.flatMap(eachDigit).map((one) => ({ beginning: whole(one), class: 'national' })),
    ...mobile.flatMap(eachDigit).map((one) => ({ beginning: whole(one), class: 'mobile' })),
  ];
}

function eachDigit(beginning: string): string[] {
  const [, before = '', set] = /^([0-9]*)\[([0-9-]+)\]$/.exec(beginning) ?? [];
  if (set === undefined) return [beginning];
  if (set === '0-9' && before !== '') return [before];
  return '0 1 2 3 4 5 6 7 8 9'
    .split(' ')
    .filter((digit) => new RegExp(`[${set}]`).test(digit))
    .map((digit) => before + digit);
}
