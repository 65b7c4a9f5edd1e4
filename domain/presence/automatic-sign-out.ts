import type { Database, Queryable } from '../database/pool.js';
import { signInColumns, type SignIn } from './open-sign-in.js';
import { close } from './sign-in.js';
import { statesBefore } from './transitions.js';

/** A sign-in that a server has ended, and why. */
export type AutomaticSignOut = SignIn & { why: 'longest pause' | 'idle' | 'end of shift' };

/**
 * Signs out at most `atMost` agents who have stayed longer than their pause, their idling or their shift allows; never
 * in a call, and never a fixed agent; only of teams on this node, so that its Asterisk is told. The current group
 * decides for idling and shift. Idling counts from what the agent did last (sign_ins.acted_at), whatever rang in
 * between: also in the wrap-up after a call that they let ring, and in the pause for missed calls. Any number of servers
 * may call this at once. Returns the sign-ins that this call has ended.
 */
export async function signOutOverdue(db: Database, node: string, atMost = 500): Promise<AutomaticSignOut[]> {
  return db.transaction(async (trx) => {
    const due = await findDue(trx, node, atMost);
    const reasons = new Set(due.map(({ why }) => why));
    for (const reason of reasons) {
      const ids = due.filter(({ why }) => why === reason).map(({ id }) => id);
      await close(trx, ids, reason);
    }
    return due;
  });
}

async function findDue(trx: Queryable, node: string, atMost: number): Promise<AutomaticSignOut[]> {
  const { rows } = await trx.raw<{ rows: AutomaticSignOut[] }>(
    `
    select ${signInColumns}, due.why
    from sign_ins i
    join teams t on t.id = i.team_id and t.node = :node
    join agents a on a.id = i.agent_id
    join extensions x on x.id = i.extension_id
    join agent_states s on s.sign_in_id = i.id and s.ended_at is null
    left join agent_groups g on g.id = i.current_group_id
    cross join lateral (select case
      when s.state = 'paused' and s.at_deadline = 'sign-out' and s.deadline_at <= clock_timestamp() then 'longest pause'
      when i.acted_at + make_interval(secs => g.idle_sign_out_seconds) <= clock_timestamp() and (
        s.state = 'idle' or s.state = 'paused' and s.pause_digit is null
        or s.state = 'wrap-up' and not exists (select from agent_states p
          where p.sign_in_id = i.id and p.offer_id = s.offer_id and p.state = 'talking')) then 'idle'
      when g.sign_out_at is not null and clock_timestamp() >= (
        -- The first end of a shift after the sign-in.
        select min(moment) from generate_series(0, 1) as later (days) cross join lateral
          (select ((i.signed_in_at at time zone t.time_zone)::date + later.days + g.sign_out_at) at time zone t.time_zone) as of (moment)
        where moment > i.signed_in_at) then 'end of shift'
      end) as due (why)
    where i.signed_out_at is null and a.kind <> 'fixed' and s.state = any(:from::agent_state[]) and due.why is not null
    order by i.id limit :atMost
    for no key update of i, s skip locked`,
    { from: statesBefore('overdue'), node, atMost },
  );
  return rows;
}
