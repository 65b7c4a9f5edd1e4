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
  return { dialled: await dialledForms(country), trunks, sure: surelyAtHome(country) };
}

/** What no table of a country says is known by the team's own number classes alone. */
const surelyAtHome = (_country: string | null): WayPlans['sure'] => [];
