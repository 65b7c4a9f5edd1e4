/** The process that plays Asterisk: takes one job after the other over its channel to the benchmark. */
import { connect } from 'node:net';
import { proofFor } from '../../agi/proof.js';
import {
  commandsPerSession,
  environment,
  ownCpuSeconds,
  script,
  token,
  uniqueid,
  type LoadJob,
  type LoadResult,
} from './wire.js';

const reply = '200 result=1\n';
const lineEnd = 0x0a;

async function load({ port, concurrency, ms }: LoadJob): Promise<LoadResult> {
  const block = environment(port, [proofFor(uniqueid, script, token), 'astercc', '600100']);
  const exchanges: number[] = [];
  const start = performance.now();
  const cpu = ownCpuSeconds();
  const end = start + ms;
  let inTime = 0;
  let sessions = 0;
  let failed = 0;

  const session = (): Promise<void> =>
    new Promise((resolve) => {
      const socket = connect({ port, host: '127.0.0.1', noDelay: true });
      let commands = 0;
      let sentAt = 0;
      let whole = false;
      const send = (text: string): void => {
        sentAt = performance.now();
        socket.write(text);
      };
      socket.on('connect', () => send(block));
      socket.on('data', (chunk: Buffer) => {
        // Asterisk takes one command at a time, so nobody sends the next one before the reply.
        if (chunk.indexOf(lineEnd) !== chunk.length - 1) return;
        exchanges.push(performance.now() - sentAt);
        commands++;
        send(reply);
      });
      socket.on('end', () => (whole = commands === commandsPerSession));
      // The 'close' that follows counts it.
      socket.on('error', () => undefined);
      socket.on('close', () => {
        if (whole) sessions++;
        else failed++;
        if (whole && performance.now() <= end) inTime++;
        resolve();
      });
    });
  const again = async (): Promise<void> => {
    while (performance.now() < end) await session();
  };
  await Promise.all(Array.from({ length: concurrency }, again));

  exchanges.sort((one, other) => one - other);
  const quantile = (part: number): number => exchanges[Math.floor(part * (exchanges.length - 1))] ?? NaN;
  return {
    inTime,
    sessions,
    seconds: ms / 1000,
    failed,
    p50: quantile(0.5),
    p99: quantile(0.99),
    cpuSeconds: ownCpuSeconds() - cpu,
  };
}

process.on('message', (job: LoadJob) => void load(job).then((result) => process.send?.(result)));
process.on('disconnect', () => process.exit(0));
