import { fork, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { connect as connectSocket } from 'node:net';
import { fileURLToPath } from 'node:url';
import { proofFor } from '../../agi/proof.js';
import { LabPostgres } from '../../domain/database/embedded/postgres.js';
import { migrate, migrationDeadlineMs } from '../../domain/database/migrate.js';
import { connect } from '../../domain/database/pool.js';
import { freePort } from '../../domain/machine/ports.js';
import { LabProcess } from '../../domain/machine/processes.js';
import { star64Command } from '../../lab/server.js';
import { addManyTeams, didsOf } from '../support/many-teams.js';
import { quantiles, type Quantiles } from './numbers.js';
import { environment, script, token, uniqueid } from './wire.js';

export interface QuestionSettings {
  perSecond: number;
  seconds: number;
  rounds: number;
}

export interface QuestionResult extends QuestionSettings {
  teams: number;
  dids: number;
  /** From the connection to the answer, in milliseconds: where a call goes, and a bare answer of ding-dong. */
  routed: Quantiles;
  bare: Quantiles;
  /** The same question while `star64 web` has 200 streams open, ten events a second and a scrape of its metrics a second. */
  doors: Quantiles;
  /** Events that came to the streams meanwhile. */
  streamed: number;
}

const many = { teams: 1000, extensions: 1, dids: 10 };

/** Where a call goes, asked at the pace of calls, of a server that has 10,000 DIDs in 1,000 teams, in turns with a bare answer. */
export async function measureQuestions(
  { perSecond, seconds, rounds }: QuestionSettings,
  progress: (text: string) => void,
): Promise<QuestionResult> {
  const postgres = await LabPostgres.start();
  const children: ChildProcess[] = [];
  const stops: (() => Promise<unknown>)[] = [];
  const responder = async (...args: string[]): Promise<number> => {
    const child = fork(fileURLToPath(new URL('./question-responder.js', import.meta.url)), args);
    children.push(child);
    const [{ port }] = (await once(child, 'message')) as [{ port: number }];
    return port;
  };
  try {
    progress('a database of 1,000 teams');
    const db = connect(postgres.url, {
      max: 1,
      deadlineMs: migrationDeadlineMs,
      idleMs: migrationDeadlineMs,
    });
    await migrate(db);
    await addManyTeams(db, many);
    await db.destroy();
    const ports = { routed: await responder(postgres.url), bare: await responder() };
    const answered: Record<'routed' | 'bare' | 'doors', number[]> = { routed: [], bare: [], doors: [] };
    progress('star64 web, and who listens to it');
    const web = await startWeb(postgres.url);
    stops.push(() => web.process.stop());
    const clients = fork(fileURLToPath(new URL('./door-clients.js', import.meta.url)), [
      postgres.url,
      web.url,
    ]);
    children.push(clients);
    await once(clients, 'message');
    let streamed = 0;
    const tell = async (word: 'begin' | 'rest'): Promise<void> => {
      clients.send(word);
      const [{ events }] = (await once(clients, 'message')) as [{ events: number }];
      streamed = events;
    };
    progress(`${perSecond} questions a second`);
    // The first round warms up.
    for (let round = 0; round <= rounds; round++) {
      for (const which of ['routed', 'bare'] as const) {
        const took = await ask(ports[which], perSecond, perSecond * seconds);
        if (round > 0) answered[which].push(...took);
      }
      await tell('begin');
      const took = await ask(ports.routed, perSecond, perSecond * seconds);
      if (round > 0) answered.doors.push(...took);
      await tell('rest');
    }
    return {
      ...{ perSecond, seconds, rounds, teams: many.teams, dids: many.teams * many.dids },
      routed: quantiles(answered.routed),
      bare: quantiles(answered.bare),
      doors: quantiles(answered.doors),
      streamed,
    };
  } finally {
    for (const child of children) child.disconnect();
    for (const stop of stops) await stop();
    await postgres.stop();
  }
}

/** `star64 web` beside the server that is asked, as an operator runs it. */
async function startWeb(databaseUrl: string): Promise<{ url: string; process: LabProcess }> {
  const port = await freePort();
  let serves = (): void => undefined;
  const serving = new Promise<void>((resolve) => (serves = resolve));
  const web = await LabProcess.launch(...star64Command('web'), {
    env: {
      PATH: process.env['PATH'],
      STAR64_CONFIG: '/dev/null',
      DATABASE_URL: databaseUrl,
      STAR64_WEB_PORT: String(port),
    },
    onLine: (line) => {
      if (line.includes('serving the HTTP API')) serves();
    },
  });
  await Promise.race([serving, web.exited]);
  if (!web.running) throw new Error(`star64 web: ${web.output().stderr}`);
  return { url: `http://127.0.0.1:${port}`, process: web };
}

/** Asks at an even pace; how long each answer took, in milliseconds. */
async function ask(port: number, perSecond: number, total: number): Promise<number[]> {
  const answers: Promise<number>[] = [];
  const begun = performance.now();
  for (let n = 0; n < total; n++) {
    await new Promise((resolve) =>
      setTimeout(resolve, Math.max(0, begun + (n * 1000) / perSecond - performance.now())),
    );
    const team = 1 + ((n * 7919) % many.teams);
    answers.push(question(port, [`t${team}`, didsOf(team, many)[n % many.dids] ?? '', 'lab-trunk']));
  }
  return Promise.all(answers);
}

function question(port: number, args: readonly string[]): Promise<number> {
  const from = performance.now();
  return new Promise((resolve, reject) => {
    const socket = connectSocket({ port, host: '127.0.0.1', noDelay: true });
    let took: number | undefined;
    socket.on('connect', () => socket.write(environment(port, [proofFor(uniqueid, script, token), ...args])));
    socket.on('data', () => {
      took ??= performance.now() - from;
      socket.write('200 result=1\n');
    });
    socket.on('error', reject);
    socket.on('close', () =>
      took === undefined ? reject(new Error('a question was not answered')) : resolve(took),
    );
  });
}
