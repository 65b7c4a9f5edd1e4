import type { Queryable } from '../../database/pool.js';
import type { Destination } from '../../destination.js';
import type { HoursState } from './hours.js';
import type { Tell } from './opening.js';
import { numberPlan, type NumberPlan } from '../../telephone-numbers.js';
import { readTeamRoutes, type InboundCall, type Route, type TeamRoutes } from './team-routes.js';

/** The context, extension and priority of a destination in the generated dialplan. */
export function placeOf(team: string, { kind, name }: Destination): string {
  switch (kind) {
    case 'extension':
      return `${team}-numbers,${name},1`;
    case 'hangup':
      return `star64-hangup,${name},1`;
    case 'feature':
      return `${team}-dial-in,${name},1`;
    case 'hours':
    case 'outside':
      return `${team}-${kind},${name},1`;
    default:
      return `${team}-${kind}s,${name},1`;
  }
}

/** A trunk, as far as it matters for a call that comes over it. */
interface Trunk {
  readonly name: string;
  /** Whose national numbers it writes; undefined: not known. */
  readonly plan: NumberPlan | undefined;
  /** The team that takes calls for numbers that no team has; null: none. */
  readonly unknownTeam: string | null;
}

/**
 * Answers "where does this call go" from memory, so that a call is routed in no time and also while PostgreSQL is
 * away. Whoever hears of a change in provisioning calls `load` again; until then the last known answer stands.
 */
export class Routing {
  /** By its identity. */
  #teams = new Map<string, TeamRoutes>();
  /** By its endpoint. */
  #trunks = new Map<string, Trunk>();

  constructor(
    private readonly db: Queryable,
    /** The Asterisk whose teams are answered for. */
    private readonly node: string,
  ) {}

  /** Reads all teams, or these. On failure the old answers stay. */
  async load(teamIds?: readonly number[]): Promise<void> {
    const teams = await readTeamRoutes(this.db, this.node, teamIds);
    const trunks = await readTrunks(this.db);
    // Without a pause in between: no question comes while a team has no answers. A team may have got another identity.
    for (const [team, { id }] of this.#teams) {
      if (teamIds === undefined || teamIds.includes(id)) this.#teams.delete(team);
    }
    for (const one of teams) this.#teams.set(one.team, one);
    this.#trunks = trunks;
  }

  /**
   * Where a call for a number of a team goes, past all hours on its way; `tell` is told of each step. Undefined: no DID of
   * the team has the number, with a + or without.
   */
  route(team: string, call: InboundCall, tell?: Tell): Route | undefined {
    return this.#teams.get(team)?.route(this.#withPlan(call), tell);
  }

  /** The same without anything known of the caller, at this moment unless said. */
  find(team: string, number: string, instant?: number, tell?: Tell): Destination | undefined {
    return this.route(team, { number, instant }, tell)?.destination;
  }

  /** Where a call goes whose number is as its trunk writes it, whichever team has it; undefined: none. */
  routeOnTrunk(written: InboundCall, tell?: Tell): Route | undefined {
    const call = this.#withPlan(written);
    const number = call.plan?.canonical(call.number) ?? call.number;
    for (const team of this.#teams.values()) {
      const route = team.route({ ...call, number }, tell);
      if (route) return route;
    }
    tell?.(`no team has ${number}`);
    return undefined;
  }

  /** Where a call goes whose number no team has; undefined: it is refused. */
  routeUnknown(call: InboundCall, tell?: Tell): Route | undefined {
    const trunk = this.#trunks.get(call.endpoint ?? '');
    if (!trunk) {
      tell?.('it comes over no trunk that star64 knows: it is refused');
      return undefined;
    }
    if (trunk.unknownTeam === null) {
      tell?.(`trunk ${trunk.name} is for every team, and none takes such calls (trunk set --unknown-team)`);
      return undefined;
    }
    return this.#teams.get(trunk.unknownTeam)?.unknown(this.#withPlan(call), tell);
  }

  /** The DID of a team that has a number, as it is kept; undefined: none. */
  did(team: string, number: string): string | undefined {
    return this.#teams.get(team)?.dids.find(number)?.did;
  }

  /** The state of hours of a team at an instant; undefined: it has none of that name. */
  hours(team: string, name: string, instant: number): HoursState | undefined {
    return this.#teams.get(team)?.opening?.stateOf(name, instant);
  }

  #withPlan(call: InboundCall): InboundCall {
    return { ...call, plan: this.#trunks.get(call.endpoint ?? '')?.plan };
  }
}

async function readTrunks(db: Queryable): Promise<Map<string, Trunk>> {
  const { rows } = await db.raw<{
    rows: { name: string; endpoint: string; country: string | null; unknownTeam: string | null }[];
  }>(
    `select k.name, k.endpoint, k.country, coalesce(o.identity, u.identity) as "unknownTeam" from trunks k
     left join teams o on o.id = k.team_id left join teams u on u.id = k.unknown_team_id`,
  );
  const trunks = new Map<string, Trunk>();
  for (const { name, endpoint, country, unknownTeam } of rows) {
    const plan = country === null ? undefined : await numberPlan(country);
    trunks.set(endpoint, { name, plan, unknownTeam });
  }
  return trunks;
}
