import { existsSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { generationLock } from '../../pbx/files/write.js';
import { until } from '../../domain/machine/processes.js';
import { freshDatabase } from '../support/database.js';
import { star64 } from '../support/cli.js';

const { db, url } = await freshDatabase(t);

void t.test('whoever generates while somebody else does waits for him', async (t) => {
  const directory = t.testdir();
  const run = () =>
    star64(['generate'], {
      env: {
        DATABASE_URL: url,
        STAR64_ASTERISK_CONFIG_DIR: directory,
        STAR64_AGI_TOKEN: 'aTokenOfTheTests6464646464',
      },
    });
  const second = await db.transaction(async (trx) => {
    await trx.raw('select pg_advisory_xact_lock(?)', [generationLock]);
    const result = run();
    await until('the second one to wait', async () =>
      db('pg_locks').where({ locktype: 'advisory', granted: false }).first<object | undefined>('pid'),
    );
    t.notOk(existsSync(join(directory, 'current')));
    return { result };
  });
  t.match(await second.result, { status: 0 });
  t.ok(existsSync(join(directory, 'current/pjsip.conf')));
  const results = await Promise.all([run(), run(), run()]);
  t.same(
    results.map(({ status }) => status),
    [0, 0, 0],
  );
});
