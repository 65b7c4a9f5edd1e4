import t from 'tap';
import { until } from '../../domain/machine/processes.js';
import { pauseAgent, readyAgent } from '../../domain/provisioning/people/admin-action.js';
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
const deliveries = (...flags: string[]): Promise<Shown[]> => star64('webhook', 'deliveries', 'crm', ...flags);

await t.test('a webhook is added, tested, looked at and sent anew by the command line', async (t) => {
  receiver.answer = (response) => void response.writeHead(410).end();
  const added = await star64<{ secret: string }>('webhook', 'add', 'crm', '--url', receiver.url);
  t.match(added.secret, /^whsec_/);
  const tested = await star64<Shown>('webhook', 'test', 'crm');
  t.match(tested, { type: 'webhook.test', state: 'due' });
  const dead = await until('the end of the try', async () =>
    (await deliveries('--failed')).find(({ state }) => state === 'dead'),
  );
  t.match(dead, { id: tested.id, status: 410 });
  t.match(
    (await cli(['webhook', 'redeliver', String(dead.id)], { env: { DATABASE_URL: url } })).err,
    /enable it first/,
  );
  receiver.answer = ok;
  await star64('webhook', 'set', 'crm', '--enabled', 'on');
  t.match(await star64('webhook', 'redeliver', String(dead.id)), { id: dead.id, state: 'due' });
  await until('the message to be taken', async () =>
    (await deliveries()).find(({ id, state }) => id === dead.id && state === 'delivered'),
  );
  t.same(await deliveries('--failed'), []);
  t.same(receiver.ids, [tested.message, tested.message], 'the same message, twice');
  await happen(2);
  await until(
    'what happens to be taken',
    async () =>
      (await deliveries()).filter(({ state }) => state === 'delivered').length === 3 ? true : undefined,
    feedMs,
  );
  t.equal(receiver.ids.length, 4);
  const anew = await star64<{ events: number }>('webhook', 'redeliver', 'crm', '--since', '1h', '--failed');
  t.equal(anew.events, 2, 'what happened before it was there, and that it was disabled');
  await until('these', async () =>
    (await deliveries()).filter(({ state }) => state === 'delivered').length === 5 ? true : undefined,
  );
  t.match((await cli(['webhook', 'redeliver', 'crm'], { env: { DATABASE_URL: url } })).err, /--since/);
});

await t.test(
  'killed in the middle and started again: nobody misses an event, and no webhook is lost',
  async (t) => {
    await allReadable(db);
    const sent = receiver.ids.length;
    const listeners = await Promise.all(Array.from({ length: 5 }, () => Listener.open(events, token)));
    await happen(4);
    await Promise.all(listeners.map((listener) => listener.has(4)));
    // Some messages are under way as it dies.
    receiver.answer = () => undefined;
    await happen(4);
    await until('messages under way', () => (receiver.ids.length > sent + 4 ? true : undefined), feedMs);
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
    await until('nothing to be sent', async () =>
      (await deliveries('--limit', '100')).every(({ state }) => state === 'delivered') ? true : undefined,
    );
    for (const listener of back) listener.close();
  },
);

await t.test('it has ten connections of its own, however many ask and listen', async (t) => {
  const listeners = await Promise.all(Array.from({ length: 20 }, () => Listener.open(events, token)));
  const ask = (path: string) =>
    fetch(`${web.url}${path}`, { headers: bearer(path === '/metrics' ? metricsToken : token) });
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
