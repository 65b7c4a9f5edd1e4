import type { Database } from '../../domain/database/pool.js';

/** A state of the past: when it began and ended (null: it goes on), and why the agent paused. */
export type Past = readonly [state: string, from: string, to: string | null, reason?: string];

/** Signs an agent in and out in the past, with these states one after the other. */
export async function pastShift(db: Database, agent: string, states: readonly Past[]): Promise<void> {
  const [first, last] = [states[0], states.at(-1)];
  if (!first || !last) throw new Error('a shift without a state');
  const { rows } = await db.raw<{ rows: { id: number }[] }>(
    `insert into sign_ins (team_id, agent_id, extension_id, signed_in_at, signed_out_at)
     select a.team_id, a.id, (select min(x.id) from extensions x where x.team_id = a.team_id
         and not exists (select from sign_ins i where i.extension_id = x.id and i.signed_out_at is null)), :from, :to
     from agents a join teams t on t.id = a.team_id
     where t.identity = 'astercc' and a.number = :agent and a.removed_at is null returning id`,
    { agent, from: first[1], to: last[2] },
  );
  for (const [state, from, to, reason] of states)
    await db.raw(
      `insert into agent_states (team_id, agent_id, sign_in_id, state, started_at, ended_at, reason, pause_digit)
       select team_id, agent_id, id, :state::agent_state, :from, :to, :reason,
         case when :state = 'paused' then case when :reason::text is null then '0' else '1' end end
       from sign_ins where id = :id`,
      { id: rows[0]?.id ?? 0, state, from, to, reason: reason ?? null },
    );
}
