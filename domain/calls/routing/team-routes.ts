import type { Queryable } from '../../database/pool.js';
import { writeDestination, type Destination, type DestinationKind } from '../../destination.js';
import { home } from '../../provisioning/values/home-plan.js';
import { numberPlan, type NumberPlan } from '../../telephone-numbers.js';
import {
  bindingFor,
  byPriority,
  callerIn,
  patternIn,
  ruleFor,
  type Binding,
  type Conditions,
  type DidRule,
} from './call-conditions.js';
import { DidIndex } from './did-index.js';
import { readOpenings, type HoursPassed, type Opening, type Tell } from './opening.js';

/** A call as it arrives. */
export interface InboundCall {
  /** The number that was called. */
  readonly number: string;
  /** As the network gave it. */
  readonly caller?: string | null;
  /** The endpoint of the trunk, and in which country it is, where that is known. */
  readonly endpoint?: string | null;
  readonly plan?: NumberPlan | undefined;
  /** Milliseconds since 1970; now, unless said. */
  readonly instant?: number | undefined;
}

/** Where a call goes. */
export interface Route {
  readonly team: string;
  /** The number that was called, as it is kept. */
  readonly number: string;
  /** The DID that has it: a number, a range, or a beginning; null: no team has it. */
  readonly did: string | null;
  readonly destination: Destination;
  /** Where its rule or its DID leads, before any hours. */
  readonly led: Destination;
  /** The hours that have sent it on from there, in their order. */
  readonly hours: readonly HoursPassed[];
  /** The rule that decided; null: the DID. */
  readonly rule: string | null;
  /** Larger ones go ahead in a queue; 0: as everybody. */
  readonly queuePriority: number;
  readonly binding: Pick<Binding, 'name' | 'application' | 'link'> | null;
}

/** What a team says about the calls that arrive, and in memory: nothing here asks anybody. */
export class TeamRoutes {
  readonly dids = new DidIndex<Destination>();
  rules: DidRule[] = [];
  bindings: Binding[] = [];
  /** Where calls go whose number no team has. */
  unknownTo: Destination | undefined;
  opening: Opening | undefined;

  constructor(
    readonly id: number,
    readonly team: string,
    /** By which numbers are read that come over no trunk of a country. */
    readonly plan: NumberPlan,
  ) {}

