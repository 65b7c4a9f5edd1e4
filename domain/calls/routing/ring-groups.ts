import { setTimeout as sleep } from 'node:timers/promises';
import { prepared, type Queryable } from '../../database/pool.js';
import { nextTurn } from '../../machine/turn.js';
import type { RingStrategy } from '../../provisioning/nouns/ring-group.js';
import { bare } from '../../telephone-numbers.js';
import { ringOrder, type RingMember } from './ring-order.js';

/** A member as it is configured. */
interface Configured {
  extension: string | null;
  agent: string | null;
  outside: string | null;
}

interface RingGroup {
  id: number;
  strategy: RingStrategy;
  members: Configured[];
}

/** How long a caller waits for the database. Every member is rung without it, in the order of the group. */
const patienceMs = 400;

/** Strategies that go by the records. */
const byRecords: ReadonlySet<RingStrategy> = new Set(['longest-idle', 'fewest-calls']);

/**
 * Answers whom a ring group rings, from memory where it can. Where agents are, and what the records say, is asked of the
 * database, which does not hold the caller: when it takes too long, what it said last of this ring group stands.
 */
export class RingGroups {
  /** By team, then by number. */
  #byTeam = new Map<string, Map<string, RingGroup>>();
  /** Identity of each team that has ring groups, by its id: a team may get another identity. */
  #identities = new Map<number, string>();
  /** What the database said last, by ring group. */
  readonly #said = new Map<number, RingMember[]>();

  constructor(
    private readonly db: Queryable,
    /** The Asterisk whose teams are answered for. */
    private readonly node: string,
    private readonly patience = patienceMs,
  ) {}

  /** Reads every ring group, or those of these teams. On failure the old ones stay. */
  async load(teamIds?: readonly number[]): Promise<void> {
    const rows = await prepared<RingGroup & { teamId: number; team: string; number: string }>(
      this.db,
      `select r.id, t.id as "teamId", t.identity as team, r.number, r.strategy,
         (select coalesce(json_agg(json_build_object('extension', x.number, 'agent', a.number, 'outside', m.outside)
             order by m.position), '[]')
          from ring_group_members m left join extensions x on x.id = m.extension_id left join agents a on a.id = m.agent_id
          where m.ring_group_id = r.id) as members
       from ring_groups r join teams t on t.id = r.team_id
       where t.node = :node and r.removed_at is null and (:teams::integer[] is null or t.id = any(:teams::integer[]))`,
      { node: this.node, teams: teamIds === undefined ? null : [...teamIds] },
    );
    // Without a pause in between: no question comes while a team has no answers.
    for (const id of teamIds ?? [...this.#identities.keys()]) {
      this.#byTeam.delete(this.#identities.get(id) ?? '');
      this.#identities.delete(id);
    }
    for (const { teamId, team, number, ...group } of rows) {
      const groups = this.#byTeam.get(team) ?? new Map<string, RingGroup>();
      this.#byTeam.set(team, groups.set(number, group));
      this.#identities.set(teamId, team);
      // Of members that are gone nothing stands.
      this.#said.delete(group.id);
    }
  }

  /** The steps in which a ring group rings. Undefined: the team has no such ring group. */
  async order(team: string, number: string, turn: number): Promise<string[][] | undefined> {
    const group = this.#byTeam.get(team)?.get(number);
    if (!group) return undefined;
    const asks = byRecords.has(group.strategy) || group.members.some(({ agent }) => agent !== null);
    const members = asks ? await this.#ask(group) : group.members.map(unasked);
    return ringOrder(group.strategy, members, turn);
  }

  async #ask(group: RingGroup): Promise<RingMember[]> {
    const given = new AbortController();
    // It may still be answered later, and stands for the next call then.
    const asked = readMembers(this.db, group.id).then((members) => {
      this.#said.set(group.id, members);
      return members;
    });
    try {
      const late = sleep(this.patience, undefined, { signal: given.signal, ref: false }).then(nextTurn);
      return (await Promise.race([asked, late])) ?? this.#known(group);
    } catch {
      return this.#known(group);
    } finally {
      given.abort();
    }
  }

  #known(group: RingGroup): RingMember[] {
    return this.#said.get(group.id) ?? group.members.map(unasked);
  }
}

/** A number outside as star64-ring.conf writes it. */
const outsideToken = (number: string): string => `o${bare(number)}`;

/** A member of whom nothing but its configuration is known. Where an agent is, is not. */
const unasked = ({ extension, outside }: Configured): RingMember => ({
  rings: extension ?? (outside === null ? null : outsideToken(outside)),
  lastCallAt: null,
  calls: 0,
});

/**
 * The members as the database sees them, in the order of the group: an agent is rung where they are signed in, and not in
 * a pause or wrap-up. Calls of the last day count, of queues and of others, and those in which a colleague asked them.
 */
async function readMembers(db: Queryable, ringGroupId: number): Promise<RingMember[]> {
  const rows = await prepared<
    { extension: string | null; outside: string | null } & Omit<RingMember, 'rings'>
  >(
    db,
    `select coalesce(x.number, p.number) as extension, m.outside,
       extract(epoch from greatest(o.at, c.at))::float as "lastCallAt", (o.calls + c.calls)::integer as calls
     from ring_group_members m
     left join extensions x on x.id = m.extension_id
     left join sign_ins i on i.agent_id = m.agent_id and i.signed_out_at is null
     left join agent_states s on s.sign_in_id = i.id and s.ended_at is null and s.state in ('idle', 'ringing', 'talking')
     left join extensions p on p.id = i.extension_id and s.id is not null
     cross join lateral (
       select max(coalesce(ended_at, now())) as at, count(*) as calls from offers
       where (extension_id = m.extension_id or agent_id = m.agent_id) and offered_at > now() - interval '1 day'
         and result = 'answered') as o
     cross join lateral (
       select max(coalesce(ended_at, now())) as at, count(*) as calls from calls
       where (answered_extension_id = m.extension_id or answered_agent_id = m.agent_id or answered_number = m.outside_key and team_id = m.team_id)
         and answered_at > now() - interval '1 day') as c
     where m.ring_group_id = ? order by m.position`,
    [ringGroupId],
  );
  return rows.map(({ extension, outside, lastCallAt, calls }) => ({
    rings: extension ?? (outside === null ? null : outsideToken(outside)),
    lastCallAt,
    calls,
  }));
}
