import { existsSync } from 'node:fs';
import { userInfo } from 'node:os';
import { join } from 'node:path';
import t from 'tap';
import { FileLock } from '../../domain/machine/lock.js';
import { until } from '../../domain/machine/processes.js';
import { freshDatabase } from '../support/database.js';
import { star64 } from '../support/processes/cli.js';

const { url, db } = await freshDatabase(t);

void t.test(
  'whoever generates while somebody else does waits, and no database connection with them',
  async (t) => {
    const directory = t.testdir();
    let waiting = 0;
    const run = () =>
      star64(['generate'], {
        onErr: (text) => (waiting += text.split('waiting:').length - 1),
        env: {
          DATABASE_URL: url,
          STAR64_ASTERISK_CONFIG_DIR: directory,
          STAR64_ASTERISK_USER: userInfo().username,
          STAR64_AGI_TOKEN: 'aTokenOfTheTests6464646464',
        },
      });
    const lock = await FileLock.acquire(join(directory, '.generating'));
    const results = [run(), run(), run()];
    await until('each of them to say that it waits', () => (waiting === results.length ? true : undefined));
    t.notOk(existsSync(join(directory, 'current')));
    // Connections may be kept by the pool; none of them is at work or in a transaction.
    const { rows } = await db.raw<{ rows: { state: string }[] }>(
      `select state from pg_stat_activity where datname = current_database() and pid <> pg_backend_pid() and state <> 'idle'
       and backend_type = 'client backend'`,
    );
    t.same(rows, []);
    await lock.release();
    t.same(
      (await Promise.all(results)).map(({ status }) => status),
      [0, 0, 0],
    );
    t.ok(existsSync(join(directory, 'current/pjsip.conf')));
  },
);
