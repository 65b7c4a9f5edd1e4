import t from 'tap';
import { until } from '../../domain/machine/processes.js';
import { testWebhook } from '../../domain/webhooks/deliveries.js';
import type { WebhookSender } from '../../web/webhooks/sender.js';
import { feedMs } from '../support/doors/event-feed.js';
import { Receiver } from '../support/doors/receiver.js';
import { webhookSite } from '../support/doors/webhook-site.js';

const { db, sender, hook, happen, deliveries, inState, has, noSecretSeen } = await webhookSite(t);

await t.test('receivers that are dead, slow or hostile delay no other one', async (t) => {
  const good = await Receiver.open(t);
  await hook(t, 'good', good.url);
  sender(t, {
    mostOthers: 4,
    mostQuick: 2,
    // However long this machine stands still, the good one is no slow one by that; nor does a drip ever come to its end.
    quickMs: 300_000,
    limits: { deadlineMs: 200_000, mostBytes: 100_000, bodyMs: 200_000 },
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
  await until(
    'all places of others to be taken',
    () => (never.sockets.size + drip.sockets.size === 4 ? true : undefined),
    feedMs,
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

await t.test('no secret is in a log, a list or what is shown', noSecretSeen);
