import { fork, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { median } from './numbers.js';
import type { LoadJob, LoadResult, ResponderMessage } from './wire.js';

/** The limit comes first: the others are held against it. */
export const responders = ['node:net', 'star64', 'ding-dong'] as const;
export type ResponderName = (typeof responders)[number];

/** Medians over the rounds. */
export interface AgiFigures {
  sessionsPerSecond: number;
  p50Ms: number;
  p99Ms: number;
  /** CPU of the responder. */
  cpuMicrosecondsPerSession: number;
}

export interface AgiResult {
  concurrency: number;
  rounds: number;
  figures: Record<ResponderName, AgiFigures>;
  /** Of the time that passed, what the load generator spent on the CPU: near 1, it was the limit and not the server. */
  generatorLoad: number;
}

export interface AgiSettings {
  concurrencies: readonly number[];
  rounds: number;
  /** How long one server is asked before it is the next one's turn. */
  sliceMs: number;
}

interface Slice extends AgiFigures {
  generatorLoad: number;
}

/**
 * FastAGI sessions of four commands against each server in turn, each in a process of its own, in slices of a second
 * or so: what else happens on the machine meets them alike.
 */
export async function measureFastAgi(
  { concurrencies, rounds, sliceMs }: AgiSettings,
  progress: (text: string) => void,
): Promise<AgiResult[]> {
  const children: ChildProcess[] = [];
  const child = (file: string, ...args: string[]): ChildProcess => {
    const one = fork(fileURLToPath(new URL(file, import.meta.url)), args);
    children.push(one);
    return one;
  };
  try {
    const generator = child('./load.js');
    const servers = new Map<ResponderName, { process: ChildProcess; port: number }>();
    for (const name of responders) {
      const server = child('./responder.js', name);
      servers.set(name, { process: server, port: (await answer<{ port: number }>(server)).port });
    }
    const slice = async (name: ResponderName, concurrency: number, ms: number): Promise<Slice> => {
      const server = servers.get(name);
      if (!server) throw new Error(`${name} was not started`);
      const before = await cpuOf(server.process);
      const result = await ask<LoadResult>(generator, {
        port: server.port,
        concurrency,
        ms,
      } satisfies LoadJob);
      const cpu = (await cpuOf(server.process)) - before;
      if (result.failed > 0) throw new Error(`${name}: ${result.failed} sessions failed`);
      return {
        sessionsPerSecond: result.inTime / result.seconds,
        p50Ms: result.p50,
        p99Ms: result.p99,
        cpuMicrosecondsPerSession: (cpu / result.sessions) * 1e6,
        generatorLoad: result.cpuSeconds / result.seconds,
      };
    };

    for (const name of responders) await slice(name, 50, 2000); // Until V8 has compiled what is used.
    const results: AgiResult[] = [];
    for (const concurrency of concurrencies) {
      progress(`FastAGI, ${concurrency} at a time`);
      const slices: Record<ResponderName, Slice[]> = { 'node:net': [], star64: [], 'ding-dong': [] };
      for (let round = 0; round < rounds; round++) {
        const order = responders.map(
          (_, index) => responders[(index + round) % responders.length] ?? 'star64',
        );
        for (const name of order) slices[name].push(await slice(name, concurrency, sliceMs));
      }
      results.push({
        concurrency,
        rounds,
        figures: {
          'node:net': medians(slices['node:net']),
          star64: medians(slices.star64),
          'ding-dong': medians(slices['ding-dong']),
        },
        generatorLoad: median(slices.star64.map(({ generatorLoad }) => generatorLoad)),
      });
    }
    return results;
  } finally {
    for (const one of children) one.disconnect();
  }
}

function medians(slices: readonly Slice[]): AgiFigures {
  const of = (figure: keyof AgiFigures): number => median(slices.map((slice) => slice[figure]));
  return {
    sessionsPerSecond: of('sessionsPerSecond'),
    p50Ms: of('p50Ms'),
    p99Ms: of('p99Ms'),
    cpuMicrosecondsPerSession: of('cpuMicrosecondsPerSession'),
  };
}

async function cpuOf(server: ChildProcess): Promise<number> {
  const message = await ask<ResponderMessage>(server, {});
  return 'cpuSeconds' in message ? message.cpuSeconds : NaN;
}

async function ask<T>(child: ChildProcess, message: object): Promise<T> {
  child.send(message);
  return await answer<T>(child);
}

/** The next message of a child; fails when the child ends instead. */
async function answer<T>(child: ChildProcess): Promise<T> {
  const gone = new AbortController();
  const [message] = (await Promise.race([
    once(child, 'message', { signal: gone.signal }),
    once(child, 'exit', { signal: gone.signal }).then(([status]) => {
      throw new Error(`a process of the benchmark ended with status ${String(status)}`);
    }),
  ]).finally(() => gone.abort())) as [T];
  return message;
}
