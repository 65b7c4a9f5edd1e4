import type { Queryable } from '../../database/pool.js';
import { withDatabaseErrors } from '../../database/sql-errors.js';
import { writeDestination } from '../../destination.js';
import { checkName } from '../../names.js';
import { homePlan } from '../../provisioning/values/home-plan.js';
import { trunk as trunkNoun } from '../../provisioning/nouns/trunk.js';
import { requireRow } from '../../provisioning/values/rows.js';
import { scopeOf } from '../../provisioning/values/scope.js';
import type { Binding } from './call-conditions.js';
import { placeOf, Routing } from './routing.js';
import type { InboundCall, Route } from './team-routes.js';

/** A call that nobody makes. */
export interface ImaginedCall {
  number: string;
  from?: string | undefined;
  /** A moment, or a time on the wall of the team's zone; now, unless said. */
  at?: string | undefined;
  /** The name of a trunk. */
  trunk?: string | undefined;
}

/** Where it would go, and why. */
export interface ExplainedRoute {
  /** As it is kept. */
  number: string;
  /** Whose it is; null: it is refused. */
  team: string | null;
  did: string | null;
  rule: string | null;
  destination: string | null;
  /** Its place in the generated dialplan. */
  place: string | null;
  binding: Pick<Binding, 'name' | 'application' | 'link'> | null;
  /** What decides, in words, one after the other. */
  steps: string[];
}

/** Where a call would go, by the functions that a call itself is routed by. */
export function explainRoute(
  db: Queryable,
  team: string,
  { number: typed, from, at, trunk }: ImaginedCall,
): Promise<ExplainedRoute> {
  return withDatabaseErrors(async () => {
    const scope = await scopeOf(db, team);
    const home = await db('teams')
      .where({ identity: team })
      .first<{ node: string; timeZone: string }>('node', 'time_zone as timeZone');
    const endpoint =
      trunk === undefined
        ? null
        : String((await requireRow(db, trunkNoun, scope, trunk, { orSystem: true }))['endpoint']);
    const instant = at === undefined ? undefined : (await import('./hours.js')).instantAt(at, home.timeZone);
    const routing = new Routing(db, home.node);
    await routing.load();
    const dialled = checkName('telephone', typed);
    // Over a trunk it is read as the trunk writes it, else as people of the team write it.
    const number = trunk === undefined ? (await homePlan(db, scope.teamId ?? 0)).canonical(dialled) : dialled;
    const call: InboundCall = { number, caller: from ?? null, endpoint, instant };
    const steps: string[] = [];
    const tell = (step: string): void => void steps.push(step);
    const route =
      (trunk === undefined && routing.route(team, call, tell)) ||
      (routing.routeOnTrunk(call, tell) ?? routing.routeUnknown(call, tell));
    return explained(number, route, steps);
  });
}

function explained(number: string, route: Route | undefined, steps: string[]): ExplainedRoute {
  if (!route) {
    const nothing = { team: null, did: null, rule: null, destination: null, place: null, binding: null };
    return { number, ...nothing, steps: [...steps, 'the call is refused (404) and counted: did unknown'] };
  }
  const { team, did, rule, destination, binding } = route;
  const to = writeDestination(destination);
  const kept = binding && { name: binding.name, application: binding.application, link: binding.link };
  return {
    number: route.number,
    team,
    did,
    rule,
    destination: to,
    place: placeOf(team, destination),
    binding: kept,
    steps: [...steps, `the call goes to ${to}`],
  };
}
