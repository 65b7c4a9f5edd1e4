import { prepared, type Queryable } from '../database/pool.js';
import { withDatabaseErrors } from '../database/sql-errors.js';
import { checkWhole } from '../names.js';
import type { WorkMode } from '../presence/work-mode.js';
import type { AgentKind } from '../provisioning/agent.js';
import type { Principal } from '../provisioning/principal.js';
import { EventFeed } from './event-feed.js';
import { readAgent, type AgentStatus } from './status.js';

/** Somebody who is logged in, with what their page needs before it listens to events. */
export interface Me {
  /** The name of the person; null for a program. */
  person: string | null;
  /** Of an agent: as they stand. */
  state: (AgentStatus & { kind: AgentKind; workMode: WorkMode | null; currentGroup: string | null }) | null;
  pauseReasons: { digit: string; name: string; maxSeconds: number | null; atEnd: string }[];
  featureCodes: { code: string; feature: string }[];
  /** Of the team's prompts; null: Asterisk's own. */
  language: string | null;
  timeZone: string;
  /** Events behind it have happened after what is said here, or are said here, too. */
  cursor: string;
}

/** @throws Star64Error `unknown` when the agent has gone meanwhile. */
export function readMe(db: Queryable, { id, team, agent }: Principal): Promise<Me> {
  return withDatabaseErrors(async () => {
    // Before anything else is read: whoever goes on from here hears of what happens meanwhile.
    const { cursor } = await EventFeed.open(db, { team });
    const [of] = await prepared<Omit<Me, 'state' | 'cursor'>>(
      db,
      `select t.language, t.time_zone as "timeZone", coalesce(u.name, au.name) as person,
         (select coalesce(json_agg(json_build_object('digit', r.digit, 'name', r.name, 'maxSeconds', r.max_seconds,
           'atEnd', r.at_end) order by r.digit), '[]') from pause_reasons r where r.team_id = t.id) as "pauseReasons",
         (select coalesce(json_agg(json_build_object('code', c.code, 'feature', c.feature) order by c.code), '[]')
           from feature_codes c where c.team_id = t.id) as "featureCodes"
       from api_tokens k join teams t on t.id = k.team_id left join users u on u.id = k.user_id
       left join agents a on a.id = k.agent_id left join users au on au.id = a.user_id where k.id = ?`,
      [id],
    );
    if (!of) throw new Error('a token has gone while it was looked at');
    return { ...of, state: agent === undefined ? null : await stateOf(db, team, agent), cursor };
  });
}

async function stateOf(db: Queryable, team: string, agent: string): Promise<NonNullable<Me['state']>> {
  const status = await readAgent(db, team, agent);
  const [own] = await prepared<{ kind: AgentKind; workMode: WorkMode | null; currentGroup: string | null }>(
    db,
    `select a.kind, i.work_mode as "workMode", g.name as "currentGroup" from agents a join teams t on t.id = a.team_id
     left join sign_ins i on i.agent_id = a.id and i.signed_out_at is null
     left join agent_groups g on g.id = i.current_group_id
     where t.identity = ? and a.number = ? and a.removed_at is null`,
    [team, agent],
  );
  return { ...status, ...(own ?? { kind: 'adaptive', workMode: null, currentGroup: null }) };
}

/** What can be dialled within the team, by number. */
export interface DirectoryEntry {
  /** As it is dialled: for an agent with the feature code that calls them where they are. */
  number: string;
  name: string | null;
  kind: 'extension' | 'agent' | 'group' | 'ring-group';
  /** The number of the agent. */
  agent: string | null;
}

/** Of a directory so many, unless who asks says another number. */
const usualDirectory = 500;
export const largestDirectory = 1000;

/**
 * Whom somebody can consult within the team: names and numbers, nothing of how they stand; `q`: what one has typed, the
 * beginning of a number or some of a name. A program or administrator limited to groups has these and the people in them.
 *
 * @throws Star64Error `usage` for a `limit` that is none.
 */
export function readDirectory(
  db: Queryable,
  { team, kind, groups, agents }: Pick<Principal, 'team' | 'kind' | 'groups' | 'agents'>,
  { q = '', limit = usualDirectory }: { q?: string | undefined; limit?: number | undefined } = {},
): Promise<DirectoryEntry[]> {
  checkWhole('size of a directory', { from: 1, to: largestDirectory }, limit);
  // Agents call and ask each other across groups.
  const isLimited = kind !== 'agent' && groups !== undefined;
  const typed = q.replaceAll('\0', '').trim();
  const like = typed.replace(/[\\%_]/g, '\\$&');
  return withDatabaseErrors(() =>
    prepared<DirectoryEntry>(
      db,
      `with t as (select id from teams where identity = :team)
       select * from (
         select x.number, u.name, 'extension' as kind, null as agent from extensions x join t on t.id = x.team_id
           join users u on u.id = x.user_id where x.removed_at is null
             and (not :isLimited::boolean or exists (select from agents o where o.user_id = x.user_id
               and o.number = any(:agents::text[]) and o.removed_at is null))
         union all select (select min(c.code) from feature_codes c where c.team_id = a.team_id and c.feature = 'call-agent')
             || a.number, u.name, 'agent', a.number from agents a join t on t.id = a.team_id
           join users u on u.id = a.user_id where a.removed_at is null
             and (not :isLimited::boolean or a.number = any(:agents::text[]))
         union all select g.number, g.name, 'group', null from agent_groups g join t on t.id = g.team_id where g.removed_at is null
             and (not :isLimited::boolean or g.name = any(:groups::text[]))
         union all select r.number, r.name, 'ring-group', null from ring_groups r join t on t.id = r.team_id where not :isLimited::boolean
       ) as d where number is not null
         and (:like::text = '' or number like :like::text || '%' or agent like :like::text || '%' or name ilike '%' || :like::text || '%')
       order by name, kind, number limit :limit`,
      { team, isLimited, agents: [...(agents ?? [])], groups: [...(groups ?? [])], like, limit },
    ),
  );
}
