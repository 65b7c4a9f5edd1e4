import { crowd, type CrowdResult } from '../../lab/caller.js';
import { until } from '../../domain/machine/processes.js';
import { cpuSecondsOf, cpuSecondsOfAll } from './cpu.js';
import { median } from './numbers.js';
import { numbers, Site } from './site.js';

/** Where a call leads; `asterisk` is a place of the operator's that answers and hangs up. */
export type Destination = keyof typeof numbers;
export const destinations = ['asterisk', 'extension', 'group'] as const;

/** CPU milliseconds for one call, without what the processes use when nobody calls. */
export interface CallCpu {
  asterisk: number;
  server: number;
  postgres: number;
  total: number;
}

export interface CallResult {
  destination: Destination;
  rate: number;
  calls: number;
  rounds: number;
  routed: CallCpu;
  static: CallCpu;
  /** Calls in a second without a failed one, and the next step that was tried; undefined where it was not looked for. */
  highest?: { routed: number; static: number };
}

export interface CallSettings {
  rounds: number;
  /** Seconds of calls for one way, before it is the other's turn. */
  sliceSeconds: number;
  /** Calls in a second: far from what the machine can do. A group has 20 agents, who rest for a second. */
  rates: Record<Destination, number>;
  /** Looking for the highest rate: the first one, the factor to the next, and for how long each is kept up. */
  climb: { from: number; factor: number; seconds: number };
}

/** Undefined in `static` calls: there is neither a server nor a database. */
type Way = 'routed' | 'static';
const ways = ['routed', 'static'] as const;

/** Calls over the trunk to the same places, by way of star64 and in static dialplan, in turns. */
export async function measureCalls(
  settings: CallSettings,
  progress: (text: string) => void,
): Promise<CallResult[]> {
  const site = await Site.start(progress);
  try {
    const results: CallResult[] = [];
    for (const destination of destinations) {
      const rate = settings.rates[destination];
      const calls = Math.round(rate * settings.sliceSeconds);
      progress(`${rate} calls a second to ${destination}`);
      const slices: Record<Way, CallCpu[]> = { routed: [], static: [] };
      // The first of each warms up.
      for (let round = 0; round <= settings.rounds; round++) {
        for (const way of round % 2 === 0 ? ways : ways.toReversed()) {
          const cpu = await slice(site, way, destination, rate, calls);
          if (round > 0) slices[way].push(cpu);
        }
      }
      results.push({
        destination,
        rate,
        calls,
        rounds: settings.rounds,
        routed: medians(slices.routed),
        static: medians(slices.static),
      });
    }
    for (const result of results) {
      if (result.destination === 'group') continue; // Its agents are the limit.
      progress(`the highest rate to ${result.destination}`);
      result.highest = {
        routed: await highestRate(site, 'routed', result.destination, settings.climb),
        static: await highestRate(site, 'static', result.destination, settings.climb),
      };
    }
    return results;
  } finally {
    await site.stop();
  }
}

async function slice(
  site: Site,
  way: Way,
  destination: Destination,
  rate: number,
  total: number,
): Promise<CallCpu> {
  const idleFrom = snapshot(site, way);
  await new Promise((resolve) => setTimeout(resolve, 1000));
  const from = snapshot(site, way);
  const result = await call(site, way, destination, rate, total);
  const to = snapshot(site, way);
  if (result.failed > 0) throw new Error(`${way} calls to ${destination} failed: ${JSON.stringify(result)}`);
  const each = (part: 'asterisk' | 'server' | 'postgres'): number => {
    const idle = (from[part] - idleFrom[part]) / (from.at - idleFrom.at);
    return ((to[part] - from[part] - idle * (to.at - from.at)) / total) * 1000;
  };
  const [asterisk, server, postgres] = [each('asterisk'), each('server'), each('postgres')];
  return { asterisk, server, postgres, total: asterisk + server + postgres };
}

function snapshot({ centre, plain }: Site, way: Way) {
  const at = performance.now() / 1000;
  if (way === 'static') return { at, asterisk: cpuSecondsOf(plain.pid), server: 0, postgres: 0 };
  return {
    at,
    asterisk: cpuSecondsOf(centre.asterisk.pid),
    server: cpuSecondsOf(centre.server.pid ?? 0),
    postgres: cpuSecondsOfAll(centre.postgres.pids),
  };
}

/** Lets the calls be made, and waits until the database knows of the end of each. */
async function call(
  { centre, plain }: Site,
  way: Way,
  destination: Destination,
  rate: number,
  total: number,
): Promise<CrowdResult> {
  const asterisk = way === 'routed' ? centre.asterisk : plain;
  const result = await crowd({
    to: numbers[destination],
    server: asterisk.sip,
    address: way === 'routed' ? '127.0.0.99' : '127.0.0.98',
    rate,
    total,
    // The other side hangs up; who waits for so long has been lost.
    holdMs: 20_000,
    patienceMs: 10_000,
  });
  if (way === 'routed') {
    await until(
      'the calls to be in the database',
      async () => {
        const open = await centre.db('calls').whereNull('ended_at').first<object | undefined>('id');
        return open === undefined ? true : undefined;
      },
      30_000,
    );
  }
  return result;
}

async function highestRate(
  site: Site,
  way: Way,
  destination: Destination,
  { from, factor, seconds }: CallSettings['climb'],
): Promise<number> {
  let highest = 0;
  for (let rate = from; ; rate = Math.round(rate * factor)) {
    const { failed } = await call(site, way, destination, rate, Math.round(rate * seconds));
    if (failed > 0) return highest;
    highest = rate;
  }
}

function medians(slices: readonly CallCpu[]): CallCpu {
  const of = (part: keyof CallCpu): number => median(slices.map((one) => one[part]));
  return { asterisk: of('asterisk'), server: of('server'), postgres: of('postgres'), total: of('total') };
}
