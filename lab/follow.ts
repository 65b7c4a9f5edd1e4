import type { Database } from '../domain/database/pool.js';
import { StateFeed } from '../domain/monitor/event-feed.js';

interface Happening {
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
  const feed = await StateFeed.open(db, { team: null });
  let lastCall = await newestCall(db);
  while (!(ended as boolean)) {
    const { changes } = await feed.next();
    const states = changes.map(({ at, agent, state, until }) => {
      const limit = until === null ? '' : ` until ${clock(until)}`;
      return { at, text: `agent ${agent} is ${state}${limit}` };
    });
    const calls = await db.raw<{ rows: (Happening & { id: number })[] }>(
      `select id, arrived_at as at, 'call from ' || coalesce(caller, 'unknown') || ' to ' || coalesce(did, 'the queue') as text
       from calls where id > ? order by id`,
      [lastCall],
    );
    lastCall = calls.rows.at(-1)?.id ?? lastCall;
    const all: Happening[] = [...states, ...calls.rows].sort((a, b) => a.at.getTime() - b.at.getTime());
    for (const { at, text } of all) print(`${clock(at)}  ${text}`);
    await Promise.race([signalled, new Promise((resolve) => setTimeout(resolve, 300))]);
  }
}

const clock = (at: Date): string => at.toLocaleTimeString('en-GB');

async function newestCall(db: Database): Promise<number> {
  const row = await db('calls').max<{ max: number | null }[]>('id as max');
  return row[0]?.max ?? 0;
}
