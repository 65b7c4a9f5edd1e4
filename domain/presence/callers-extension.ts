import { prepared, type Queryable } from '../database/pool.js';
import { bare, numberPlan } from '../telephone-numbers.js';

/** The extension of a team that is this endpoint of the operator's own; undefined: none. */
export async function extensionOfEndpoint(
  db: Queryable,
  team: string,
  endpoint: string,
): Promise<string | undefined> {
  const [row] = await prepared<{ number: string }>(
    db,
    `select x.number from extensions x join teams t on t.id = x.team_id
     where t.identity = ? and x.endpoint_node = t.node and x.endpoint = ? and x.removed_at is null`,
    [team, endpoint],
  );
  return row?.number;
}

/**
 * The telephone of a team that calls in: the extension whose telephone number is the caller's, however the trunk writes
 * it, if the call comes over a trunk that the team can use and whose caller numbers are trusted. Anybody can claim any
 * number elsewhere, so there nobody is known by it.
 */
export async function callersExtension(
  db: Queryable,
  team: string,
  endpoint: string,
  caller: string,
): Promise<string | undefined> {
  if (!/^[+]?[0-9]+$/.test(caller)) return undefined;
  const [trunk] = await prepared<{ teamId: number; country: string | null }>(
    db,
    `select t.id as "teamId", k.country from trunks k join teams t on t.identity = ?
     where k.endpoint = ? and k.trusted_caller_id and (k.team_id is null or k.team_id = t.id)`,
    [team, endpoint],
  );
  if (!trunk) return undefined;
  const key = bare((await numberPlan(trunk.country)).canonical(caller));
  const [row] = await prepared<{ number: string }>(
    db,
    'select number from extensions where team_id = ? and telephone_key = ? and removed_at is null',
    [trunk.teamId, key],
  );
  return row?.number;
}

/** Keeps whether an endpoint of the operator's has the line by which its phone has one call at a time. */
export async function recordGuard(
  db: Queryable,
  team: string,
  endpoint: string,
  guarded: boolean,
): Promise<void> {
  await prepared(
    db,
    `update extensions x set endpoint_guarded = :guarded::boolean from teams t
     where t.id = x.team_id and t.identity = :team and x.endpoint = :endpoint and x.removed_at is null
       and x.endpoint_guarded is distinct from :guarded::boolean`,
    { team, endpoint, guarded },
  );
}
