import { once } from 'node:events';
import t from 'tap';
import { connect } from '../../domain/database/pool.js';
import { until } from '../../domain/machine/processes.js';
import { patient } from '../../lab/patience.js';
import { freshDatabase } from '../support/database.js';

void t.test('a server that hangs in a transaction does not keep the others out for long', async (t) => {
  const { url } = await freshDatabase(t);
  const db = connect(url, { ...patient, idleMs: 5000 });
  t.teardown(() => db.destroy());
  // Both connections are there before: a busy machine may dial for longer than a hung transaction lives.
  await Promise.all([db.raw('select 1'), db.raw('select 1')]);
  const lock = 'select pg_try_advisory_xact_lock(64) as ours';
  const take = async (trx = db): Promise<true | undefined> => {
    const { rows } = await trx.raw<{ rows: { ours: boolean }[] }>(lock);
    return rows[0]?.ours === true ? true : undefined;
  };
  const hang = new AbortController();
  const begun = new AbortController();
  const hung = db.transaction(async (trx) => {
    await take(trx);
    begun.abort();
    await once(hang.signal, 'abort');
  });
  if (!begun.signal.aborted) await once(begun.signal, 'abort');
  t.equal(await take(), undefined);
  await until('the lock to be free', () => take());
  hang.abort();
  await t.rejects(hung, 'who wakes up afterwards hears that it was too late');
});
