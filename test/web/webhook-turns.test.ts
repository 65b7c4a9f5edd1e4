import { randomUUID } from 'node:crypto';
import t from 'tap';
import { pauseAgent, readyAgent } from '../../domain/provisioning/people/admin-action.js';
import { largestPiece } from '../../domain/provisioning/operations/discard.js';
import { webhooks } from '../../domain/provisioning/webhook.js';
import { redeliverSince } from '../../domain/webhooks/deliveries.js';
import { leadFeed, makeDeliveries, Pieces } from '../../domain/webhooks/fan-out.js';
import { anyDue, claimMessages, noteDelivered } from '../../domain/webhooks/outbox.js';
import { newSecret } from '../../domain/webhook-secret.js';
import { until } from '../../domain/machine/processes.js';
import { crowd, provision } from '../../lab/provision.js';
import { freshDatabase } from '../support/database.js';
import { enter, feedMs } from '../support/doors/event-feed.js';
import { refused } from '../support/refusal.js';

/** Whose turn it is, and how much at a time, without a receiver. */
const { db } = await freshDatabase(t);
await provision(db, crowd(2));
await enter(db, 1);
const url = 'https://crm.example.org/hooks';

await t.test('a team has twenty webhooks at most, also of two that are added at once', async (t) => {
  const names = Array.from({ length: 19 }, (_, at) => `hook_${'abcdefghijklmnopqrst'.charAt(at)}`);
  for (const name of names) await webhooks.add(db, 'astercc', name, { url });
  const last = await Promise.allSettled(
    ['one_more', 'two_more'].map((name) => webhooks.add(db, 'astercc', name, { url })),
  );
  t.same(last.map(({ status }) => status).sort(), ['fulfilled', 'rejected']);
  await refused(t, 'conflict', ['20 webhooks', 'webhook list'], () =>
    webhooks.add(db, 'astercc', 'another', { url }),
  );
  for (const { name } of await webhooks.list(db, 'astercc')) await webhooks.remove(db, 'astercc', name);
});

await t.test('deliveries that are too many for one statement are made in smaller pieces', async (t) => {
  await webhooks.add(db, 'astercc', 'crm', { url });
  const place = await leadFeed(db, 'test', 60);
  if (!place) throw new Error('another process leads');
  for (let at = 0; at < 10; at++) {
    await pauseAgent(db, 'astercc', '1001', undefined);
    await readyAgent(db, 'astercc', '1001');
  }
  // As a statement does that takes longer than it may, wherever and however slow this is run.
  await db.raw(`
    create function too_many() returns trigger language plpgsql as $$
    begin
      if (select count(*) from made) > 2 then raise query_canceled; end if;
      return null;
    end $$;
    create trigger too_many after insert on webhook_deliveries referencing new table as made
      for each statement execute function too_many()`);
  const pieces = new Pieces();
  let from = place;
  await until(
    'twenty deliveries',
    async () => {
      const tried = await pieces.try((piece) => makeDeliveries(db, 'test', from, piece));
      if (tried) from = tried.place;
      return (await db('webhook_deliveries')).length >= 20 ? true : undefined;
    },
    feedMs,
  );
  t.equal((await db('webhook_deliveries')).length, 20, 'each once');
  await db.raw('drop trigger too_many on webhook_deliveries');
});

await t.test('one redelivery of a webhook at a time, some events in each', async (t) => {
  const sent: number[] = [];
  let from: { seconds: number } | { after: string } | undefined = { seconds: 3600 };
  while (from) {
    const { events, next } = await redeliverSince(db, 'astercc', 'crm', { ...from, most: 8 });
    sent.push(events);
    from = next === null ? undefined : { after: next };
  }
  t.ok(sent.length >= 3, String(sent));
  t.ok(sent.every((events) => events <= 8));
  t.ok(sent.reduce((sum, events) => sum + events, 0) >= 20, 'all of them');
  await db('webhooks').update({ redelivering_until: db.raw("now() + interval '1 minute'") });
  await refused(t, 'conflict', ['already'], () => redeliverSince(db, 'astercc', 'crm', { seconds: 60 }));
  await db('webhooks').update({ redelivering_until: db.raw("now() - interval '1 second'") });
  await redeliverSince(db, 'astercc', 'crm', { seconds: 60 });
});

await t.test('what waits for a disabled webhook wakes nobody', async (t) => {
  t.equal(await anyDue(db), true);
  await webhooks.set(db, 'astercc', 'crm', { enabled: false });
  t.equal(await anyDue(db), false);
  await webhooks.remove(db, 'astercc', 'crm');
  t.same(await db('webhook_deliveries'), []);
});

await t.test(
  'a webhook to which very much was sent goes in pieces, and takes nothing of others along',
  async (t) => {
    for (const name of ['busy', 'quiet']) await webhooks.add(db, 'astercc', name, { url });
    const most = largestPiece;
    // No more in a statement, so that it ends in its time, and holds no locks for long.
    await db.raw(`
    create function too_many_go() returns trigger language plpgsql as $$
    begin
      if (select count(*) from gone) > ${most} then raise query_canceled; end if;
      return null;
    end $$;
    create trigger too_many_go after delete on webhook_deliveries referencing old table as gone
      for each statement execute function too_many_go()`);
    const made = (name: string, from: number, to: number) =>
      db.raw(
        `insert into webhook_deliveries (team_id, webhook_id, message, type, at)
       select team_id, id, 'test-' || n, 'webhook.test', now() from webhooks, generate_series(?::integer, ?::integer) n
       where name = ?`,
        [from, to, name],
      );
    for (let from = 1; from <= 1.2 * most; from += 2000) await made('busy', from, from + 1999);
    await made('quiet', 1, 10);
    await webhooks.remove(db, 'astercc', 'busy');
    t.equal((await db('webhook_deliveries')).length, 10, 'those of the other one are left');
    await refused(t, 'not_found', ['busy'], () => webhooks.show(db, 'astercc', 'busy'));
    await webhooks.remove(db, 'astercc', 'quiet');
    await db.raw('drop trigger too_many_go on webhook_deliveries');
  },
);

await t.test('of many good webhooks that all have much to be sent each has its turn', async (t) => {
  const { id: teamId } = await db('teams').where({ identity: 'astercc' }).first<{ id: number }>('id');
  const rows = await db('webhooks')
    .insert(
      Array.from({ length: 80 }, (_, at) => ({
        team_id: teamId,
        name: `good_${String.fromCharCode(97 + Math.floor(at / 10), 97 + (at % 10))}`,
        url,
        secret: newSecret(),
        quick: true,
      })),
    )
    .returning<{ id: number }[]>('id');
  await db.batchInsert(
    'webhook_deliveries',
    rows.flatMap(({ id }) =>
      Array.from({ length: 20 }, () => ({
        team_id: teamId,
        webhook_id: id,
        message: `test-${randomUUID()}`,
        type: 'webhook.test',
        at: new Date(),
      })),
    ),
    200,
  );
  const served = new Set<number>();
  for (let claim = 0; claim < 5; claim++) {
    const options = { quick: true, most: 64, mostOfOne: 4, busy: {}, leaseSeconds: 60 };
    for (const message of await claimMessages(db, options)) {
      served.add(message.webhookId);
      await noteDelivered(db, message, { status: 204, quick: true });
    }
  }
  t.equal(served.size, 80);
});
