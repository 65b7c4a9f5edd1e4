import { prepared, type Queryable } from '../../database/pool.js';
import { withDatabaseErrors } from '../../database/sql-errors.js';
import { checkWhole } from '../../names.js';
import { requireTeam } from '../../provisioning/team.js';
import type { SupervisionMode } from './supervision.js';

/** That an administrator listened to a call; names are those of now. */
export interface ListedSupervision {
  id: number;
  beganAt: Date;
  /** Null: it goes on. */
  endedAt: Date | null;
  /** User name of the administrator, and the phone where they listened. */
  user: string;
  from: string;
  extension: string;
  /** Who was signed in there; null: nobody. */
  agent: string | null;
  /** Whose call it was. */
  group: string;
  /** Uniqueid of the call, for `call show`. */
  call: string;
  /** Of now, or the last. */
  mode: SupervisionMode;
  /** From the beginning to the end, or so far. */
  seconds: number;
  /** In each mode, as far as it was told. */
  listened: number;
  whispered: number;
  barged: number;
  /** Whether the agent was told by a tone. */
  announced: boolean;
}

export interface SupervisionFilter {
  since?: Date;
  /** Number of the agent who was listened to. */
  agent?: string;
  /** User name of who listened. */
  user?: string;
  group?: string;
  limit?: number;
}

/** Who listened to whom in a team, the newest first. @throws Star64Error `unknown` for a team that there is not. */
export function listSupervisions(
  db: Queryable,
  team: string,
  { since, agent, user, group, limit = 50 }: SupervisionFilter = {},
): Promise<ListedSupervision[]> {
  return withDatabaseErrors(async () => {
    const teamId = await requireTeam(db, team);
    const rows = await prepared<ListedSupervision & { id: string }>(
      db,
      `select s.id, s.began_at as "beganAt", s.ended_at as "endedAt", u.username as "user", f.number as "from",
         x.number as extension, a.number as agent, g.name as "group", s.call_uniqueid as call, s.mode,
         round(extract(epoch from coalesce(s.ended_at, clock_timestamp()) - s.began_at))::integer as seconds,
         round(s.listened_ms / 1000.0)::integer as listened, round(s.whispered_ms / 1000.0)::integer as whispered,
         round(s.barged_ms / 1000.0)::integer as barged, s.announced
       from supervisions s join users u on u.id = s.user_id join extensions f on f.id = s.from_extension_id
       join extensions x on x.id = s.extension_id join agent_groups g on g.id = s.group_id
       left join agents a on a.id = s.agent_id
       where s.team_id = :teamId and (:since::timestamptz is null or s.began_at >= :since::timestamptz)
         and (:agent::text is null or a.number = :agent) and (:user::text is null or u.username = :user)
         and (:group::text is null or g.name = :group)
       order by s.began_at desc, s.id desc limit :limit`,
      {
        teamId,
        since: since ?? null,
        agent: agent ?? null,
        user: user ?? null,
        group: group ?? null,
        limit: checkWhole('limit', { from: 1, to: 10_000 }, limit),
      },
    );
    return rows.map((row) => ({ ...row, id: Number(row.id) }));
  });
}
