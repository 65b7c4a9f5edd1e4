import type { Queryable } from '../../database/pool.js';
import { readEmergencies } from '../../emergency-defaults.js';

/** Which numbers are for emergencies: these go out before every right and limit. Answered from memory. */
export interface EmergencyNumbers {
  /**
   * The one that was dialled behind the outside prefix, as it is sent: 112, also of +49112. Undefined: it is none.
   */
  dialled(team: string, number: string): string | undefined;
}

export const noEmergencies: EmergencyNumbers = { dialled: () => undefined };

/**
 * The emergency numbers of all teams of a node, in memory. The dialplan takes a number that is dialled as it is before
 * anybody is asked; what comes to a server is one that is dialled in another way.
 */
export class EmergencyMemory implements EmergencyNumbers {
  /** By the identity of the team. */
  readonly #numbers = new Map<string, { id: number; numbers: ReadonlySet<string> }>();

  constructor(
    private readonly db: Queryable,
    private readonly node: string,
  ) {}

  /** Reads all teams, or these. On failure the old answers stay. */
  async load(teamIds?: readonly number[]): Promise<void> {
    const query = this.db('teams').where({ node: this.node });
    const rows = await (teamIds === undefined ? query : query.whereIn('id', [...teamIds])).select<
      { id: number; identity: string; emergency: string | null }[]
    >('id', 'identity', 'emergency');
    for (const [team, { id }] of this.#numbers) {
      if (teamIds === undefined || teamIds.includes(id)) this.#numbers.delete(team);
    }
    for (const { id, identity, emergency } of rows)
      this.#numbers.set(identity, { id, numbers: new Set(readEmergencies(emergency)) });
  }

  /** Also with a country before it, +49112, as some telephones send what is in their address book: no trunk routes that. */
  dialled(team: string, number: string): string | undefined {
    const numbers = this.#numbers.get(team)?.numbers;
    if (!numbers) return undefined;
    // A calling code has one to three digits.
    const forms = number.startsWith('+') ? [2, 3, 4].map((length) => number.slice(length)) : [number];
    return forms.find((form) => numbers.has(form));
  }
}
