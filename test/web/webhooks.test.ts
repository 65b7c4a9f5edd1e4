import { createHmac } from 'node:crypto';
import { pino } from 'pino';
import t, { type Test } from 'tap';
import { until } from '../../domain/machine/processes.js';
import { pauseAgent, readyAgent } from '../../domain/provisioning/admin-action.js';
import { rotateSecret, webhooks } from '../../domain/provisioning/webhook.js';
import { signatures } from '../../domain/webhook-secret.js';
import {
  listDeliveries,
  redeliver,
  redeliverSince,
  testWebhook,
  type Delivery,
} from '../../domain/webhooks/deliveries.js';
import { claimMessages } from '../../domain/webhooks/outbox.js';
import { crowd, provision } from '../../lab/provision.js';
import { WebhookSender, type WebhookSenderSettings } from '../../web/webhooks/sender.js';
import { freshDatabase } from '../support/database.js';
import { enter, feedMs } from '../support/event-feed.js';
import { Receiver, type Received } from '../support/receiver.js';
import { refused } from '../support/refusal.js';

const { db } = await freshDatabase(t);
await provision(db, crowd(2));
await provision(db, crowd(2, { team: 'other', did: '600200' }));
await enter(db, 1);
await enter(db, 1, 'other');

const quick: Partial<WebhookSenderSettings> = {
  allowed: ['127.0.0.0/8'],
  everyMs: 20,
  retryMs: 20,
  delays: Array<number>(9).fill(0.01),
  graceMs: 100,
};
const lines: string[] = [];
const log = pino({ level: 'debug' }, { write: (line: string) => void lines.push(line) });

function sender(t: Test, settings: Partial<WebhookSenderSettings> = {}): WebhookSender {
  const made = new WebhookSender(db, log, { ...quick, ...settings });
  made.start();
  t.teardown(() => made.stop());
  return made;
}

/** A webhook that goes with its test. */
async function hook(t: Test, name: string, url: string, more: { types?: string; team?: string } = {}) {
  const { team = 'astercc', ...given } = more;
  const { secret } = (await webhooks.add(db, team, name, { url, ...given })) as unknown as { secret: string };
  t.teardown(() => webhooks.remove(db, team, name));
  return secret;
}

/** So many changes of an agent's state. */
async function happen(count: number, team = 'astercc'): Promise<void> {
  for (let at = 0; at < count; at += 2) {
    await pauseAgent(db, team, '1001', undefined);
    await readyAgent(db, team, '1001');
  }
}

const deliveries = async (webhook: string, failed = false): Promise<Delivery[]> =>
  (await listDeliveries(db, 'astercc', { webhook, failed, limit: 1000 })).deliveries;
const inState = (webhook: string, state: string, count: number) =>
  until(
    `${count} ${state} of ${webhook}`,
    async () => {
      const all = await deliveries(webhook);
      return all.filter((one) => one.state === state).length === count ? all : undefined;
    },
    feedMs,
  );
const has = (receiver: Receiver, count: number): Promise<Received[]> =>
  until(
    `${count} messages`,
    () => (receiver.received.length >= count ? receiver.received : undefined),
    feedMs,
  );

/** As a receiver checks it. */
const signed = (secret: string, { id, timestamp, body, signature }: Received): boolean =>
  signature.split(' ').some((one) => {
    const key = Buffer.from(secret.slice('whsec_'.length), 'base64');
    return one === `v1,${createHmac('sha256', key).update(`${id}.${timestamp}.${body}`).digest('base64')}`;
  });

await t.test('a signature is that of the published example', (t) => {
  const message = { id: 'msg_p5jXN8AQM9LWM0D4loKWxJek', timestamp: 1614265330, body: '{"test": 2432232314}' };
  t.equal(
    signatures(['whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw'], message),
    'v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=',
  );
  t.end();
});

