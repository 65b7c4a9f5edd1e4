import { setTimeout as sleep } from 'node:timers/promises';
import { prepared, type Queryable } from '../../database/pool.js';
import { readClasses, type NumberClass } from '../../number-classes.js';
import { nextTurn } from '../../machine/turn.js';
import type { WorkMode } from '../../presence/work-mode.js';

/** Who is signed in at the phone that calls out. */
export interface AgentOut {
  readonly id: number;
  readonly number: string;
  /** Their current group; null: none. */
  readonly group: string | null;
  readonly mode: WorkMode;
  /** What whoever has it as current group may call at most; null: it takes nothing away. */
  readonly mayCall: readonly NumberClass[] | null;
  readonly wrapUp: string;
}

/** A phone that calls out, and who is there. */
export interface CallerOut {
  readonly extension: string;
  readonly user: string;
  readonly agent: AgentOut | null;
}

/**
 * How long a caller waits for the database. Whoever is not known by then has no state, wrap-up or popup for the whole call: so half
 * of what the dialplan gives the server (`callerSeconds`), and the rest is for the way.
 */
export const callerOutMs = 1000;

interface Row {
  extension: string;
  user: string;
  agentId: number | null;
  agent: string | null;
  group: string | null;
  mode: WorkMode | null;
  mayCall: string | null;
  wrapUp: string | null;
}

/**
 * Who is at a phone that calls out, asked of the database. Null: the team has no such extension. Undefined: the database
 * does not say it in time, or is away.
 */
export async function callerOut(
  db: Queryable,
  team: string,
  extension: string,
  patience = callerOutMs,
): Promise<CallerOut | null | undefined> {
  const given = new AbortController();
  const asked = prepared<Row>(
    db,
    `select x.number as extension, u.username as "user", a.id as "agentId", a.number as agent, g.name as "group",
       case g.work_mode when 'choice' then i.work_mode::text else coalesce(g.work_mode::text, 'all') end as mode,
       g.may_call as "mayCall", coalesce(g.wrap_up_mode::text, 'off') as "wrapUp"
     from teams t
     join extensions x on x.team_id = t.id and x.number = :extension and x.removed_at is null
     join users u on u.id = x.user_id
     left join sign_ins i on i.extension_id = x.id and i.signed_out_at is null
     left join agents a on a.id = i.agent_id
     left join agent_groups g on g.id = i.current_group_id
     where t.identity = :team`,
    { team, extension },
  );
  try {
    const late = sleep(patience, undefined, { signal: given.signal, ref: false }).then(nextTurn);
    const rows = await Promise.race([asked, late]);
    if (rows === undefined) {
      // It may still fail, and nobody waits for it any more.
      asked.catch(() => undefined);
      return undefined;
    }
    const [row] = rows;
    return row ? callerIn(row) : null;
  } catch {
    return undefined;
  } finally {
    given.abort();
  }
}

function callerIn({ extension, user, agentId, agent, group, mode, mayCall, wrapUp }: Row): CallerOut {
  return {
    extension,
    user,
    agent:
      agentId === null || agent === null
        ? null
        : {
            id: agentId,
            number: agent,
            group,
            mode: mode ?? 'all',
            mayCall: mayCall === null ? null : readClasses(mayCall),
            wrapUp: wrapUp ?? 'off',
          },
  };
}
