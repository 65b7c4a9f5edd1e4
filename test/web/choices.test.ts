import { pino } from 'pino';
import t from 'tap';
import { eventTypes } from '../../domain/event-types.js';
import { until } from '../../domain/machine/processes.js';
import { setCurrentGroup } from '../../domain/presence/current-group.js';
import { setWorkMode } from '../../domain/presence/work-mode.js';
import { setAgentGroup, setAgentWorkMode } from '../../domain/provisioning/people/admin-action.js';
import { setAgent } from '../../domain/provisioning/people/agent.js';
import { webhooks } from '../../domain/provisioning/webhook.js';
import { crowd, provision } from '../../lab/provision.js';
import { WebhookSender } from '../../web/webhooks/sender.js';
import { freshDatabase } from '../support/database.js';
import { allReadable, enter, feedMs, leave } from '../support/doors/event-feed.js';
import { Listener } from '../support/doors/event-stream.js';
import { Receiver } from '../support/doors/receiver.js';
import { apiOf, bearer, tokenOf } from '../support/doors/web.js';

/** What agents choose by telephone, and what is chosen for them, as software hears of it. */
const { db } = await freshDatabase(t);
await provision(
  db,
  crowd(1, {
    groups: [
      { name: 'support', number: '6000', workMode: 'choice' },
      { name: 'sales', number: '6001' },
    ],
  }),
);
const token = await tokenOf(db, 'astercc', 'reader');
const web = await apiOf(t, db);
const address = await web.listen({ host: '127.0.0.1', port: 0 });
const types = ['agent.work_mode_changed', 'agent.group_changed'] as const;
const phone = { extension: '5001' };

/** What is told of the types, read page by page. */
async function polled(): Promise<Record<string, unknown>[]> {
  await allReadable(db);
  const { items } = (
    await web.inject({
      url: `/v1/teams/astercc/events?since=3600&types=${types.join(',')}`,
      headers: bearer(token),
    })
  ).json<{ items: Record<string, unknown>[] }>();
  return items;
}

await t.test('a choice is told once, in the stream, page by page and to webhooks', async (t) => {
  const receiver = await Receiver.open(t);
  await webhooks.add(db, 'astercc', 'crm', { url: receiver.url, types: types.join(',') });
  const sender = new WebhookSender(db, pino({ enabled: false }), {
    allowed: ['127.0.0.0/8'],
    everyMs: 20,
    retryMs: 20,
  });
  sender.start();
  t.teardown(() => sender.stop());
  const stream = await Listener.open(`${address}/v1/teams/astercc/events?types=${types.join(',')}`, token);
  await enter(db, 1);
  t.match(await setWorkMode(db, 'astercc', phone, '2'), { outcome: 'mode-set' });
  t.match(await setWorkMode(db, 'astercc', phone, '2'), { outcome: 'mode-set' }, 'the same is no change');
  t.match(await setCurrentGroup(db, 'astercc', phone, { number: '6001' }), { outcome: 'group-set' });
  await setAgentGroup(db, 'astercc', '1001', 'support');
  await setAgentWorkMode(db, 'astercc', '1001', 'all');
  // Who leaves their group is in another one, or none.
  await setAgent(db, 'astercc', '1001', { groups: ['sales'] });
  const who = { team: 'astercc', agent: '1001', name: 'crowd', extension: '5001' };
  const [mode, group] = types;
  const wanted = [
    { type: mode, ...who, work_mode: 'inbound', previous_work_mode: 'all' },
    { type: group, ...who, group: 'sales', previous_group: 'support' },
    { type: group, ...who, group: 'support', previous_group: 'sales' },
    { type: mode, ...who, work_mode: 'all', previous_work_mode: 'inbound' },
    { type: group, ...who, group: 'sales', previous_group: 'support' },
  ];
  const heard = (await stream.has(5)).map(({ data }) => JSON.parse(data) as { id: string });
  t.match(heard, wanted);
  t.equal(new Set(heard.map(({ id }) => id)).size, 5, 'each has an id of its own');
  stream.close();
  const pages = await polled();
  t.match(pages, wanted);
  t.equal(pages.length, 5);
  const sent = await until(
    'the messages',
    () => (receiver.received.length >= 5 ? receiver.received : undefined),
    feedMs,
  );
  const messages = sent.map(({ body }) => JSON.parse(body) as { type: string; data: object });
  // Messages have no order of their own.
  t.same(messages.map(({ type }) => type).sort(), wanted.map(({ type }) => type).sort());
  t.match(
    messages.find(({ data }) => (data as { work_mode?: string }).work_mode === 'inbound'),
    { type: mode, team: 'astercc', data: { agent: '1001', previous_work_mode: 'all' } },
  );
});

await t.test('a reader may name every type that there is', async (t) => {
  const url = `/v1/teams/astercc/events?types=${eventTypes.join(',')}`;
  t.equal((await web.inject({ url, headers: bearer(token) })).statusCode, 200);
});

await t.test('to sign out, and in again, is no choice', async (t) => {
  await leave(db, 1);
  await enter(db, 1);
  t.equal((await polled()).length, 5);
});
