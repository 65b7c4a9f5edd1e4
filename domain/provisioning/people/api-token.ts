import type { Queryable } from '../../database/pool.js';
import { withDatabaseErrors } from '../../database/sql-errors.js';
import { fail, type Star64Error } from '../../errors.js';
import { checkChoice, checkName, checkWhole, unknown } from '../../names.js';
import { change } from '../operations/change.js';
import { hashOfToken, makeToken } from './principal.js';
import { requireReferred } from '../values/rows.js';
import { requireTeam } from '../values/scope.js';

export { principalOf, type ApiRole, type Principal } from './principal.js';

/** What the holder of a token may do; see `api_tokens.role`. */
export const tokenRoles = ['reader', 'supervisor', 'administrator'] as const;
export type TokenRole = (typeof tokenRoles)[number];

/** A token of a program as it is listed: never itself. */
export interface ApiToken {
  name: string;
  role: TokenRole;
  /** To which it is limited; null: all of the team. */
  groups: string[] | null;
  createdAt: Date;
  createdBy: string;
  expiresAt: Date | null;
  /** To a minute; null: never. */
  lastUsedAt: Date | null;
}

const longestDays = 3650;

/**
 * Makes a token for a program. It is told here and nowhere else: the database has its hash only. `expiresSeconds`: it ends
 * by itself after so long. `groups`: it sees and does only what belongs to these agent groups, which no administrator's does.
 *
 * @throws Star64Error `usage` for a value that is none, `unknown` for a team or group, `taken` for the name of another token.
 */
export function addApiToken(
  db: Queryable,
  team: string,
  name: string,
  {
    role,
    groups,
    expiresSeconds,
    by,
  }: { role: string; groups?: readonly string[]; expiresSeconds?: number; by: string },
): Promise<ApiToken & { token: string }> {
  checkName('token', name);
  const checked = checkChoice('role', tokenRoles, role);
  if (groups !== undefined && checked === 'administrator') throw wholeTeam(name);
  if (expiresSeconds !== undefined)
    checkWhole(
      'time until a token ends, in seconds,',
      { from: 60, to: longestDays * 86_400 },
      expiresSeconds,
    );
  const token = makeToken('machine');
  return change(db, async (trx) => {
    const teamId = await requireTeam(trx, team);
    const limits = [];
    for (const group of groups ?? [])
      limits.push(await requireReferred(trx, 'group', { team, teamId }, group));
    // One that has ended by itself leaves its name to another.
    await trx.raw(
      `update api_tokens set revoked_at = expires_at where team_id = ? and name = ? and revoked_at is null
         and expires_at < clock_timestamp()`,
      [teamId, name],
    );
    const { rows } = await trx.raw<{ rows: { id: number }[] }>(
      `insert into api_tokens (team_id, name, role, limited, hash, created_by, expires_at)
       values (:teamId, :name, :role, :limited, :hash, :by, clock_timestamp() + make_interval(secs => :seconds))
       on conflict (team_id, name) where revoked_at is null do nothing
       returning id`,
      {
        teamId,
        name,
        role: checked,
        limited: groups !== undefined,
        hash: hashOfToken(token),
        by,
        seconds: expiresSeconds ?? null,
      },
    );
    const [row] = rows;
    if (!row)
      throw fail('taken', {
        noun: 'token',
        name,
        facts: { team },
        says: `team ${team} has a token ${name} already`,
        remedy: {
          text: 'choose another name, or take that one away first ({0})',
          steps: [{ noun: 'token', verb: 'remove', name, team }],
        },
      });
    await trx.raw(
      `insert into api_token_groups (team_id, token_id, group_id) select ?, ?, unnest(?::integer[]) on conflict do nothing`,
      [teamId, row.id, limits.map(({ id }) => id)],
    );
    const { rows: made } = await trx.raw<{ rows: ApiToken[] }>(
      `select ${columns} from api_tokens k where k.id = ?`,
      [row.id],
    );
    return { ...(made[0] as ApiToken), token };
  });
}

const wholeTeam = (name: string): Star64Error =>
  fail('not_applicable', {
    noun: 'token',
    name,
    facts: { field: 'groups', role: 'administrator' },
    says: `token ${name} is to be of an administrator, who administers the whole team and no group of it`,
    remedy: { text: 'leave --group out, or make it --role supervisor' },
  });

const columns = `name, role, case when limited then array(select g.name from api_token_groups m
    join agent_groups g on g.id = m.group_id and g.removed_at is null where m.token_id = k.id order by g.name) end as groups,
  created_at as "createdAt", created_by as "createdBy", expires_at as "expiresAt",
  last_used_at as "lastUsedAt"`;

/** The tokens of a team that open its door. @throws Star64Error `unknown` for a team that there is not. */
export function listApiTokens(db: Queryable, team: string): Promise<ApiToken[]> {
  return withDatabaseErrors(async () => {
    const { rows } = await db.raw<{ rows: ApiToken[] }>(
      `select ${columns} from api_tokens k where team_id = ? and name is not null and revoked_at is null
         and (expires_at is null or expires_at > clock_timestamp()) order by name`,
      [await requireTeam(db, team)],
    );
    return rows;
  });
}

/** Takes a token away; it opens nothing from the next request on. @throws Star64Error `unknown`. */
export function removeApiToken(db: Queryable, team: string, name: string): Promise<void> {
  return change(db, async (trx) => {
    const { rows } = await trx.raw<{ rows: unknown[] }>(
      `update api_tokens set revoked_at = clock_timestamp() where team_id = ? and name = ? and revoked_at is null returning id`,
      [await requireTeam(trx, team), name],
    );
    if (rows.length === 0) throw unknown('token', team, name);
  });
}
