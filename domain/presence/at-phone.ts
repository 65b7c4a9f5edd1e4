import { prepared, type Queryable } from '../database/pool.js';
import { memberOf, type PhoneName } from './phone.js';
import type { WorkMode } from './work-mode.js';

/** Who is signed in at a phone, and what their current group says of calls that no queue gives them. */
export interface AtPhone {
  signInId: number;
  agentId: number;
  /** Number of the agent. */
  agent: string;
  /** The phone's name as a queue member: `PJSIP/astercc-5000`. */
  member: string;
  /** Number of the extension. */
  extension: string;
  currentGroupId: number | null;
  /** Wrap-up mode of the current group; an agent without one has no wrap-up. */
  wrapUpMode: 'ring' | 'answer' | 'off';
  /** Whether they may take queue calls and call out (spec 48-51): the group decides, or leaves it to the agent. */
  workMode: WorkMode;
  /** Classes of numbers that the current group leaves them at most (agent_groups.may_call); null: it takes nothing away. */
  mayCall: string | null;
}

/** Who is signed in at an extension of a team, by one indexed statement; undefined: nobody. */
export async function agentAtPhone(
  db: Queryable,
  team: string,
  extension: string,
): Promise<AtPhone | undefined> {
  const [row] = await prepared<Omit<AtPhone, 'member'> & PhoneName>(
    db,
    `select i.id as "signInId", i.agent_id as "agentId", a.number as agent, t.identity as team, x.number as extension,
       x.kind as "extensionKind", x.endpoint, g.id as "currentGroupId", coalesce(g.wrap_up_mode, 'off') as "wrapUpMode",
       case when coalesce(g.work_mode, 'choice') = 'choice' then i.work_mode::text else g.work_mode::text end as "workMode",
       g.may_call as "mayCall"
     from extensions x join teams t on t.id = x.team_id
     join sign_ins i on i.extension_id = x.id and i.signed_out_at is null
     join agents a on a.id = i.agent_id
     left join agent_groups g on g.id = i.current_group_id
     where t.identity = :team and x.number = :extension and x.removed_at is null`,
    { team, extension },
  );
  if (!row) return undefined;
  const { signInId, agentId, agent, currentGroupId, wrapUpMode, workMode, mayCall } = row;
  const member = memberOf(row);
  return { signInId, agentId, agent, extension, member, currentGroupId, wrapUpMode, workMode, mayCall };
}

/**
 * How the dialplan is told of who calls out (`star64-own-call`): `PJSIP/astercc-5000:answer`; empty: nobody is signed in
 * there.
 */
export const ownCallOf = (at: AtPhone | undefined): string => (at ? `${at.member}:${at.wrapUpMode}` : '');