await t.test('what happens is sent as the stream has it, signed, to the team alone, by type', async (t) => {
  const [all, calls, stranger] = [await Receiver.open(t), await Receiver.open(t), await Receiver.open(t)];
  const secret = await hook(t, 'crm', all.url);
  await hook(t, 'calls', calls.url, { types: 'call.arrived,call.ended' });
  await hook(t, 'crm', stranger.url, { team: 'other' });
  await happen(2);
  t.equal((await db('webhook_deliveries')).length, 0, 'who writes an event makes no delivery');
  sender(t);
  const [first, second] = await has(all, 2);
  if (!first || !second) return;
  t.ok(signed(secret, first), 'signed with its secret');
  t.notOk(signed(secret, { ...first, body: `${first.body} ` }));
  t.ok(Math.abs(first.timestamp - Date.now() / 1000) < 60);
  const cursors = await db('events')
    .where({ type: 'agent.state' })
    .orderBy(['era', 'xid', 'id'])
    .select<{ cursor: string }[]>(db.raw(`era || '-' || xid || '-' || id as cursor`));
  const known = cursors.map(({ cursor }) => cursor);
  t.ok(known.indexOf(first.id) >= 0 && known.indexOf(first.id) < known.indexOf(second.id), 'ids are cursors');
  const messages = [first, second].map(({ body }) => JSON.parse(body) as { id: string; data: object });
  t.match(messages[0], {
    id: first.id,
    type: 'agent.state',
    team: 'astercc',
    timestamp: /Z$/,
    data: { agent: '1001', state: 'paused', previous_state: 'idle', id: /^state-/ },
  });
  t.match(messages[1]?.data, { state: 'idle' });
  await happen(2, 'other');
  await has(stranger, 2);
  t.same([all.received.length, calls.received.length], [2, 0]);
  t.match((await inState('crm', 'delivered', 2))[0], { tries: 1, status: 204, error: null });
});

await t.test(
  'ten tries, then it is dead; it is sent anew by its id, or by time, with the message id it had',
  async (t) => {
    const receiver = await Receiver.open(t, (response) => void response.writeHead(500).end('no'));
    await hook(t, 'crm', receiver.url);
    sender(t);
    await happen(2);
    const dead = await inState('crm', 'dead', 2);
    t.equal(receiver.received.length, 20);
    t.match(dead, [{ tries: 10, status: 500, error: 'status 500', nextAt: null }, { tries: 10 }]);
    t.equal((await deliveries('crm', true)).length, 2, 'listed as failed');
    t.match(await webhooks.show(db, 'astercc', 'crm'), { state: /^failing since/, waiting: 0 });
    receiver.answer = (response) => void response.writeHead(200).end();
    const [one] = dead;
    await redeliver(db, 'astercc', one?.id ?? 0);
    await inState('crm', 'delivered', 1);
    t.equal(receiver.ids.at(-1), one?.message);
    t.match(await redeliverSince(db, 'astercc', 'crm', { seconds: 3600, failedOnly: true }), {
      events: /^[1-9]/,
    });
    await until('nothing failed', async () =>
      (await deliveries('crm', true)).length === 0 ? true : undefined,
    );
    t.equal(
      receiver.ids.filter((id) => id === one?.message).length,
      11,
      'what it has taken is not sent again',
    );
    t.match(await webhooks.show(db, 'astercc', 'crm'), { state: 'ok' });
    await redeliverSince(db, 'astercc', 'crm', { seconds: 3600 });
    await until('all again', () =>
      receiver.ids.filter((id) => id === one?.message).length === 12 ? true : undefined,
    );
    await refused(t, 'not_found', ['in team other'], () => redeliver(db, 'other', one?.id ?? 0));
  },
);

await t.test('who wants to be left alone is left alone for that long', async (t) => {
  const receiver = await Receiver.open(
    t,
    (response) => void response.writeHead(429, { 'retry-after': '600' }).end(),
  );
  await hook(t, 'crm', receiver.url);
  sender(t);
  await happen(2);
  await until('an answer', async () =>
    (await deliveries('crm', true)).some(({ status }) => status === 429) ? true : undefined,
  );
  await testWebhook(db, 'astercc', 'crm');
  const [row] = await db('webhooks')
    .where({ name: 'crm' })
    .select<{ rests: boolean }[]>(db.raw(`rests_until > now() + interval '500 seconds' as rests`));
  t.equal(row?.rests, true);
  t.equal(receiver.received.length, 1, 'the other event waits, too');
});

