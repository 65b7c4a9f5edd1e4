import { pino } from 'pino';
import type { Test } from 'tap';
import { until } from '../../../domain/machine/processes.js';
import { pauseAgent, readyAgent } from '../../../domain/provisioning/people/admin-action.js';
import { webhooks } from '../../../domain/provisioning/webhook.js';
import { listDeliveries, type Delivery } from '../../../domain/webhooks/deliveries.js';
import { crowd, provision } from '../../../lab/provision.js';
import { WebhookSender, type WebhookSenderSettings } from '../../../web/webhooks/sender.js';
import { freshDatabase } from '../database.js';
import { enter, feedMs } from './event-feed.js';
import type { Receiver, Received } from './receiver.js';

/** Two teams in which something happens, and who sends it to their webhooks. */
export async function webhookSite(t: Test) {
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
    const { secret } = (await webhooks.add(db, team, name, { url, ...given })) as unknown as {
      secret: string;
    };
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

  /** That no secret is in what was logged until now, in a list or in what is shown. */
  async function noSecretSeen(t: Test): Promise<void> {
    const rows = await db('webhooks').select<{ secret: string }[]>('secret');
    const seen = [...lines, JSON.stringify(await webhooks.list(db, 'astercc'))].join('\n');
    t.notMatch(seen, /whsec_/);
    for (const { secret } of rows) t.notOk(seen.includes(secret));
  }
  return { db, sender, hook, happen, deliveries, inState, has, noSecretSeen };
}
