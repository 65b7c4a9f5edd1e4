import type { Queryable } from '../database/pool.js';
import type { Destination, DestinationKind } from '../destination.js';
import { readOpenings, type Opening, type Tell } from './opening.js';
import { numberPlan } from '../telephone-numbers.js';
import { DidIndex } from './did-index.js';

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

/**
 * Answers "where does this DID lead" from memory, so that a call is routed in no time and also while PostgreSQL is
 * away. Whoever hears of a change in provisioning calls `load` again; until then the last known answer stands.
 */
export class Routing {
  /** The DIDs of each team. */
  #byTeam = new Map<string, DidIndex<Destination>>();
  /** Identity of each team that has DIDs, by its id: a team may get another identity. */
  #identities = new Map<number, string>();
  /** By team, of those that have hours. */
  #openings = new Map<string, Opening>();
  /** Of each trunk that has one, by its endpoint. */
  #countries = new Map<string, string>();

  constructor(
    private readonly db: Queryable,
    /** The Asterisk whose teams are answered for. */
    private readonly node: string,
  ) {}

  /** Reads every DID, or those of these teams. On failure the old answers stay. */
  async load(teamIds?: readonly number[]): Promise<void> {
    const query = this.db('dids as d')
      .join('teams as t', 't.id', 'd.team_id')
      .join('destination_targets as p', (on) =>
        on.on('p.from_did_id', 'd.id').on('p.slot', this.db.raw(`'to'`)),
      )
      .where('t.node', this.node)
      .select<{ teamId: number; team: string; did: string; kind: DestinationKind; name: string }[]>(
        't.id as teamId',
        't.identity as team',
        'd.number as did',
        'p.kind',
        'p.name',
      );
    const rows = await (teamIds === undefined ? query : query.whereIn('d.team_id', teamIds));
    const openings = await readOpenings(this.db, this.node, teamIds);
    const trunks = await this.db('trunks')
      .whereNotNull('country')
      .select<{ endpoint: string; country: string }[]>('endpoint', 'country');
    this.#countries = new Map(trunks.map(({ endpoint, country }) => [endpoint, country]));
    // Without a pause in between: no question comes while a team has no answers.
    for (const id of teamIds ?? [...this.#identities.keys()]) {
      this.#byTeam.delete(this.#identities.get(id) ?? '');
      this.#openings.delete(this.#identities.get(id) ?? '');
      this.#identities.delete(id);
    }
    for (const { teamId, team, did, ...destination } of rows) {
      const dids = this.#byTeam.get(team) ?? new DidIndex<Destination>();
      dids.add(did, destination);
      this.#byTeam.set(team, dids);
      this.#identities.set(teamId, team);
      const opening = openings.get(teamId);
      if (opening) this.#openings.set(team, opening);
    }
  }

  /**
   * Where a call for a DID comes to, at this moment unless said (milliseconds since 1970), past all hours on its way;
   * `tell` is told of these. Undefined: the team has no such DID, with a + or without.
   */
  find(team: string, did: string, instant = Date.now(), tell?: Tell): Destination | undefined {
    const found = this.#byTeam.get(team)?.find(did);
    if (!found) return undefined;
    return this.#openings.get(team)?.follow(found.did, found.value, instant, tell) ?? found.value;
  }

  /** Whose DID a number is that came over a trunk, by the trunk's own way of writing it; undefined: nobody's. */
  async findOnTrunk(
    endpoint: string,
    written: string,
  ): Promise<{ team: string; did: string; destination: Destination } | undefined> {
    const plan = await numberPlan(this.#countries.get(endpoint) ?? null);
    const number = plan.canonical(written);
    for (const [team, dids] of this.#byTeam) {
      const found = dids.find(number);
      if (!found) continue;
      const destination = this.#openings.get(team)?.follow(found.did, found.value, Date.now()) ?? found.value;
      return { team, did: found.number, destination };
    }
    return undefined;
  }
}
