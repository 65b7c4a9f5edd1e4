import type { Database } from '../domain/database.js';

interface Happening {
  id: number;
  at: Date;
  text: string;
}

/** Prints every new state of an agent and every new call, as the database gets it, until `signalled`. */
export async function follow(
  db: Database,
  print: (text: string) => void,
  signalled: Promise<unknown>,
): Promise<void> {
  let ended = false;
  void signalled.then(() => (ended = true));
  const last = { state: await newest(db, 'agent_states'), call: await newest(db, 'calls') };
  while (!(ended as boolean)) {
    const states = await db.raw<{ rows: Happening[] }>(
      `select s.id, s.started_at as at, 'agent ' || a.number || ' is ' || s.state
         || case when s.deadline_at is null then '' else ' until ' || to_char(s.deadline_at, 'HH24:MI:SS') end as text
       from agent_states s join agents a on a.id = s.agent_id where s.id > ? order by s.id`,
      [last.state],
    );
    const calls = await db.raw<{ rows: Happening[] }>(
      `select id, arrived_at as at, 'call from ' || coalesce(caller, 'unknown') || ' to ' || coalesce(did, 'the queue') as text
       from calls where id > ? order by id`,
      [last.call],
    );
    last.state = states.rows.at(-1)?.id ?? last.state;
    last.call = calls.rows.at(-1)?.id ?? last.call;
    const all = [...states.rows, ...calls.rows].sort((a, b) => a.at.getTime() - b.at.getTime());
    for (const { at, text } of all) print(`${at.toLocaleTimeString('en-GB')}  ${text}`);
    await Promise.race([signalled, new Promise((resolve) => setTimeout(resolve, 300))]);
  }
}

async function newest(db: Database, table: 'agent_states' | 'calls'): Promise<number> {
  const row = await db(table).max<{ max: number | null }[]>('id as max');
  return row[0]?.max ?? 0;
}
