import { prepared, type Queryable } from '../database/pool.js';
import { withDatabaseErrors } from '../database/sql-errors.js';
import type { AgentKind } from '../provisioning/people/agent.js';
import type { Principal } from '../provisioning/people/principal.js';
import { EventFeed } from './event-feed.js';
import { readAgent, type AgentStatus } from './status.js';

/** Somebody who is logged in, with what their page needs before it listens to events. */
export interface Me {
  /** The name of the person; null for a program. */
  person: string | null;
  /** Of an agent: as they stand. */
  state: (AgentStatus & { kind: AgentKind }) | null;
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
  const [own] = await prepared<{ kind: AgentKind }>(
    db,
    `select a.kind from agents a join teams t on t.id = a.team_id
     where t.identity = ? and a.number = ? and a.removed_at is null`,
    [team, agent],
  );
  return { ...status, ...(own ?? { kind: 'adaptive' }) };
}
