import t from 'tap';
import { until } from '../../domain/machine/processes.js';
import { pauseAgent, readyAgent } from '../../domain/provisioning/people/admin-action.js';
import { listDeliveries, type Delivery } from '../../domain/webhooks/deliveries.js';
import { crowd, provision } from '../../lab/provision.js';
import { cli } from '../support/processes/cli.js';
import { freshDatabase } from '../support/database.js';
import { allReadable, enter, feedMs } from '../support/doors/event-feed.js';
import { Listener } from '../support/doors/event-stream.js';
import { ok, Receiver } from '../support/doors/receiver.js';
import { bearer, metricsToken, tokenOf } from '../support/doors/web.js';
import { WebProcess } from '../support/processes/web-process.js';

/** `star64 web` as a process of its own, and the command line beside it. */
const { db, url } = await freshDatabase(t);
await provision(db, crowd(2));
await enter(db, 1);
const token = await tokenOf(db, 'astercc', 'reader');
const receiver = await Receiver.open(t);
const name = 'star64-web-tried';
const named = new URL(url);
named.searchParams.set('application_name', name);
const web = await WebProcess.start(t, named.href, { STAR64_WEB_WEBHOOK_NETWORKS: '127.0.0.0/8' });
const events = `${web.url}/v1/teams/astercc/events`;

/** So many changes of an agent's state. */
async function happen(count: number): Promise<void> {
  for (let at = 0; at < count; at += 2) {
    await pauseAgent(db, 'astercc', '1001', undefined);
    await readyAgent(db, 'astercc', '1001');
  }
}

/** The answer of a command line, which has to go well. */
async function star64<T>(...args: string[]): Promise<T> {
  const { status, out, err } = await cli([...args, '--json'], { env: { DATABASE_URL: url } });
  if (status !== 0) throw new Error(`star64 ${args.join(' ')}: ${err}`);
  return JSON.parse(out) as T;
}

interface Shown {
  id: number;
  type: string;
  state: string;
  status: number | null;
  message: string;
}
/** What is waited for is not asked for by a command each time: one that finds this machine busy fails. */
const deliveries = async (): Promise<Delivery[]> =>
  (await listDeliveries(db, 'astercc', { webhook: 'crm', limit: 1000 })).deliveries;
/** Until so many were taken. A message comes at least once: what says how many came is their ids. */
const delivered = (count: number) =>
  until(
    `${count} deliveries`,
    async () =>
      (await deliveries()).filter(({ state }) => state === 'delivered').length === count ? true : undefined,
    feedMs,
  );
const different = (): number => new Set(receiver.ids).size;

await t.test('a webhook is added, tested, looked at and sent anew by the command line', async (t) => {
  receiver.answer = (response) => void response.writeHead(410).end();
  const added = await star64<{ secret: string }>('webhook', 'add', 'crm', '--url', receiver.url);
  t.match(added.secret, /^whsec_/);
  const tested = await star64<Shown>('webhook', 'test', 'crm');
  t.match(tested, { type: 'webhook.test', state: 'due' });
  const dead = await until(
    'the end of the try',
    async () => (await deliveries()).find(({ state }) => state === 'dead'),
    feedMs,
  );
  t.match(dead, { id: tested.id, status: 410 });
  t.match(await star64('webhook', 'deliveries', 'crm', '--failed'), [{ id: dead.id, state: 'dead' }]);
  t.match(
    (await cli(['webhook', 'redeliver', String(dead.id)], { env: { DATABASE_URL: url } })).err,
    /enable it first/,
  );
  receiver.answer = ok;
  await star64('webhook', 'set', 'crm', '--enabled', 'on');
  t.match(await star64('webhook', 'redeliver', String(dead.id)), { id: dead.id, state: 'due' });
  await delivered(1);
  t.same(await star64('webhook', 'deliveries', 'crm', '--failed'), []);
  t.same([...new Set(receiver.ids)], [tested.message], 'the same message');
  t.ok(receiver.ids.length >= 2, 'again');
  await happen(2);
  await delivered(3);
  t.equal(different(), 3);
  const anew = await star64<{ events: number }>('webhook', 'redeliver', 'crm', '--since', '1h', '--failed');
  t.equal(anew.events, 2, 'what happened before it was there, and that it was disabled');
  await delivered(5);
  t.match((await cli(['webhook', 'redeliver', 'crm'], { env: { DATABASE_URL: url } })).err, /--since/);
});

