import { readStatus } from '../domain/monitor/status.js';
import { showExtensionSecret } from '../domain/provisioning/numbers/extension.js';
import { join } from 'node:path';
import { freePort } from '../domain/machine/ports.js';
import { LabProcess, until } from '../domain/machine/processes.js';
import { temporaryDirectory } from '../domain/machine/temporary.js';
import { setAgent } from '../domain/provisioning/people/agent.js';
import { addApiToken } from '../domain/provisioning/people/api-token.js';
import { generateSecret } from '../domain/password.js';
import { Star64Error } from '../domain/errors.js';
import { Centre } from './centre.js';
import { playDay, type Tell } from './day.js';
import { follow } from './follow.js';
import { provision, readFixture } from './provision.js';
import { star64Command } from './server.js';
import { readSummary, summaryLines } from './summary.js';

const fixture = new URL('../../fixtures/demo-team.json', import.meta.url);

/** Raised when Ctrl-C ends the demo before the day is over. */
const interrupted = (): Star64Error =>
  new Star64Error('interrupted', 'interrupted: everything is stopped again');

/**
 * `star64 demo`: a whole call centre on this machine, a day in small, a summary from the database. Fails unless all
 * that it shows really happened. With `keep` it then stays until `signalled`.
 */
export async function runDemo(
  print: (text: string) => void,
  signalled: Promise<unknown>,
  keep: boolean,
): Promise<void> {
  const started = performance.now();
  const tell: Tell = (who, what) => {
    const seconds = ((performance.now() - started) / 1000).toFixed(1).padStart(6);
    print(`${seconds} s  ${who.padEnd(14)} ${what}`);
  };
  let ended = false;
  const stop = signalled.then(() => {
    ended = true;
    throw interrupted();
  });
  // It is looked at in the races below; until then nobody holds it.
  stop.catch(() => undefined);

  const starting = Centre.start({
    provision: async (db) => provision(db, await readFixture(fixture)),
    // Of what nobody has applied everything that shows the team would say that it is not in Asterisk yet.
    apply: true,
    progress: (text) => {
      if (ended) throw interrupted();
      tell('star64', text);
    },
  });
  const centre = await Promise.race([starting, stop]).catch(async (error: unknown) => {
    // The day under way ends at its next step; a download may take longer, and leaves nothing broken when it is cut off.
    const settled = starting.then((late) => late.stop()).catch(() => undefined);
    if (ended) await Promise.race([settled, new Promise((resolve) => setTimeout(resolve, 3000))]);
    throw error;
  });
  try {
    await Promise.race([playDay(centre, tell), stop]);
    const summary = await readSummary(centre.db, 'astercc');
    print('\nSummary, from the database:');
    for (const line of summaryLines(summary)) print(`  ${line}`);
    if (summary.offered !== 3 || summary.answered !== 3 || summary.waits.length !== 3) {
      throw new Star64Error(
        'failure',
        'the database does not hold the three answered calls that were played',
      );
    }
    if (keep) await stay(centre, print, signalled);
  } finally {
    await centre.stop();
  }
}

async function stay(
  centre: Centre,
  print: (text: string) => void,
  signalled: Promise<unknown>,
): Promise<void> {
  const { secret } = await showExtensionSecret(centre.db, 'astercc', '5002');
  const web = await startWeb(centre);
  try {
    await showAll(centre, print, secret ?? '', web.lines);
    await follow(centre.db, print, signalled);
  } finally {
    await web.process.stop();
  }
}

/** `star64 web` on a free port, with a login for the agent's page and one for the board. */
async function startWeb(centre: Centre): Promise<{ process: LabProcess; lines: string }> {
  const port = await freePort();
  const outputFile = join(await temporaryDirectory('demo-web'), 'web.log');
  const env = { ...centre.env, STAR64_WEB_HOST: '127.0.0.1', STAR64_WEB_PORT: String(port) };
  const process = await LabProcess.launch(...star64Command('web'), { env, outputFile });
  const address = `http://127.0.0.1:${port}`;
  await until(
    'star64 web to answer',
    () =>
      fetch(`${address}/livez`).then(
        ({ ok }) => ok || undefined,
        () => undefined,
      ),
    60_000,
  );
  const password = generateSecret();
  await setAgent(centre.db, 'astercc', '1003', { password });
  const { token } = await addApiToken(centre.db, 'astercc', 'board', { role: 'reader', by: 'demo' });
  return {
    process,
    lines: `Pages, in a browser on this machine:
  ${address}/agent?team=astercc   agent 1003, password ${password}
  ${address}/board#token=${token}`,
  };
}

async function showAll(
  centre: Centre,
  print: (text: string) => void,
  secret: string,
  pages: string,
): Promise<void> {
  const { host, port } = centre.asterisk.sip;
  print(`
Everything is running. Register a softphone on this machine:
  server    ${host}:${port} (UDP)
  user      astercc-5002
  password  ${secret}
Dial:
  *641003   sign in as agent 1003; *64 asks for the number
  6000      be a customer: the queue "support"
  *67       end the wrap-up     *65  sign out
${pages}
What happens is shown here. Ctrl-C stops everything.
`);
  const { agents } = await readStatus(centre.db, 'astercc');
  for (const { number, name, state } of agents) print(`  agent ${number} ${name}: ${state}`);
}
