import { once } from 'node:events';
import t from 'tap';
import { connect } from '../../domain/database/pool.js';
import { until } from '../../domain/machine/processes.js';
import { freshDatabase } from '../support/database.js';

void t.test('a server that hangs in a transaction does not keep the others out for long', async (t) => {
  const { url } = await freshDatabase(t);
  const db = connect(url, { idleMs: 1000 });
  t.teardown(() => db.destroy());
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
