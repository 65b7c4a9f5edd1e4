import type { Queryable } from '../../database/pool.js';
import { prepared } from '../../database/pool.js';
import { fail, type ErrorCode, type Star64Error } from '../../errors.js';
import { unknown } from '../../names.js';
import type { PhoneName } from '../../presence/phone.js';
import type { AgentState } from '../../presence/transitions.js';

/** The agent of a call that is to be started, and where they are. */
export interface ClickTarget extends PhoneName {
  signInId: number;
  teamId: number;
  agentId: number;
  extensionId: number;
  agent: string;
  state: AgentState;
}

/**
 * `autoAnswer`: their phone is to pick up by itself, which opens the room in which it stands: it must be one of their user, or
 * the one that they are fixed to.
 *
 * @throws Star64Error where they can be in no such call now.
 */
export async function clickTarget(
  db: Queryable,
  team: string,
  agent: string,
  { autoAnswer = false } = {},
): Promise<ClickTarget> {
  const [row] = await prepared<
    Omit<ClickTarget, 'signInId'> & {
      signInId: number | null;
      own: boolean;
      group: string | null;
      application: string | null;
    }
  >(
    db,
    `select t.id as "teamId", t.identity as team, a.id as "agentId", a.number as agent, i.id as "signInId",
       x.id as "extensionId", x.number as extension, x.kind as "extensionKind", x.endpoint, s.state,
       x.user_id = a.user_id or a.kind = 'fixed' as own, g.name as "group", g.application
     from agents a join teams t on t.id = a.team_id
     left join sign_ins i on i.agent_id = a.id and i.signed_out_at is null
     left join extensions x on x.id = i.extension_id
     left join agent_states s on s.sign_in_id = i.id and s.ended_at is null
     left join agent_groups g on g.id = i.current_group_id and g.removed_at is null
     where t.identity = :team and a.number = :agent and a.removed_at is null`,
    { team, agent },
  );
  if (!row) throw unknown('agent', team, agent);
  const { signInId, own, group, application, ...target } = row;
  const refuse = (code: ErrorCode, says: string, text: string): Star64Error =>
    fail(code, {
      noun: 'agent',
      name: agent,
      facts: {
        team,
        ...(group !== null && { group }),
        ...(code === 'call_not_allowed' && { reason: 'auto-answer' }),
      },
      says,
      remedy: { text },
    });
  if (signInId === null)
    throw refuse('not_signed_in', `agent ${agent} is not signed in`, 'they sign in at a phone with *64');
  if (application === null)
    throw refuse(
      'no_application',
      group === null
        ? `agent ${agent} has no current group`
        : `group ${group}, which agent ${agent} has as current group, has no application`,
      group === null
        ? 'they choose one with *63'
        : `\`star64 group set ${group} --application customer_service --team ${team}\` gives it one`,
    );
  if (autoAnswer && !own)
    throw refuse(
      'call_not_allowed',
      `agent ${agent} is at extension ${target.extension}, which is not theirs, and it picks up nothing by itself for them`,
      'leave auto_answer out',
    );
  if (target.state === 'ringing' || target.state === 'talking')
    throw refuse('in_call', `agent ${agent} is in a call, or their phone rings`, 'try again when it is over');
  return { ...target, signInId };
}

/** What of the team's a number is that an agent dials; undefined: nothing of the team. */
export async function insideNumber(db: Queryable, team: string, number: string): Promise<string | undefined> {
  const [row] = await prepared<{ kind: string }>(
    db,
    `select n.kind from numbers n join teams t on t.id = n.team_id where t.identity = ? and n.number = ?`,
    [team, number],
  );
  return row?.kind;
}
