import type { Queryable } from '../../database/pool.js';
import { withDatabaseErrors } from '../../database/sql-errors.js';
import {
  parseDestination,
  writeDestination,
  type Destination,
  type DestinationKind,
} from '../../destination.js';
import { dids } from '../numbers/did.js';
import { readEdges } from '../operations/destinations.js';
import { did } from '../nouns/did.js';
import { destinationFeatures } from '../nouns/feature-code.js';
import { nounNamed } from '../nouns/index.js';
import { requireRow } from '../values/rows.js';
import { scopeOf, type Scope } from '../values/scope.js';
import { ownerColumn } from '../fields/slots.js';

/** Where a call can go from one place on. */
export interface DestinationTree {
  /** `did:+4930600100`, `group:support` */
  readonly destination: string;
  /** The slot by which a call comes here; null for the beginning. */
  readonly slot: string | null;
  /** What follows is shown where this came first. */
  readonly seen: boolean;
  readonly next: readonly DestinationTree[];
}

/**
 * Everything to which a call can come from a DID of the team, or from a destination (`group:support`). What several ways
 * lead to is followed once. @throws Star64Error `unknown` for what the team has not.
 */
export function destinationTree(db: Queryable, team: string, from: string): Promise<DestinationTree> {
  return withDatabaseErrors(async () => {
    const scope = await scopeOf(db, team);
    const edges = await readEdges(db, scope.teamId);
    const seen = new Set<string>();
    const follow = (destination: string, slot: string | null): DestinationTree => {
      const next = edges.filter((edge) => edge.from === destination);
      const again = seen.has(destination) && next.length > 0;
      seen.add(destination);
      return {
        destination,
        slot,
        seen: again,
        next: again ? [] : next.map(({ slot, to }) => follow(writeDestination(to), slot)),
      };
    };
    if (from.includes(':')) {
      const destination = parseDestination('destination', from, destinationFeatures);
      await requireThere(db, scope, destination);
      return follow(writeDestination(destination), null);
    }
    const { number } = await dids.show(db, team, from);
    const { id } = await requireRow(db, did, scope, number);
    const own = await db('destination_targets')
      .where({ [ownerColumn('did')]: id })
      .orderBy('slot')
      .select<{ slot: string; kind: DestinationKind; name: string }[]>('slot', 'kind', 'name');
    return {
      destination: `did:${number}`,
      slot: null,
      seen: false,
      next: own.map(({ slot, ...to }) => follow(writeDestination(to), slot)),
    };
  });
}

/** Words are always there; things are looked for. */
async function requireThere(db: Queryable, scope: Scope, { kind, name }: Destination): Promise<void> {
  if (kind === 'outside' || kind === 'hangup' || kind === 'feature') return;
  await requireRow(db, nounNamed(kind), scope, name);
}
