import type { Queryable } from '../../database/pool.js';
import { writeDestination, type Destination, type DestinationKind } from '../../destination.js';
import { rulesOf, type HoursRuleRow, type Position } from '../../hours-rules.js';
import { unknown } from '../../names.js';
import { readRules } from '../../provisioning/features/hours.js';
import type { HoursClock, HoursState } from './hours.js';

/** Told in words of each step on the way of a call. */
export type Tell = (words: string) => void;

/** Hours that a call has come by, and where they have sent it. */
export interface HoursPassed {
  readonly hours: string;
  readonly state: 'open' | 'closed';
  readonly to: Destination;
}

/** Told on the way of a call: of each step in words, and of the hours that have sent it somewhere. */
export interface Witness {
  readonly tell?: Tell | undefined;
  readonly passed?: ((passed: HoursPassed) => void) | undefined;
}

/** What becomes of a call that goes nowhere: as in the generated dialplan. */
const end: Destination = { kind: 'hangup', name: 'normal' };

/** The hours of one team, what is only reached while they are open, and where calls go then and at other times. */
export class Opening {
  /** By name. */
  readonly #clocks = new Map<string, HoursClock>();
  /** The name of the hours of a thing, `group:support` or `did:600100`. */
  readonly #hoursOf = new Map<string, string>();
  /** By thing and slot, `group:support closed`. */
  readonly #slots = new Map<string, Destination>();

  addClock(name: string, clock: HoursClock): void {
    this.#clocks.set(name, clock);
  }

  addHoursOf(thing: string, hours: string): void {
    this.#hoursOf.set(thing, hours);
  }

  addSlot(thing: string, slot: string, destination: Destination): void {
    this.#slots.set(`${thing} ${slot}`, destination);
  }

  /** Whether hours are open at an instant, and why; undefined: the team has none of that name. */
  stateOf(hours: string, instant: number): HoursState | undefined {
    return this.#clocks.get(hours)?.stateAt(instant);
  }

  /** Where a call for a DID comes to that leads to this destination, at an instant in milliseconds since 1970. */
  follow(did: string, to: Destination, instant: number, witness: Witness = {}): Destination {
    return this.onward(this.#closed(`did:${did}`, instant, witness) ?? to, instant, witness);
  }

  /** Where a call comes to that is sent to this destination. */
  onward(to: Destination, instant: number, witness: Witness = {}): Destination {
    let now = to;
    // No circle can be written; should there be one all the same, the dialplan is as good as anything.
    for (let steps = 0; steps < 100; steps++) {
      const thing = writeDestination(now);
      const next =
        now.kind === 'hours'
          ? this.#through(thing, now.name, instant, witness)
          : this.#closed(thing, instant, witness);
      if (!next) return now;
      now = next;
    }
    return now;
  }

  /** Where calls to a thing go while its hours are closed; undefined: they are open, or it has none. */
  #closed(thing: string, instant: number, witness: Witness): Destination | undefined {
    const hours = this.#hoursOf.get(thing);
    if (hours === undefined || this.#isOpen(hours, instant, witness.tell)) return undefined;
    return this.#sent(thing, hours, 'closed', witness);
  }

  #through(thing: string, hours: string, instant: number, witness: Witness): Destination {
    return this.#sent(thing, hours, this.#isOpen(hours, instant, witness.tell) ? 'open' : 'closed', witness);
  }

  #sent(thing: string, hours: string, state: 'open' | 'closed', { tell, passed }: Witness): Destination {
    const to = this.#slot(thing, state, tell);
    passed?.({ hours, state, to });
    return to;
  }

  #isOpen(hours: string, instant: number, tell?: Tell): boolean {
    const state = this.#clocks.get(hours)?.stateAt(instant);
    if (!state) return true;
    tell?.(`hours ${hours} are ${state.open ? 'open' : 'closed'} (${state.why})`);
    return state.open;
  }

  #slot(thing: string, slot: string, tell?: Tell): Destination {
    const to = this.#slots.get(`${thing} ${slot}`) ?? end;
    tell?.(`${thing} leads to ${writeDestination(to)} (${slot})`);
    return to;
  }
}

