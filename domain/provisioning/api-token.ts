import { createHash, randomBytes } from 'node:crypto';
import { prepared, type Queryable } from '../database/pool.js';
import { withDatabaseErrors } from '../database/sql-errors.js';
import { fail } from '../errors.js';
import { checkChoice, checkName, checkWhole, unknown } from '../names.js';
import { change } from './change.js';
import { requireTeam } from './scope.js';

/** What the holder of a token may do; see `api_tokens.role`. */
export const apiRoles = ['reader', 'supervisor'] as const;
export type ApiRole = (typeof apiRoles)[number];

/** A token as it is listed: never itself. */
export interface ApiToken {
  name: string;
  role: ApiRole;
  createdAt: Date;
  createdBy: string;
  expiresAt: Date | null;
  /** To a minute; null: never. */
  lastUsedAt: Date | null;
}

/** Who comes with a token. */
export interface Principal {
  /** Of the token. */
  id: number;
  team: string;
  /** Of the token. */
  name: string;
  role: ApiRole;
}

/** Of machines; tokens of people will have another letter. */
const prefix = 's64m_';
const tokenForm = /^s64m_[A-Za-z0-9_-]{43}$/;
const longestDays = 3650;

const hashOf = (token: string): string => createHash('sha256').update(token).digest('hex');

/**
 * Makes a token for a program. It is told here and nowhere else: the database has its hash only. `expiresSeconds`: it ends
 * by itself after so long.
 *
 * @throws Star64Error `usage` for a value that is none, `unknown` for a team, `taken` for the name of another token.
 */
export function addApiToken(
  db: Queryable,
  team: string,
  name: string,
  { role, expiresSeconds, by }: { role: string; expiresSeconds?: number; by: string },
): Promise<ApiToken & { token: string }> {
  checkName('token', name);
  const checked = checkChoice('role', apiRoles, role);
  if (expiresSeconds !== undefined)
    checkWhole(
      'time until a token ends, in seconds,',
      { from: 60, to: longestDays * 86_400 },
      expiresSeconds,
    );
  const token = `${prefix}${randomBytes(32).toString('base64url')}`;
  return change(db, async (trx) => {
    const teamId = await requireTeam(trx, team);
    // One that has ended by itself leaves its name to another.
    await trx.raw(
      `update api_tokens set revoked_at = expires_at where team_id = ? and name = ? and revoked_at is null
         and expires_at < clock_timestamp()`,
      [teamId, name],
    );
    const { rows } = await trx.raw<{ rows: ApiToken[] }>(
      `insert into api_tokens (team_id, name, role, hash, created_by, expires_at)
       values (:teamId, :name, :role, :hash, :by, clock_timestamp() + make_interval(secs => :seconds))
       on conflict (team_id, name) where revoked_at is null do nothing
       returning ${columns}`,
      { teamId, name, role: checked, hash: hashOf(token), by, seconds: expiresSeconds ?? null },
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
    return { ...row, token };
  });
}

const columns = `name, role, created_at as "createdAt", created_by as "createdBy", expires_at as "expiresAt",
  last_used_at as "lastUsedAt"`;

/** The tokens of a team that open its door. @throws Star64Error `unknown` for a team that there is not. */
export function listApiTokens(db: Queryable, team: string): Promise<ApiToken[]> {
  return withDatabaseErrors(async () => {
    const { rows } = await db.raw<{ rows: ApiToken[] }>(
      `select ${columns} from api_tokens where team_id = ? and revoked_at is null
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

/** Who comes with this token; undefined for one that opens nothing: made up, ended, taken away. One statement. */
export async function principalOf(db: Queryable, token: string): Promise<Principal | undefined> {
  if (!tokenForm.test(token)) return undefined;
  return withDatabaseErrors(async () => {
    const [row] = await prepared<Principal & { stale: boolean }>(
      db,
      `select k.id, t.identity as team, k.name, k.role,
         k.last_used_at is null or k.last_used_at < clock_timestamp() - interval '1 minute' as stale
       from api_tokens k join teams t on t.id = k.team_id
       where k.hash = ? and k.revoked_at is null and (k.expires_at is null or k.expires_at > clock_timestamp())`,
      [hashOf(token)],
    );
    if (!row) return undefined;
    if (row.stale)
      await prepared(db, 'update api_tokens set last_used_at = clock_timestamp() where id = ?', [row.id]);
    return { id: row.id, team: row.team, name: row.name, role: row.role };
  });
}

/** Those of the tokens, by id, that still open something. One statement, however many. @throws Star64Error without a database. */
export async function liveTokens(db: Queryable, ids: readonly number[]): Promise<Set<number>> {
  return withDatabaseErrors(async () => {
    const rows = await prepared<{ id: number }>(
      db,
      `select id from api_tokens where id = any(?) and revoked_at is null
         and (expires_at is null or expires_at > clock_timestamp())`,
      [[...ids]],
    );
    return new Set(rows.map(({ id }) => id));
  });
}
