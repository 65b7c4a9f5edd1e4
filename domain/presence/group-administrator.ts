import { prepared, type Queryable } from '../database/pool.js';

/** Who may supervise at a phone; groups are those that are there. */
export interface SupervisorAt {
  /** The owner of the phone, if they administer a group; nobody need ask who they are. */
  readonly userId: number | null;
  /** Whether an administrator of some group of the team can say elsewhere who they are: has a phone, and a PIN. */
  readonly hasPins: boolean;
}

/** The administrators of groups of a team (spec 24), seen from a phone of it. */
export async function supervisorAt(db: Queryable, team: string, extension: string): Promise<SupervisorAt> {
  const [row] = await prepared<SupervisorAt>(
    db,
    `with administrator as (
       select u.id, u.pin_hash is not null as "hasPin" from teams t
       join users u on u.team_id = t.id and u.removed_at is null
       where t.identity = :team and exists (select from agent_group_administrators m
         join agent_groups g on g.id = m.group_id and g.removed_at is null where m.user_id = u.id)
     )
     select (select a.id from administrator a join extensions x on x.user_id = a.id
         where x.number = :extension and x.removed_at is null) as "userId",
       exists (select from administrator a join extensions x on x.user_id = a.id and x.removed_at is null
         where a."hasPin") as "hasPins"`,
    { team, extension },
  );
  return row ?? { userId: null, hasPins: false };
}

/** Whether a user administers a group of the team. */
export async function administersAny(db: Queryable, team: string, userId: number): Promise<boolean> {
  const [row] = await prepared<{ yes: boolean }>(
    db,
    `select exists (select from agent_group_administrators m
       join agent_groups g on g.id = m.group_id and g.removed_at is null join teams t on t.id = g.team_id
       where t.identity = :team and m.user_id = :userId) as yes`,
    { team, userId },
  );
  return row?.yes === true;
}

/** Whether a user administers a group that an agent of the team is in; undefined: there is no such agent. */
export async function administersAgent(
  db: Queryable,
  team: string,
  userId: number,
  agent: string,
): Promise<boolean | undefined> {
  const [row] = await prepared<{ yes: boolean }>(
    db,
    `select exists (select from agent_group_members b join agent_group_administrators m on m.group_id = b.group_id
       join agent_groups g on g.id = b.group_id and g.removed_at is null
       where b.agent_id = a.id and m.user_id = :userId) as yes
     from agents a join teams t on t.id = a.team_id
     where t.identity = :team and a.number = :agent and a.removed_at is null`,
    { team, userId, agent },
  );
  return row?.yes;
}

/** The user whose phone an extension of the team is; undefined: there is no such extension. */
export async function ownerOf(db: Queryable, team: string, extension: string): Promise<number | undefined> {
  const [row] = await prepared<{ userId: number }>(
    db,
    `select x.user_id as "userId" from extensions x join teams t on t.id = x.team_id
     where t.identity = :team and x.number = :extension and x.removed_at is null`,
    { team, extension },
  );
  return row?.userId;
}
