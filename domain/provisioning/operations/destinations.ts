import type { Queryable } from '../../database/pool.js';
import {
  parseDestination,
  writeDestination,
  type Destination,
  type DestinationKind,
} from '../../destination.js';
import { fail } from '../../errors.js';
import { nounOf, type NounName } from '../../names.js';
import type { Noun } from '../fields/description.js';
import { destinationFeatures } from '../nouns/feature-code.js';
import { refuseOwnNumber } from '../values/own-number.js';
import { removalPending } from '../values/removal-pending.js';
import { requireReferred } from '../values/rows.js';
import type { Scope } from '../values/scope.js';
import { destinationFields, ownerColumn, slotOf, targetColumn } from '../fields/slots.js';

/** Writes the destinations that a thing was given; null takes one away. Refuses one that would go in a circle. */
export async function changeDestinations(
  trx: Queryable,
  noun: Noun,
  scope: Scope,
  own: { id: number; name: string },
  given: Readonly<Record<string, unknown>>,
): Promise<void> {
  const owner = ownerColumn(noun.noun);
  const changed = destinationFields(noun).filter(([key]) => given[key] !== undefined);
  if (changed.length === 0) return;
  // Nothing leads to a DID, a rule or a team. Of everything else one at a time: two edges may only make a circle together.
  const inWay = noun.noun !== 'did' && noun.noun !== 'did-rule' && noun.noun !== 'team';
  if (inWay) await trx.raw('select from teams where id = ? for no key update', [scope.teamId]);
  for (const [key, field] of changed) {
    const slot = slotOf(key, field);
    await trx('destinations')
      .where({ [owner]: own.id, slot })
      .delete();
    const typed = given[key] as string | null;
    if (typed === null) continue;
    const destination = parseDestination(slot, typed, destinationFeatures);
    await trx('destinations').insert({
      team_id: scope.teamId,
      [owner]: own.id,
      slot,
      [targetColumn(destination.kind)]: await targetOf(trx, scope, destination, {
        noun: noun.noun,
        name: own.name,
      }),
    });
  }
  if (inWay) await refuseCircle(trx, scope, noun.noun, own.name);
}

/** What the column of a destination holds: the id of a thing, kept from removal, or the word itself. */
async function targetOf(
  trx: Queryable,
  scope: Scope,
  { kind, name }: Destination,
  owner: { noun: NounName; name: string },
): Promise<number | string> {
  if (kind === 'outside') await refuseOwnNumber(trx, scope, owner, name);
  if (kind === 'outside' || kind === 'hangup' || kind === 'feature') return name;
  const row = await requireReferred(trx, kind, scope, name);
  if (row['leaving_since']) throw removalPending(scope.team, name);
  return row.id;
}

/** An edge between two things of a team, by their names as destinations. */
export interface Edge {
  /** `hours:office` */
  readonly from: string;
  readonly slot: string;
  readonly to: Destination;
}

/** Every edge of a team that begins at something to which another edge may lead: all but those of its DIDs. */
export async function readEdges(db: Queryable, teamId: number | null): Promise<Edge[]> {
  const { rows } = await db.raw<{
    rows: { from: string; slot: string; kind: DestinationKind; name: string }[];
  }>(
    `select d.owner as "from", d.slot, d.kind, d.name from destination_targets d
     where d.team_id = ? and d.from_did_id is null and d.from_did_rule_id is null and d.from_team_id is null
     order by d.owner, d.slot`,
    [teamId],
  );
  return rows.map(({ from, slot, kind, name }) => ({ from, slot, to: { kind, name } }));
}

async function refuseCircle(trx: Queryable, scope: Scope, noun: NounName, name: string): Promise<void> {
  const start = `${noun}:${name}`;
  const circle = circleFrom(start, await readEdges(trx, scope.teamId));
  if (!circle) return;
  const way = circle.map(({ slot, to }) => ` -> (${slot}) ${writeDestination(to)}`).join('');
  throw fail('circle', {
    noun,
    name,
    facts: { team: scope.team, circle: [start, ...circle.map(({ to }) => writeDestination(to))] },
    says: `${nounOf(noun)} ${name} would lead calls in a circle: ${start}${way}`,
    remedy: { text: 'choose another destination for one of these' },
  });
}

/** The edges of a way that begins at `start` and comes back to it; undefined when there is none. */
export function circleFrom(start: string, edges: readonly Edge[]): Edge[] | undefined {
  const byOwner = new Map<string, Edge[]>();
  for (const edge of edges) byOwner.set(edge.from, [...(byOwner.get(edge.from) ?? []), edge]);
  const seen = new Set<string>();
  const walk = (at: string): Edge[] | undefined => {
    if (seen.has(at)) return undefined;
    seen.add(at);
    for (const edge of byOwner.get(at) ?? []) {
      const next = writeDestination(edge.to);
      if (next === start) return [edge];
      const rest = walk(next);
      if (rest) return [edge, ...rest];
    }
    return undefined;
  };
  return walk(start);
}