interface ClockRow {
  id: number;
  teamId: number;
  name: string;
  position: Position;
  timeZone: string;
}

/** The opening of every team of a node that has hours, or of those of these teams, by the id of the team. */
export async function readOpenings(
  db: Queryable,
  node: string,
  teamIds?: readonly number[],
): Promise<Map<number, Opening>> {
  const clocks = db('hours as h')
    .join('teams as t', 't.id', 'h.team_id')
    .where('t.node', node)
    .select<ClockRow[]>('h.id', 't.id as teamId', 'h.name', 'h.position', 't.time_zone as timeZone');
  const found = await (teamIds === undefined ? clocks : clocks.whereIn('t.id', teamIds));
  if (found.length === 0) return new Map<number, Opening>();
  const openings = new Map(found.map(({ teamId }) => [teamId, new Opening()]));
  const ids = [...openings.keys()];
  const rules = await readRules(db, node, ids);
  // Temporal is loaded by whoever has hours, and by nobody else.
  const { HoursClock } = await import('./hours.js');
  for (const { id, teamId, name, position, timeZone } of found)
    openings.get(teamId)?.addClock(name, new HoursClock(hoursFrom(rules.get(id) ?? [], timeZone, position)));
  const { rows: things } = await db.raw<{ rows: { teamId: number; thing: string; hours: string }[] }>(
    `select a.team_id as "teamId", a.thing, h.name as hours from (
       select team_id, hours_id, 'did:' || number as thing from dids where hours_id is not null
       union all select team_id, hours_id, 'group:' || name from agent_groups where hours_id is not null and removed_at is null
       union all select team_id, hours_id, 'ring-group:' || number from ring_groups where hours_id is not null and removed_at is null
     ) a join hours h on h.id = a.hours_id where a.team_id = any(?)`,
    [ids],
  );
  for (const { teamId, thing, hours } of things) openings.get(teamId)?.addHoursOf(thing, hours);
  const { rows: slots } = await db.raw<{
    rows: { teamId: number; thing: string; slot: string; kind: DestinationKind; name: string }[];
  }>(
    `select d.team_id as "teamId", d.owner as thing, d.slot, d.kind, d.name from destination_targets d
     where d.team_id = any(?) and d.slot in ('open', 'closed')`,
    [ids],
  );
  for (const { teamId, thing, slot, ...destination } of slots)
    openings.get(teamId)?.addSlot(thing, slot, destination);
  return openings;
}

const hoursFrom = (rules: readonly HoursRuleRow[], timeZone: string, position: Position) => ({
  ...rulesOf(rules),
  timeZone,
  position,
});

/** Whether hours are open at an instant, or at a time on the wall of the team's zone, `2026-12-24T10:00`; and why. */
export async function stateOfHours(
  db: Queryable,
  team: string,
  name: string,
  at: Date | string,
): Promise<{ at: string; state: 'open' | 'closed'; why: string }> {
  const row = await db('hours as h')
    .join('teams as t', 't.id', 'h.team_id')
    .where({ 't.identity': team, 'h.name': name })
    .first<(ClockRow & { node: string }) | undefined>(
      'h.id',
      't.id as teamId',
      'h.name',
      'h.position',
      't.time_zone as timeZone',
      't.node',
    );
  if (!row) throw unknown('hours', team, name);
  const { instantAt, stateAt, wallAt } = await import('./hours.js');
  const instant = typeof at === 'string' ? instantAt(at, row.timeZone) : at.getTime();
  const rules = (await readRules(db, row.node, [row.teamId])).get(row.id) ?? [];
  const { open, why } = stateAt(hoursFrom(rules, row.timeZone, row.position), instant);
  return { at: wallAt(instant, row.timeZone), state: open ? 'open' : 'closed', why };
}
