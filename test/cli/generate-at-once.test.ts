import { existsSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { FileLock } from '../../domain/machine/lock.js';
import { until } from '../../domain/machine/processes.js';
import { freshDatabase } from '../support/database.js';
import { star64 } from '../support/cli.js';

const { url } = await freshDatabase(t);

void t.test(
  'whoever generates while somebody else does waits, and no database connection with them',
  async (t) => {
    const directory = t.testdir();
    const run = () =>
      star64(['generate'], {
        env: {
          DATABASE_URL: url,
          STAR64_ASTERISK_CONFIG_DIR: directory,
          STAR64_AGI_TOKEN: 'aTokenOfTheTests6464646464',
        },
      });
    const lock = await FileLock.acquire(join(directory, '.generating'));
    const results = [run(), run(), run()];
    await until('one of them to be there', () =>
      existsSync(join(directory, '.generating')) ? true : undefined,
    );
    t.notOk(existsSync(join(directory, 'current')));
    await lock.release();
    t.same(
      (await Promise.all(results)).map(({ status }) => status),
      [0, 0, 0],
    );
    t.ok(existsSync(join(directory, 'current/pjsip.conf')));
  },
);
