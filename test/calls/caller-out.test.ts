import { once } from 'node:events';
import { createServer, connect, type AddressInfo, type Socket } from 'node:net';
import t from 'tap';
import { callerOut } from '../../domain/calls/outbound/caller-out.js';
import type { Database } from '../../domain/database/pool.js';

void t.test('what PostgreSQL has answered counts, however long this process has stood still', async (t) => {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const accepted = once(server, 'connection') as Promise<[Socket]>;
  const ours = connect((server.address() as AddressInfo).port, '127.0.0.1');
  const [theirs] = await accepted;
  t.teardown(() => {
    ours.destroy();
    theirs.destroy();
    server.close();
  });
  const row = { extension: '5000', user: 'anna', agentId: null };
  /** Answers as soon as there is something to be read. */
  const db = {
    raw: () => ({ options: () => once(ours, 'data').then(() => ({ rows: [row] })) }),
  } as unknown as Database;
  theirs.write('the answer');
  const asked = callerOut(db, 'astercc', '5000', 1);
  const begun = performance.now();
  while (performance.now() < begun + 50);
  t.match(await asked, { extension: '5000', user: 'anna', agent: null });
  t.equal(await callerOut(db, 'astercc', '5000', 1), undefined, 'and nobody waits for what does not come');
});
