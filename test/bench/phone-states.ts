import { pause, ready } from '../../domain/presence/pause.js';
import { quantiles, type Quantiles } from './numbers.js';
import { each, team, type PhoneSite } from './phone-site.js';

export interface StateResult {
  /** Agents who change their state at the same time. */
  concurrency: number;
  changes: number;
  perSecond: number;
  /** Milliseconds for one change. */
  each: Quantiles;
  /** The limit: transactions in a second that change one row of the same table and do nothing else. */
  bareUpdatesPerSecond: number;
}

export interface StateSettings {
  concurrencies: readonly number[];
  /** Pauses, and as many ends of pauses. */
  pauses: number;
}

/** Pause and end of pause by the functions of the domain, in PostgreSQL alone. Signs all in, and out again. */
export async function measureStates(
  site: PhoneSite,
  { concurrencies, pauses }: StateSettings,
  progress: (text: string) => void,
): Promise<StateResult[]> {
  const { db } = site.centre;
  await site.signIn(site.agents);
  const results: StateResult[] = [];
  for (const concurrency of concurrencies) {
    progress(`${2 * pauses} changes of state, ${concurrency} at a time`);
    const agents = Array.from({ length: pauses }, (_, index) => site.agents[index % site.agents.length]);
    const times: number[] = [];
    const timed = async (change: Promise<{ outcome: string }>, wanted: string): Promise<void> => {
      const begin = performance.now();
      const { outcome } = await change;
      times.push(performance.now() - begin);
      if (outcome !== wanted) throw new Error(`${outcome} instead of ${wanted}`);
    };
    const begin = performance.now();
    await each(agents, concurrency, async (agent) => {
      const who = { agent: agent?.number ?? '' };
      await timed(pause(db, team, who), 'paused');
      await timed(ready(db, team, who), 'ready');
    });
    const seconds = (performance.now() - begin) / 1000;
    results.push({
      concurrency,
      changes: times.length,
      perSecond: times.length / seconds,
      each: quantiles(times),
      bareUpdatesPerSecond: await bareUpdates(site, concurrency, 2 * pauses),
    });
  }
  await site.signOut(site.agents);
  return results;
}

async function bareUpdates({ centre: { db } }: PhoneSite, concurrency: number, count: number) {
  const ids = await db('agent_states').whereNull('ended_at').pluck<number[]>('id');
  const begin = performance.now();
  await each(Array.from({ length: count }), concurrency, (_, index) =>
    db.raw('update agent_states set reason = ? where id = ?', [null, ids[index % ids.length] ?? 0]),
  );
  return (count / (performance.now() - begin)) * 1000;
}
