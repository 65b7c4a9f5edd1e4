import { crowd, type CrowdResult } from '../../../lab/caller.js';
import { until } from '../../../domain/machine/processes.js';
import { judge, type Verdict } from '../wire/judge.js';
import { logWire, phonesOnWire } from '../wire/log.js';
import { dids, phoneOfAgent, wrapUpSeconds, type LoadSite } from './site.js';

/** How many call in a round, for each of the two queues. */
export interface Size {
  /** Those who wait for as long as it takes: the agent ends the call. */
  patient: number;
  /** They come while agents are free, and hang up in the call. */
  hurried: number;
  /** They find everybody busy, and give up. */
  impatient: number;
}

export interface Round {
  verdict: Verdict;
  /** Numbers of callers who entered a queue, in their order. */
  entered: string[];
  /** What became of a call (its uniqueid), as `answered 1001`, `abandoned`. */
  outcomes: Map<string, string>;
  /** Offers that led to a conversation. */
  joined: string[];
  /** Conversations that the caller ended. */
  endedByCaller: number;
  crowds: CrowdResult[];
  /** Rows of the database from this round on are above it. */
  since: { call: number; state: number };
  /** Offers that a wrap-up followed. */
  wrapUps: string[];
}

/** A round from the first call to the last wrap-up. `prefix`: what the callers' numbers begin with. */
export async function play(
  site: LoadSite,
  prefix: string,
  size: Size,
  meanwhile: (over: AbortSignal) => Promise<void> = () => Promise.resolve(),
): Promise<Round> {
  const { asterisk, db } = site.centre;
  const last = async (table: string): Promise<number> =>
    Number((await db(table).max<{ id: string | null }[]>('id as id'))[0]?.id ?? 0);
  const since = { call: await last('calls'), state: await last('agent_states') };
  const logged = (await asterisk.queueLog()).length;
  const wrapUpsBefore = new Set(site.wrapUps.keys());
  const phones = await phonesOnWire(asterisk);
  const wire = await logWire(asterisk, `wire-${prefix}`);
  const over = new AbortController();
  const beside = meanwhile(over.signal);
  const server = asterisk.sip;
  const crowds = await Promise.all(
    Object.values(dids).flatMap((to, queue) =>
      [
        { total: size.patient, rate: 3, holdMs: 60_000 },
        { total: size.hurried, rate: 5, holdMs: 900 },
        { total: size.impatient, rate: 1, holdMs: queue === 0 ? 5000 : 3000 },
      ]
        .map((one, kind) => ({ ...one, from: `${prefix}${queue}${kind}` }))
        .filter(({ total }) => total > 0)
        .map((one) => crowd({ to, server, ...one })),
    ),
  );
  over.abort();
  await beside;
  await site.atRest();
  const packets = await wire();
  const log = readLog((await asterisk.queueLog()).slice(logged));
  const verdict = judge(packets, {
    phones,
    joined: new Set(log.talks),
    restSeconds: wrapUpSeconds,
    pauses: site.pauses,
  });
  // Events that are behind the database.
  await until('the events of every wrap-up', () =>
    log.joined.every((offer) => site.wrapUps.has(offer)) ? true : undefined,
  ).catch(() => undefined);
  const wrapUps = [...site.wrapUps.keys()].filter((offer) => !wrapUpsBefore.has(offer));
  return { ...log, verdict, crowds, since, wrapUps };
}

function readLog(
  lines: readonly string[],
): Pick<Round, 'entered' | 'outcomes' | 'joined' | 'endedByCaller'> & { talks: string[] } {
  const callers = new Map<string, string>();
  const outcomes = new Map<string, string>();
  const [joined, talks]: [string[], string[]] = [[], []];
  let endedByCaller = 0;
  for (const line of lines) {
    const [, uniqueid = '', , agent = '', event = '', ...data] = line.split('|');
    if (event === 'ENTERQUEUE') callers.set(uniqueid, data[1] ?? '');
    if (event === 'COMPLETECALLER') endedByCaller++;
    if (event === 'CONNECT') {
      outcomes.set(uniqueid, `answered ${agent}`);
      joined.push(data[1] ?? '');
      talks.push(`${phoneOfAgent(agent)} ${callers.get(uniqueid) ?? ''}`);
    } else if (/^(ABANDON|EXIT|FULL|SYSCOMPAT)/.test(event) && !outcomes.has(uniqueid))
      outcomes.set(uniqueid, event === 'ABANDON' ? 'abandoned' : event);
  }
  return { entered: [...callers.values()], outcomes, joined, talks, endedByCaller };
}