  /** Where a call goes: by the first rule that holds, else by its DID and its hours. Undefined: the team has not got it. */
  route(call: InboundCall, tell?: Tell): Route | undefined {
    const found = this.dids.find(call.number);
    if (!found) return undefined;
    const { did, number, value: to } = found;
    const instant = call.instant ?? Date.now();
    tell?.(`${number} is DID ${did} of team ${this.team}`);
    const facts = { number, caller: this.#callerOf(call), endpoint: call.endpoint ?? null };
    const rule = ruleFor(this.rules, facts, tell);
    if (!rule)
      tell?.(
        `${this.rules.length === 0 ? 'no rules' : 'no rule holds'}: the DID leads to ${writeDestination(to)}`,
      );
    const hours: HoursPassed[] = [];
    const witness = { tell, passed: (passed: HoursPassed) => void hours.push(passed) };
    const led = rule?.to ?? to;
    const { opening } = this;
    const destination =
      (rule ? opening?.onward(led, instant, witness) : opening?.follow(did, led, instant, witness)) ?? led;
    const binding = bindingFor(this.bindings, facts, destination, tell) ?? null;
    const queuePriority = rule?.queuePriority ?? 0;
    if (queuePriority > 0) tell?.(`in a queue its priority is ${queuePriority}`);
    const { team } = this;
    return { team, number, did, destination, led, hours, rule: rule?.name ?? null, queuePriority, binding };
  }

  /** Where a call goes whose number no team has; undefined: it is refused. */
  unknown(call: InboundCall, tell?: Tell): Route | undefined {
    const { unknownTo } = this;
    if (!unknownTo) {
      tell?.(`team ${this.team} does not say where such calls go (team set ${this.team} --unknown-to)`);
      return undefined;
    }
    tell?.(`team ${this.team} takes such calls: they go to ${writeDestination(unknownTo)} (unknown-to)`);
    const hours: HoursPassed[] = [];
    const witness = { tell, passed: (passed: HoursPassed) => void hours.push(passed) };
    const instant = call.instant ?? Date.now();
    const destination = this.opening?.onward(unknownTo, instant, witness) ?? unknownTo;
    const { number } = call;
    const facts = { number, caller: this.#callerOf(call), endpoint: call.endpoint ?? null };
    const binding = bindingFor(this.bindings, facts, destination, tell) ?? null;
    const { team } = this;
    return {
      team,
      number,
      did: null,
      destination,
      led: unknownTo,
      hours,
      rule: null,
      queuePriority: 0,
      binding,
    };
  }

  /** Reckoned only where anything asks for it. */
  #callerOf({ caller, plan }: InboundCall): string | null {
    const asks = ({ caller }: Conditions): boolean => caller !== null;
    const asked = this.rules.some(asks) || this.bindings.some(asks);
    return asked ? callerIn(plan ?? this.plan, caller ?? null) : null;
  }
}

interface ConditionsRow {
  teamId: number;
  name: string;
  priority: number;
  did: string | null;
  caller: string | null;
  trunk: string | null;
  endpoint: string | null;
}

/** The routes of every team of a node, or of these of them, in as many statements whatever their number. */
export async function readTeamRoutes(
  db: Queryable,
  node: string,
  teamIds: readonly number[] | undefined,
): Promise<TeamRoutes[]> {
  const only = { node, ids: teamIds ?? null };
  const mine = 't.node = :node and (:ids::integer[] is null or t.id = any(:ids::integer[]))';
  const { rows: teams } = await db.raw<{ rows: { id: number; team: string; country: string | null }[] }>(
    `select t.id, t.identity as team, ${home('t.id')} as country from teams t where ${mine}`,
    only,
  );
  const routes = new Map<number, TeamRoutes>();
  for (const { id, team, country } of teams)
    routes.set(id, new TeamRoutes(id, team, await numberPlan(country)));
  const { rows: dids } = await db.raw<{
    rows: { teamId: number; did: string; kind: DestinationKind; name: string }[];
  }>(
    `select t.id as "teamId", d.number as did, p.kind, p.name
     from dids d join teams t on t.id = d.team_id
     join destination_targets p on p.from_did_id = d.id and p.slot = 'to' where ${mine}`,
    only,
  );
  for (const { teamId, did, ...destination } of dids) routes.get(teamId)?.dids.add(did, destination);
  const { rows: unknown } = await db.raw<{
    rows: { teamId: number; kind: DestinationKind; name: string }[];
  }>(
    `select t.id as "teamId", p.kind, p.name from teams t
     join destination_targets p on p.from_team_id = t.id and p.slot = 'unknown-to' where ${mine}`,
    only,
  );
  for (const { teamId, ...destination } of unknown) {
    const of = routes.get(teamId);
    if (of) of.unknownTo = destination;
  }
  const conditions = 'o.name, o.priority, o.did, o.caller, k.name as trunk, k.endpoint';
  const { rows: rules } = await db.raw<{
    rows: (ConditionsRow & { kind: DestinationKind; toName: string; queuePriority: number })[];
  }>(
    `select t.id as "teamId", ${conditions}, p.kind, p.name as "toName", o.queue_priority as "queuePriority"
     from did_rules o join teams t on t.id = o.team_id left join trunks k on k.id = o.trunk_id
     join destination_targets p on p.from_did_rule_id = o.id and p.slot = 'to' where ${mine}`,
    only,
  );
  for (const row of rules) {
    const of = routes.get(row.teamId);
    of?.rules.push({
      ...conditionsOf(of.plan, row),
      to: { kind: row.kind, name: row.toName },
      queuePriority: row.queuePriority,
    });
  }
  const { rows: bindings } = await db.raw<{
    rows: (ConditionsRow & { group: string | null; application: string; link: string | null })[];
  }>(
    `select t.id as "teamId", ${conditions}, g.name as "group", o.application, o.link
     from bindings o join teams t on t.id = o.team_id left join trunks k on k.id = o.trunk_id
     left join agent_groups g on g.id = o.group_id where ${mine}`,
    only,
  );
  for (const row of bindings) {
    const of = routes.get(row.teamId);
    const { group, application, link } = row;
    of?.bindings.push({ ...conditionsOf(of.plan, row), group, application, link });
  }
  const openings = await readOpenings(db, node, teamIds);
  for (const of of routes.values()) {
    of.rules.sort(byPriority);
    of.bindings.sort(byPriority);
    of.opening = openings.get(of.id);
  }
  return [...routes.values()];
}

const conditionsOf = (
  plan: NumberPlan,
  { name, priority, did, caller, trunk, endpoint }: ConditionsRow,
): Conditions => ({
  name,
  priority,
  did: did === null ? null : patternIn(plan, did),
  caller: caller === null || caller === 'anonymous' ? caller : patternIn(plan, caller),
  trunk: trunk === null || endpoint === null ? null : { name: trunk, endpoint },
});
