import type { AmiMessage } from '../../pbx/ami/message.js';
import { phoneOf } from '../../pbx/queue/names.js';
import { until } from '../../domain/machine/processes.js';
import { quantiles, type Quantiles } from './numbers.js';
import { each, type Cpu, type PhoneSite } from './phone-site.js';

export interface WrapUpResult {
  /** Seconds over which the deadlines are spread; 0: all in the same instant. */
  spreadSeconds: number;
  agents: number;
  rounds: number;
  /**
   * Milliseconds from the deadline in the database to the moment at which Asterisk has the agent unpaused, from where
   * on a call that comes is offered to them. (A caller who waits already is looked after by app_queue once a second.)
   */
  delay: Quantiles;
  /** Ended before the deadline, and ended more than once. */
  early: number;
  twice: number;
  /** CPU milliseconds for one agent: Asterisk, all servers, PostgreSQL. */
  cpu: Cpu;
}

export interface WrapUpSettings {
  rounds: number;
  spreads: readonly number[];
}

/** Until the first deadline, so that everybody is in wrap-up before. */
const leadMs = 15_000;

/** All agents of a site in wrap-up at once: how long after its deadline is each over? Signs all in, and out again. */
export async function measureWrapUps(
  site: PhoneSite,
  { rounds, spreads }: WrapUpSettings,
  progress: (text: string) => void,
): Promise<WrapUpResult[]> {
  const signIns = await site.signIn(site.agents);
  const results: WrapUpResult[] = [];
  for (const spreadSeconds of spreads) {
    const seen: Round[] = [];
    for (let round = 0; round < rounds; round++) {
      progress(`${signIns.length} wrap-ups that end within ${spreadSeconds} s, round ${round + 1}`);
      seen.push(await measureRound(site, signIns, spreadSeconds));
    }
    const sum = (of: (one: Round) => number): number => seen.reduce((total, one) => total + of(one), 0);
    const cpu = (of: keyof Cpu): number => (sum((one) => one.cpu[of]) / (rounds * signIns.length)) * 1000;
    results.push({
      spreadSeconds,
      agents: signIns.length,
      rounds,
      delay: quantiles(seen.flatMap(({ delays }) => delays)),
      early: sum(({ early }) => early),
      twice: sum(({ twice }) => twice),
      cpu: { asterisk: cpu('asterisk'), servers: cpu('servers'), postgres: cpu('postgres') },
    });
  }
  await site.signOut(site.agents);
  return results;
}

interface Round {
  delays: number[];
  early: number;
  twice: number;
  cpu: Cpu;
}

async function measureRound(
  site: PhoneSite,
  signIns: Awaited<ReturnType<PhoneSite['signIn']>>,
  spreadSeconds: number,
): Promise<Round> {
  const { db } = site.centre;
  /** By extension, when the pause was lifted: Asterisk's own time of the event, in milliseconds. */
  const lifted = new Map<string, number[]>();
  const take = ({ headers }: AmiMessage): void => {
    if (headers.get('paused') !== '0') return;
    const extension = phoneOf(headers.get('interface') ?? '')?.extension ?? '';
    lifted.set(extension, [...(lifted.get(extension) ?? []), Number(headers.get('timestamp')) * 1000]);
  };
  const name = `${Date.now()}`;
  const from = Date.now() + leadMs;
  site.manager.on('event', take);
  try {
    await each(signIns, 10, (signIn, index) =>
      site.beginWrapUp(
        signIn,
        site.agents[index]?.group ?? '',
        `${name}.${index}`,
        from + (spreadSeconds * 1000 * index) / signIns.length,
      ),
    );
    if (Date.now() > from - 1000)
      throw new Error('this machine is too busy: the first deadline came too soon');
    await new Promise((resolve) => setTimeout(resolve, from - 500 - Date.now()));
    const before = site.cpu();
    await until(
      'the end of all wrap-ups',
      () => Promise.resolve(lifted.size === signIns.length ? true : undefined),
      (spreadSeconds + 60) * 1000,
    );
    const after = site.cpu();
    // Somebody who did it a second time would do it now.
    await new Promise((resolve) => setTimeout(resolve, 1500));

    const { rows } = await db.raw<{
      rows: { extension: string; deadline: number; ended: number; next: number }[];
    }>(
      `select x.number as extension, extract(epoch from s.deadline_at)::double precision * 1000 as deadline,
         extract(epoch from s.ended_at)::double precision * 1000 as ended,
         (select count(*) from agent_states n where n.sign_in_id = s.sign_in_id and n.id > s.id) as next
       from agent_states s join sign_ins i on i.id = s.sign_in_id join extensions x on x.id = i.extension_id
       where s.state = 'wrap-up' and s.offer_id like ?`,
      [`${name}.%`],
    );
    if (rows.length !== signIns.length) throw new Error(`${rows.length} wrap-ups of ${signIns.length}`);
    const ends = rows.map((row) => ({ ...row, at: lifted.get(row.extension) ?? [] }));
    return {
      delays: ends.map(({ at, deadline }) => (at[0] ?? NaN) - deadline),
      early: ends.filter(({ at, ended, deadline }) => ended < deadline || (at[0] ?? 0) < deadline).length,
      twice: ends.filter(({ at, next }) => at.length > 1 || next > 1).length,
      cpu: {
        asterisk: after.asterisk - before.asterisk,
        servers: after.servers - before.servers,
        postgres: after.postgres - before.postgres,
      },
    };
  } finally {
    site.manager.off('event', take);
  }
}