await t.test('410 disables at once, days of failures do, too, and the team is told', async (t) => {
  const receiver = await Receiver.open(t, (response) => void response.writeHead(410).end());
  await hook(t, 'gone', receiver.url, { types: 'agent.state' });
  const listener = await Receiver.open(t);
  await hook(t, 'listener', listener.url, { types: 'webhook.disabled' });
  sender(t);
  await testWebhook(db, 'astercc', 'gone');
  await has(listener, 1);
  t.match(JSON.parse(listener.received[0]?.body ?? ''), {
    type: 'webhook.disabled',
    data: { webhook: 'gone', reason: 'gone' },
  });
  t.match(await webhooks.show(db, 'astercc', 'gone'), { enabled: false, state: /410/ });
  await refused(t, 'conflict', ['enable it first'], () => testWebhook(db, 'astercc', 'gone'));

  receiver.answer = (response) => void response.writeHead(500).end();
  await webhooks.set(db, 'astercc', 'gone', { enabled: true });
  await testWebhook(db, 'astercc', 'gone');
  await inState('gone', 'dead', 2);
  t.match(await webhooks.show(db, 'astercc', 'gone'), { enabled: true }, 'a day of failures does not');
  await db('webhooks')
    .where({ name: 'gone' })
    .update({ failing_since: db.raw("now() - interval '6 days'") });
  await testWebhook(db, 'astercc', 'gone');
  await has(listener, 2);
  t.match(JSON.parse(listener.received[1]?.body ?? ''), { data: { reason: 'failures' } });
});

await t.test('receivers that are dead, slow or hostile delay no other one', async (t) => {
  const good = await Receiver.open(t);
  await hook(t, 'good', good.url);
  sender(t, {
    mostOthers: 4,
    mostQuick: 2,
    limits: { deadlineMs: 200_000, mostBytes: 1000, bodyMs: 200_000 },
  });
  await happen(2);
  await has(good, 2);
  const never = await Receiver.open(t, () => undefined);
  const drip = await Receiver.open(t, (response) => {
    response.writeHead(200);
    const timer = setInterval(() => response.write('x'), 50);
    response.once('close', () => clearInterval(timer));
  });
  for (let at = 0; at < 10; at++) await hook(t, `never_${'abcdefghij'.charAt(at)}`, never.url);
  for (let at = 0; at < 4; at++) await hook(t, `drip_${'abcd'.charAt(at)}`, drip.url);
  await happen(2);
  await until('all places of others to be taken', () =>
    never.sockets.size + drip.sockets.size === 4 ? true : undefined,
  );
  await happen(20);
  await has(good, 24);
  t.equal(never.sockets.size + drip.sockets.size, 4, 'they still hold their places');
  t.ok(never.most + drip.most <= 4, 'and never had more');
  t.equal(new Set(good.ids).size, 24, 'each once');
});

await t.test('an endless body, endless headers, no HTTP at all, a redirect', async (t) => {
  const elsewhere = await Receiver.open(t);
  let cut = 0;
  const cases: Record<string, [Parameters<typeof Receiver.open>[1], object]> = {
    endless: [
      (response) => {
        response.writeHead(200).once('close', () => cut++);
        const flood = (): void => {
          if (response.write('x'.repeat(10_000))) setImmediate(flood);
        };
        response.on('drain', flood);
        flood();
      },
      { state: 'delivered', status: 200 },
    ],
    headers: [
      (response) => void response.writeHead(200, { 'x-large': 'x'.repeat(20_000) }).end(),
      { state: 'dead', error: 'headers of the answer too large' },
    ],
    words: [(response) => void response.socket?.end('hello\r\n'), { state: 'dead', error: 'no HTTP answer' }],
    hangup: [
      (response) => void response.socket?.destroy(),
      { state: 'dead', error: 'connection closed without an answer' },
    ],
    redirect: [
      (response) => void response.writeHead(307, { location: elsewhere.url }).end(),
      { state: 'dead', error: 'redirect 307, which is not followed' },
    ],
    slow: [() => undefined, { state: 'dead', error: /^no answer within/ }],
  };
  for (const [name, [answer]] of Object.entries(cases))
    await hook(t, name, (await Receiver.open(t, answer)).url, { types: 'call.emergency' });
  // Of a receiver that does answer nobody may be sooner than this, however busy the machine is.
  const sending = (deadlineMs: number) =>
    sender(t, { limits: { deadlineMs, mostBytes: 1000, bodyMs: 300 }, delays: [] });
  let patient: WebhookSender | undefined = sending(30_000);
  for (const [name, [, wanted]] of Object.entries(cases)) {
    if (name === 'slow') {
      await patient?.stop();
      patient = undefined;
      sending(300);
    }
    await testWebhook(db, 'astercc', name);
    const delivery = await until(`the end of ${name}`, async () =>
      (await deliveries(name)).find(({ state }) => state !== 'due'),
    );
    t.match(delivery, wanted, name);
  }
  t.equal(cut, 1, 'the endless one is cut off');
  t.equal(elsewhere.received.length, 0);
});

