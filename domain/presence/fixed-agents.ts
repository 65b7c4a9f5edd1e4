import type { Queryable } from '../database/pool.js';

/**
 * Signs in every fixed agent who is not: a fixed agent is signed in by nature, at the phone that is theirs alone. One whose
 * phone somebody else uses still has to wait until that one has signed out. Returns how many were signed in.
 */
export async function signInFixedAgents(db: Queryable): Promise<number> {
  const { rows } = await db.raw<{ rows: unknown[] }>(`
    with due as (
      -- Locked: one who is being removed in the same moment is not signed in any more.
      select a.team_id, a.id, a.extension_id from agents a
      where a.kind = 'fixed' and a.removed_at is null
        and not exists (select from sign_ins i where i.signed_out_at is null
          and (i.agent_id = a.id or i.extension_id = a.extension_id))
      for share of a skip locked
    ), entered as (
      insert into sign_ins (team_id, agent_id, extension_id, signed_in_by, current_group_id)
      select team_id, id, extension_id, 'fixed',
        (select group_id from agent_group_members where agent_id = due.id order by position, group_id limit 1)
      from due
      on conflict do nothing
      returning id, team_id, agent_id, signed_in_at)
    insert into agent_states (team_id, agent_id, sign_in_id, state, started_at)
    select team_id, agent_id, id, 'idle', signed_in_at from entered returning 1`);
  return rows.length;
}
