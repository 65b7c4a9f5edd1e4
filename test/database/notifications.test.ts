import pg from 'pg';
import t from 'tap';
import { agentChannel, readTold, tellServers } from '../../domain/database/notifications.js';
import { freshDatabase } from '../support/database.js';

const { url, db } = await freshDatabase(t);

await t.test(
  'what is told reaches the servers once it is committed, and never if it is taken back',
  async (t) => {
    const server = new pg.Client(url);
    await server.connect();
    t.teardown(() => server.end());
    const heard: number[] = [];
    const all = new Promise<void>((resolve) =>
      server.on('notification', ({ payload = '' }) => {
        const ids = readTold(payload) ?? [];
        heard.push(...ids);
        if (ids.includes(1200)) resolve();
      }),
    );
    await server.query(`listen ${agentChannel}`);
    await t.rejects(
      db.transaction(async (trx) => {
        await tellServers(trx, [9999]);
        throw new Error('taken back');
      }),
      /taken back/,
    );
    const many = Array.from({ length: 1200 }, (_, index) => index + 1);
    await db.transaction((trx) => tellServers(trx, many));
    await all;
    t.same(heard, many, 'more than fit into one notification, in order');
  },
);

await t.test('a notification that no command has sent is not understood', (t) => {
  t.same(readTold('1,2147483647'), [1, 2147483647]);
  for (const payload of [
    ...['', ',', '1,', '-1', '1.5', '0x10', '1e3', ' 1', '1 ', '1\n', '١', '2147483648', '99999999999'],
    ...['1;2', '{"signIn":1}', '1) or true --', '/.*/', 'PJSIP/astercc-5001-00000001'],
  ]) {
    t.equal(readTold(payload), undefined, JSON.stringify(payload));
  }
  t.end();
});