await t.test(
  'an address of this machine or of a private network is not asked, unless it is allowed',
  async (t) => {
    const receiver = await Receiver.open(t);
    await hook(t, 'crm', receiver.url, { types: 'call.emergency' });
    sender(t, { allowed: [], delays: [] });
    await testWebhook(db, 'astercc', 'crm');
    const [dead] = await inState('crm', 'dead', 1);
    t.match(dead?.error, /address 127\.0\.0\.1 .*web\.webhook_networks/);
    t.equal(receiver.most, 0, 'not even connected');
  },
);

await t.test('an event that is no longer kept is no failure of the receiver', async (t) => {
  const receiver = await Receiver.open(t);
  await hook(t, 'crm', receiver.url, { types: 'call.emergency' });
  const { id, team_id } = await db('webhooks')
    .where({ name: 'crm', url: receiver.url })
    .first<{ id: number; team_id: number }>('id', 'team_id');
  await db('webhook_deliveries').insert({
    ...{ team_id, webhook_id: id, message: '1-1-1', type: 'agent.state', at: new Date() },
    ...{ era: 1, xid: 1, event: 1 },
  });
  sender(t);
  t.match(await inState('crm', 'dead', 1), [{ tries: 1, status: null, error: /no longer kept/ }]);
  t.match(await webhooks.show(db, 'astercc', 'crm'), { state: 'ok' });
});

await t.test('while a secret is being replaced messages are signed with both', async (t) => {
  const receiver = await Receiver.open(t);
  const before = await hook(t, 'crm', receiver.url, { types: 'call.emergency' });
  const { secret } = await rotateSecret(db, 'astercc', 'crm');
  sender(t);
  await testWebhook(db, 'astercc', 'crm');
  const [both] = await has(receiver, 1);
  t.same(both && [signed(before, both), signed(secret, both)], [true, true]);
  const last = await rotateSecret(db, 'astercc', 'crm', 0);
  await testWebhook(db, 'astercc', 'crm');
  const [, alone] = await has(receiver, 2);
  t.same(
    alone && [secret, last.secret].map((one) => signed(one, alone)),
    [false, true],
    'one that others know not',
  );
});

await t.test('one process ends, or dies, in the middle: nothing is lost', async (t) => {
  const receiver = await Receiver.open(t, () => undefined);
  await hook(t, 'crm', receiver.url);
  // To it a message that has failed is dead: what it could not try to its end has not failed.
  const first = sender(t, { delays: [] });
  await happen(10);
  await has(receiver, 1);
  await first.stop();
  const back = await deliveries('crm');
  t.ok(receiver.ids.length > 0 && back.length > 0);
  for (const one of back) t.match(one, { state: 'due', tries: 0, error: null });
  const { rows } = await db.raw<{ rows: unknown[] }>(
    'select from webhook_deliveries where due_at > clock_timestamp()',
  );
  t.equal(rows.length, 0, 'whoever comes next may send them at once');
  receiver.answer = (response) => void response.writeHead(200).end();
  // Another had claimed messages and never came back.
  const claimed = await claimMessages(db, { quick: false, most: 3, mostOfOne: 3, busy: {}, leaseSeconds: 1 });
  t.ok(claimed.length > 0);
  await happen(2);
  sender(t);
  await inState('crm', 'delivered', 12);
  t.equal(new Set(receiver.ids).size, 12);
});

await t.test('two processes send each message once, and one of them makes deliveries', async (t) => {
  const receiver = await Receiver.open(t);
  await hook(t, 'crm', receiver.url);
  sender(t);
  sender(t);
  await Promise.all([happen(40), happen(40, 'other')]);
  await inState('crm', 'delivered', 40);
  t.equal(receiver.ids.length, 40);
  t.equal(new Set(receiver.ids).size, 40);
});

await t.test('no secret is in a log, a list or what is shown', async (t) => {
  const rows = await db('webhooks').select<{ secret: string }[]>('secret');
  const seen = [...lines, JSON.stringify(await webhooks.list(db, 'astercc'))].join('\n');
  t.notMatch(seen, /whsec_/);
  for (const { secret } of rows) t.notOk(seen.includes(secret));
});