await t.test(
  'killed in the middle and started again: nobody misses an event, and no webhook is lost',
  async (t) => {
    await allReadable(db);
    const sent = different();
    const listeners = await Promise.all(Array.from({ length: 5 }, () => Listener.open(events, token)));
    await happen(4);
    await Promise.all(listeners.map((listener) => listener.has(4)));
    // Some messages are under way as it dies.
    receiver.answer = () => undefined;
    await happen(4);
    await until('messages under way', () => (different() > sent + 4 ? true : undefined), feedMs);
    await web.kill();
    await until('the end of the streams', () => (listeners.every(({ ended }) => ended) ? true : undefined));
    receiver.answer = ok;
    await happen(10);
    // What the dead one had taken is free after a minute, and its lead after ten seconds: they have passed.
    await db.raw("update webhook_deliveries set due_at = now() where state = 'due' and tries > 0");
    await db.raw('update webhook_feed set leads_until = now()');
    const [back] = await Promise.all([
      Promise.all(listeners.map((listener) => Listener.again(events, token, listener))),
      web.start(),
    ]);
    await happen(2);
    const { rows } = await db.raw<{ rows: { cursor: string }[] }>(
      `select era || '-' || xid || '-' || id as cursor from events where type = 'agent.state' order by era, xid, id`,
    );
    const all = rows.map(({ cursor }) => cursor).slice(-20);
    for (const [at, listener] of listeners.entries()) {
      const after = (await back[at]?.has(20 - listener.events.length)) ?? [];
      t.same(
        [...listener.events, ...after].map(({ id }) => id),
        all,
        'each event once, in its order',
      );
    }
    await until(
      'every event at the webhook',
      () => (all.every((id) => receiver.ids.includes(id)) ? true : undefined),
      feedMs,
    );
    await until(
      'nothing to be sent',
      async () => ((await deliveries()).every(({ state }) => state === 'delivered') ? true : undefined),
      feedMs,
    );
    for (const listener of back) listener.close();
  },
);

await t.test('it has ten connections of its own, however many ask and listen', async (t) => {
  // Who finds all ten busy for too long is told 503 and when to come back: they come.
  const opened = () => until('a stream', () => Listener.open(events, token).catch(() => undefined), feedMs);
  const listeners = await Promise.all(Array.from({ length: 20 }, opened));
  const ask = (path: string) =>
    until(
      `${path} to be answered`,
      async () => {
        const answer = await fetch(`${web.url}${path}`, {
          headers: bearer(path === '/metrics' ? metricsToken : token),
        });
        return answer.status === 503 && answer.headers.has('retry-after') ? undefined : answer;
      },
      feedMs,
    );
  const paths = ['/metrics', '/readyz', '/v1/teams/astercc/agents', '/v1/teams/astercc'];
  const asked = Array.from({ length: 20 }, () => paths.map(ask)).flat();
  await happen(10);
  for (const answer of await Promise.all(asked))
    t.ok(answer.status === 200, `${answer.url} ${answer.status}`);
  await Promise.all(listeners.map((listener) => listener.has(10)));
  const { rows } = await db.raw<{ rows: unknown[] }>(
    'select from pg_stat_activity where datname = current_database() and application_name = ?',
    [name],
  );
  t.ok(rows.length > 1 && rows.length <= 10, `${rows.length} connections`);
  for (const listener of listeners) listener.close();
});
