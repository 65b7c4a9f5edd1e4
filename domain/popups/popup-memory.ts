import { prepared, type Queryable } from '../database/pool.js';
import { deviceOf } from '../presence/phone.js';

interface TeamWithPopups {
  identity: string;
  /** The devices of its phones in agent mode. */
  phones: string[];
}

/**
 * Which teams of a node have an application, and which of their phones are in agent mode: of calls of all others nothing
 * is asked of the database for popups. Whoever hears of a change in provisioning calls `load` again.
 */
export class PopupMemory {
  #teams = new Map<number, TeamWithPopups>();
  #identities = new Set<string>();
  #phones = new Set<string>();

  constructor(
    private readonly db: Queryable,
    private readonly node: string,
  ) {}

  /** Reads all teams, or these. On failure the last known stands. */
  async load(teamIds?: readonly number[]): Promise<void> {
    const rows = await prepared<{
      id: number;
      identity: string;
      phones: { number: string; endpoint: string | null }[];
    }>(this.db, read, { node: this.node, teamIds: teamIds ? [...teamIds] : null });
    const teams = teamIds ? new Map(this.#teams) : new Map<number, TeamWithPopups>();
    for (const id of teamIds ?? []) teams.delete(id);
    for (const { id, identity, phones } of rows) {
      const device = (phone: (typeof phones)[number]): string =>
        deviceOf({
          team: identity,
          extension: phone.number,
          extensionKind: 'sip',
          endpoint: phone.endpoint,
        });
      teams.set(id, { identity, phones: phones.map(device) });
    }
    this.#teams = teams;
    this.#identities = new Set([...teams.values()].map(({ identity }) => identity));
    this.#phones = new Set([...teams.values()].flatMap(({ phones }) => phones));
  }

  /** Whether a team, by its identity, has an application that could be shown. */
  hasApplication(team: string): boolean {
    return this.#identities.has(team);
  }

  /** Whether a device, as `PJSIP/astercc-5001`, is a phone in agent mode of a team that has an application. */
  inAgentMode(device: string): boolean {
    return this.#phones.has(device);
  }
}

const read = `
  select t.id, t.identity, coalesce((
    select json_agg(json_build_object('number', x.number, 'endpoint', x.endpoint)) from extensions x
    where x.team_id = t.id and x.agent_mode and x.kind = 'sip' and x.removed_at is null), '[]') as phones
  from teams t
  where t.node = :node and (:teamIds::integer[] is null or t.id = any(:teamIds::integer[]))
    and (exists (select from bindings b where b.team_id = t.id)
      or exists (select from agent_groups g where g.team_id = t.id and g.application is not null))`;
