import { fork } from 'node:child_process';
import { once } from 'node:events';
import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import t from 'tap';
import { freshDatabase } from '../support/database.js';
import type { GenerateCost } from '../support/processes/generate-process.js';
import { addManyTeams } from '../support/many-teams.js';

/** The size that a site may grow to: 1,000 teams with 100 extensions and 100 DIDs each. */
const many = { teams: 1000, extensions: 100, dids: 100 };
const program = fileURLToPath(new URL('../support/processes/generate-process.js', import.meta.url));

await t.test('a hundred thousand extensions are generated in under 8 s of CPU and 500 MB', async (t) => {
  const { db, url } = await freshDatabase(t);
  await addManyTeams(db, many);
  const directory = t.testdir();
  for (const round of ['first', 'unchanged'] as const) {
    // In a process of its own, as a command is: what the round before has left in memory is not measured.
    const child = fork(program, [url, directory], { execArgv: [] });
    const ended = once(child, 'exit');
    const [cost] = (await Promise.race([once(child, 'message'), ended.then(() => [undefined])])) as [
      GenerateCost | undefined,
    ];
    await ended;
    if (!cost) throw new Error('the process ended without an answer');
    const { changed, seconds, megabytes } = cost;
    t.comment(
      `${round}: ${seconds.toFixed(2)} s of CPU, at most ${megabytes.toFixed(0)} MB, the whole process`,
    );
    t.equal(changed, round === 'first');
    t.ok(seconds < 8);
    t.ok(megabytes < 500);
  }
  t.equal((await readdir(join(directory, 'current/teams'))).length, many.teams + 1);
});
