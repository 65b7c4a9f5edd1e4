import type { Queryable } from '../database/pool.js';

/**
 * The telephone of a team that calls in: the extension whose telephone number is the caller's (a + in front or not), if
 * the call comes over a trunk that the team can use and whose caller numbers are trusted. Anybody can claim any number
 * elsewhere, so there nobody is known by it.
 */
export async function callersExtension(
  db: Queryable,
  team: string,
  endpoint: string,
  caller: string,
): Promise<string | undefined> {
  if (!/^[+]?[0-9]+$/.test(caller)) return undefined;
  const { rows } = await db.raw<{ rows: { number: string }[] }>(
    `select x.number from extensions x join teams t on t.id = x.team_id
     join trunks k on k.team_id is null or k.team_id = t.id
     where t.identity = ? and x.removed_at is null and k.endpoint = ? and k.trusted_caller_id
       and ltrim(x.telephone_number, '+') = ltrim(?, '+')`,
    [team, endpoint, caller],
  );
  return rows[0]?.number;
}
