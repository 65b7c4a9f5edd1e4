import { createHash, randomBytes } from 'node:crypto';
import { prepared, type Queryable } from '../../database/pool.js';
import { withDatabaseErrors } from '../../database/sql-errors.js';

/** What a principal may do, the least first; see {@link Principal}. An agent does only with themselves. */
export const apiRoles = ['agent', 'reader', 'supervisor', 'administrator'] as const;
export type ApiRole = (typeof apiRoles)[number];

/** Who comes with a token, with the rights of this moment. */
export interface Principal {
  /** Of the token. */
  id: number;
  team: string;
  kind: 'machine' | 'user' | 'agent';
  /** Of the token of a machine; the login of a user; the number of an agent. */
  name: string;
  /**
   * `reader` sees the team; `supervisor` also does with agents and calls what `star64 agent` and `star64 call` do;
   * `administrator` also provisions. `agent` does with themselves what their telephone does.
   */
  role: ApiRole;
  /** The number of an agent; of nobody else. */
  agent?: string;
  /** The agent groups to which they are limited, of an agent those that they are in; undefined: all of the team. */
  groups?: string[];
  /** With `groups`: numbers of the agents whom they see, who are in them; of an agent their own. */
  agents?: string[];
}

/** So long a login lasts after it was used last. */
export const loginSeconds = 12 * 3600;

const letters = { machine: 'm', user: 'u', agent: 'a' } as const;
const form = /^s64[mua]_[A-Za-z0-9_-]{43}$/;

/** A new token: 256 random bits, told once. */
export const makeToken = (kind: Principal['kind']): string =>
  `s64${letters[kind]}_${randomBytes(32).toString('base64url')}`;

/** What the database keeps of a token. */
export const hashOfToken = (token: string): string => createHash('sha256').update(token).digest('hex');

// Rights are looked up, never kept with a login: what is taken away opens nothing with the next request.
const select = (which: string): string => `
  select k.id, t.identity as team, coalesce(k.name, a.number, u.username) as name, a.number as agent,
    case when a.id is not null then 'agent' when u.id is not null then 'user' else 'machine' end as kind,
    case when a.id is not null then 'agent' when u.administrator then 'administrator'
      when u.id is not null then 'supervisor' else k.role end as role,
    case when l.ids is not null then array(select g.name from unnest(l.ids) with ordinality as o (id, at)
      join agent_groups g on g.id = o.id and g.removed_at is null order by o.at) end as groups,
    case when a.id is not null then array[a.number] when l.ids is not null then array(
      select distinct b.number from agent_group_members m join agents b on b.id = m.agent_id and b.removed_at is null
      join agent_groups g on g.id = m.group_id and g.removed_at is null where m.group_id = any(l.ids) order by b.number)
      end as agents,
    k.last_used_at is null or k.last_used_at < clock_timestamp() - interval '1 minute' as stale
  from api_tokens k join teams t on t.id = k.team_id
  left join agents a on a.id = k.agent_id left join users u on u.id = k.user_id
  cross join lateral (select case
    when a.id is not null
      then array(select m.group_id from agent_group_members m where m.agent_id = a.id order by m.position, m.group_id)
    when not u.administrator
      then array(select m.group_id from agent_group_administrators m where m.user_id = u.id order by m.group_id)
    when k.limited
      then array(select m.group_id from api_token_groups m where m.token_id = k.id order by m.group_id)
    end as ids) l
  where ${which} and k.revoked_at is null and (k.expires_at is null or k.expires_at > clock_timestamp())
    and (k.agent_id is null or a.password_hash is not null and a.removed_at is null)
    and (k.user_id is null or u.password_hash is not null and u.removed_at is null)`;
const byHash = select('k.hash = ?');
const byIds = select('k.id = any(?::integer[])');

interface Row extends Omit<Principal, 'agent' | 'groups' | 'agents'> {
  agent: string | null;
  groups: string[] | null;
  agents: string[] | null;
  stale: boolean;
}

function toPrincipal({ id, team, kind, name, role, agent, groups, agents }: Row): Principal | undefined {
  // A user who administers nothing has no rights here.
  if (kind === 'user' && groups?.length === 0) return undefined;
  return {
    id,
    team,
    kind,
    name,
    role,
    ...(agent !== null && { agent }),
    ...(groups !== null && { groups }),
    ...(agents !== null && { agents }),
  };
}

/**
 * Who comes with this token; undefined for one that opens nothing: made up, ended, taken away, of somebody who is gone or
 * has no rights any more. One statement, and within a minute a second one, which moves the end of a login on.
 */
export async function principalOf(db: Queryable, token: string): Promise<Principal | undefined> {
  if (!form.test(token)) return undefined;
  return withDatabaseErrors(async () => {
    const [row] = await prepared<Row>(db, byHash, [hashOfToken(token)]);
    const principal = row && toPrincipal(row);
    if (principal && row.stale)
      await prepared(
        db,
        `update api_tokens set last_used_at = clock_timestamp(), expires_at = case when name is null
           then clock_timestamp() + interval '${loginSeconds} seconds' else expires_at end
         where id = ? and revoked_at is null`,
        [row.id],
      );
    return principal;
  });
}

/** Those of the tokens, by id, that still open something, with their rights of now. One statement, however many. */
export async function livePrincipals(db: Queryable, ids: readonly number[]): Promise<Map<number, Principal>> {
  return withDatabaseErrors(async () => {
    const rows = await prepared<Row>(db, byIds, [[...ids]]);
    const live = rows.map(toPrincipal).filter((one) => one !== undefined);
    return new Map(live.map((one) => [one.id, one]));
  });
}
