import { callNamed, unknownCall } from '../calls/records/call-name.js';
import { prepared, type Queryable } from '../database/pool.js';
import { withDatabaseErrors } from '../database/sql-errors.js';
import { unknown } from '../names.js';
import type { Principal } from '../provisioning/people/principal.js';

/** What a request is about, by the names in its path. */
export interface Named {
  agent?: string;
  group?: string;
  call?: string;
}

/** Whether somebody is kept to some of the team: to themselves, or to some groups. */
export const isLimited = ({ groups }: Pick<Principal, 'groups'>): boolean => groups !== undefined;

/** Whether somebody sees that agent; see {@link requireReach}. */
export const seesAgent = ({ agents }: Principal, agent: string): boolean => agents?.includes(agent) ?? true;
/** Whether somebody sees that group; see {@link requireReach}. */
export const seesGroup = ({ groups }: Principal, group: string): boolean => groups?.includes(group) ?? true;

/**
 * Whether somebody is told an event. An agent is told what is about them, and what happens to calls of their groups' queues; not
 * that somebody listens to them. Who is limited to groups is told what is about these, and about the agents in them where no
 * group is named.
 */
export function seesEvent(
  principal: Principal,
  event: { type: string; agent?: unknown; group?: unknown },
): boolean {
  if (!isLimited(principal)) return true;
  const { agent, group } = event;
  const ofAgent = typeof agent === 'string' && seesAgent(principal, agent);
  const ofGroup = typeof group === 'string' && seesGroup(principal, group);
  if (event.type.startsWith('supervision.')) return principal.kind !== 'agent' && ofGroup;
  if (principal.kind === 'agent') return ofAgent || (ofGroup && event.type.startsWith('call.'));
  // An agent of theirs may be in other groups, too: how they stand is theirs, a call for another group is not.
  return ofGroup || (ofAgent && (event.type.startsWith('agent.') || typeof group !== 'string'));
}

/**
 * Refuses what is not of somebody who is limited as what does not exist. An agent reaches themselves, the groups that they are
 * in, and the calls that they have or had, of which those that they have now alone where something is done (`now`): who has sent a
 * call on has no hand in it any more. Who is limited to groups reaches those groups, the agents in them, and the calls that came
 * for them or that their agents have without a group.
 *
 * @throws Star64Error `unknown`, `unknown_call`.
 */
export async function requireReach(
  db: Queryable,
  principal: Principal,
  named: Named,
  { now = false } = {},
): Promise<void> {
  const { team, groups } = principal;
  if (groups === undefined) return;
  if (named.group !== undefined && !seesGroup(principal, named.group))
    throw unknown('group', team, named.group);
  if (named.agent !== undefined && !seesAgent(principal, named.agent))
    throw unknown('agent', team, named.agent);
  if (named.call !== undefined && !(await reachesCall(db, principal, groups, named.call, now)))
    throw unknownCall(team, named.call);
}

async function reachesCall(
  db: Queryable,
  { team, agent }: Principal,
  groups: readonly string[],
  call: string,
  now: boolean,
): Promise<boolean> {
  const { where, asked } = callNamed(call);
  return withDatabaseErrors(async () => {
    const rows = await prepared<object>(
      db,
      `select from calls c join teams t on t.id = c.team_id
       where t.identity = :team and ${where} and ${agent === undefined ? ofGroups : now ? ofAgentNow : ofAgent} limit 1`,
      { team, asked, ...(agent === undefined ? { groups: [...groups] } : { agent }) },
    );
    return rows.length > 0;
  });
}

/** That a call `c` is or was one of an agent's. */
const ofAgent = `exists (select from agents a where a.team_id = c.team_id and a.number = :agent and a.removed_at is null
  and (a.id in (c.from_agent_id, c.answered_agent_id)
    or exists (select from queue_visits v where v.team_id = c.team_id and v.call_id = c.id and v.agent_id = a.id)
    or exists (select from agent_states s where s.agent_id = a.id and s.call_uniqueid = c.uniqueid
      and s.started_at >= c.arrived_at - interval '1 minute' and s.started_at <= coalesce(c.ended_at, clock_timestamp()))))`;

/** That an agent rings for a call `c` now, or talks in it. */
const ofAgentNow = `exists (select from agents a join sign_ins i on i.agent_id = a.id and i.signed_out_at is null
  join agent_states s on s.sign_in_id = i.id and s.ended_at is null and s.state in ('ringing', 'talking')
  where a.team_id = c.team_id and a.number = :agent and a.removed_at is null and s.call_uniqueid = c.uniqueid)`;

/** That a call `c` came for one of some groups, or, without a group, is one of an agent's of theirs. */
const ofGroups = `exists (select from agent_groups g where g.team_id = c.team_id and g.name = any(:groups::text[])
  and g.removed_at is null
  and (c.group_id = g.id
    or exists (select from queue_visits v where v.team_id = c.team_id and v.call_id = c.id and v.group_id = g.id)
    or c.group_id is null
      and exists (select from agent_group_members m where m.group_id = g.id and m.agent_id in (c.from_agent_id, c.answered_agent_id))))`;
