import { createHmac } from 'node:crypto';
import t from 'tap';
import { until } from '../../domain/machine/processes.js';
import { rotateSecret, webhooks } from '../../domain/provisioning/webhook.js';
import { signatures } from '../../domain/webhook-secret.js';
import { redeliver, redeliverSince, testWebhook } from '../../domain/webhooks/deliveries.js';
import { claimMessages } from '../../domain/webhooks/outbox.js';
import { feedMs } from '../support/doors/event-feed.js';
import { Receiver, type Received } from '../support/doors/receiver.js';
import { refused } from '../support/refusal.js';
import { webhookSite } from '../support/doors/webhook-site.js';

const { db, sender, hook, happen, deliveries, inState, has, noSecretSeen } = await webhookSite(t);

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
    data: { agent: '1001', state: 'paused', previous_state: 'idle', id: /^state-/, cursor: first.id },
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
  await until(
    'an answer',
    async () => ((await deliveries('crm', true)).some(({ status }) => status === 429) ? true : undefined),
    feedMs,
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

await t.test('no secret is in a log, a list or what is shown', noSecretSeen);
