import { fork, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { connect as connectSocket } from 'node:net';
import { fileURLToPath } from 'node:url';
import { proofFor } from '../../agi/proof.js';
import { LabPostgres } from '../../domain/database/embedded/postgres.js';
import { migrate, migrationDeadlineMs } from '../../domain/database/migrate.js';
import { connect } from '../../domain/database/pool.js';
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
}

const many = { teams: 1000, extensions: 1, dids: 10 };

/** Where a call goes, asked at the pace of calls, of a server that has 10,000 DIDs in 1,000 teams, in turns with a bare answer. */
export async function measureQuestions(
  { perSecond, seconds, rounds }: QuestionSettings,
  progress: (text: string) => void,
): Promise<QuestionResult> {
  const postgres = await LabPostgres.start();
  const children: ChildProcess[] = [];
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
    const answered: Record<keyof typeof ports, number[]> = { routed: [], bare: [] };
    progress(`${perSecond} questions a second`);
    // The first round warms up.
    for (let round = 0; round <= rounds; round++) {
      for (const which of ['routed', 'bare'] as const) {
        const took = await ask(ports[which], perSecond, perSecond * seconds);
        if (round > 0) answered[which].push(...took);
      }
    }
    return {
      ...{ perSecond, seconds, rounds, teams: many.teams, dids: many.teams * many.dids },
      routed: quantiles(answered.routed),
      bare: quantiles(answered.bare),
    };
  } finally {
    for (const child of children) child.disconnect();
    await postgres.stop();
  }
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
