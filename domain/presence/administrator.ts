import { prepared, type Queryable } from '../database/pool.js';

/** The single administrator of a team, as they are known at a phone. */
export interface Administrator {
  readonly userId: number;
  /** Whether the phone is theirs, and nobody need ask who they are. */
  readonly atOwnPhone: boolean;
  /** Whether they can say at another phone who they are. */
  readonly hasPin: boolean;
}

/** The administrator of a team, seen from a phone; undefined: it has none. */
export async function administratorAt(
  db: Queryable,
  team: string,
  extension: string,
): Promise<Administrator | undefined> {
  const [row] = await prepared<Administrator>(
    db,
    `select u.id as "userId", u.pin_hash is not null as "hasPin", exists (select from extensions x
       where x.user_id = u.id and x.number = :extension and x.removed_at is null) as "atOwnPhone"
     from users u join teams t on t.id = u.team_id
     where t.identity = :team and u.administrator and u.removed_at is null`,
    { team, extension },
  );
  return row;
}
