import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import t from 'tap';
import { generate } from '../../pbx/files/generate.js';
import { freshDatabase } from '../support/database.js';
import { addManyTeams } from '../support/many-teams.js';

/** The size that a site may grow to: 1,000 teams with 100 extensions and 100 DIDs each. */
const many = { teams: 1000, extensions: 100, dids: 100 };

await t.test('a hundred thousand extensions are generated in under 8 s of CPU and 500 MB', async (t) => {
  const { db } = await freshDatabase(t);
  await addManyTeams(db, many);
  const settings = {
    servers: ['127.0.0.1:9'],
    token: 'aTokenOfTheTests6464646464',
    passwordDigest: true,
    node: 'default',
    nobodyAnswers: 'an-error-has-occurred',
    directory: t.testdir(),
  };
  for (const round of ['first', 'unchanged'] as const) {
    const before = process.cpuUsage();
    const { changed } = await generate(db, settings);
    const { user, system } = process.cpuUsage(before);
    const seconds = (user + system) / 1e6;
    const megabytes = process.resourceUsage().maxRSS / 1024;
    t.comment(`${round}: ${seconds.toFixed(2)} s of CPU, at most ${megabytes.toFixed(0)} MB in this process`);
    t.equal(changed, round === 'first');
    t.ok(seconds < 8);
    t.ok(megabytes < 500);
  }
  t.equal((await readdir(join(settings.directory, 'current/teams'))).length, many.teams + 1);
});
