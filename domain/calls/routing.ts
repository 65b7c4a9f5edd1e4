import type { Queryable } from '../database/pool.js';
import type { Feature } from '../provisioning/feature-code.js';

/** Where the calls of a DID go: an agent group, an extension or a feature of the same team. */
export interface Destination {
  group: string | null;
  extension: string | null;
  feature: Feature | null;
}

/** The place of a destination in the generated dialplan: context, extension, priority. */
export function destinationOf(team: string, { group, extension, feature }: Destination): string {
  if (group !== null) return `${team}-groups,${group},1`;
  if (extension !== null) return `${team}-numbers,${extension},1`;
  return `${team}-dial-in,${feature ?? ''},1`;
}

/**
 * Answers "where does this DID lead" from memory, so that a call is routed in no time and also while PostgreSQL is
 * away. Whoever hears of a change in provisioning calls `load` again; until then the last known answer stands.
 */
export class Routing {
  #byDid = new Map<string, Destination>();

  constructor(private readonly db: Queryable) {}

  /** Reads every DID. On failure the old answers stay. */
  async load(): Promise<void> {
    const rows = await this.db('dids as d')
      .join('teams as t', 't.id', 'd.team_id')
      .leftJoin('agent_groups as g', 'g.id', 'd.group_id')
      .leftJoin('extensions as x', 'x.id', 'd.extension_id')
      .select<({ team: string; did: string } & Destination)[]>(
        't.identity as team',
        'd.number as did',
        'g.name as group',
        'x.number as extension',
        'd.feature',
      );
    this.#byDid = new Map(rows.map(({ team, did, ...destination }) => [`${team} ${did}`, destination]));
  }

  /** Undefined: the team has no such DID. */
  find(team: string, did: string): Destination | undefined {
    return this.#byDid.get(`${team} ${did}`);
  }
}
