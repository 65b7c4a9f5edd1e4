import type { Command } from 'commander';
import { usage } from '../../../domain/errors.js';
import { webhook } from '../../../domain/provisioning/nouns/webhook.js';
import { action, type Context } from '../../context.js';
import { duration, wholeNumber } from '../../options.js';
import { registerNoun } from './noun.js';

const columns = [
  'id',
  'webhook',
  'type',
  'at',
  'state',
  'tries',
  'triedAt',
  'nextAt',
  'status',
  'error',
  'message',
] as const;

const keep = 'Keep the secret: it is not shown again.';

/** `star64 webhook …` */
export function register(program: Command, context: Context): void {
  registerNoun(
    program,
    context,
    webhook,
    async () => (await import('../../../domain/provisioning/webhook.js')).webhooks,
    {
      commands: registerDeliveries,
      afterAdd: ({ say }) => {
        say(keep);
        return Promise.resolve();
      },
    },
  );
}

function registerDeliveries(command: Command, context: Context): void {
  const domain = () => import('../../../domain/webhooks/deliveries.js');
  command
    .command('deliveries')
    .argument('[name]', 'of this webhook only')
    .description('list what was sent or is to be sent, the newest first')
    .option('--failed', 'only what was not taken at its last try')
    .option('--limit <deliveries>', 'so many on a page (default: 50)', wholeNumber)
    .option('--before <id>', 'the page behind the delivery with this id', wholeNumber)
    .action(
      action(
        context,
        async (
          { db, team, print, say },
          name: string | undefined,
          flags: { failed?: true; limit?: number; before?: number },
        ) => {
          const { listDeliveries } = await domain();
          const { deliveries, next } = await listDeliveries(await db(), team, {
            ...flags,
            ...(name !== undefined && { webhook: name }),
          });
          print.list(deliveries, columns);
          if (next !== null) say(`more: --before ${next}`);
        },
      ),
    );
  command
    .command('redeliver')
    .argument('<id|name>', 'a delivery by its id, or with --since a webhook by its name')
    .description('send a delivery anew, or every event of a time; each keeps its message id')
    .option('--since <time>', 'every event of so long: 2h, 3d; also those it was not sent', duration)
    .option('--failed', 'with --since: not those that it has taken')
    .action(
      action(context, async ({ db, team, print }, what: string, flags: { since?: number; failed?: true }) => {
        const { redeliver, redeliverSince } = await domain();
        const { since, failed = false } = flags;
        if (since === undefined) {
          print.record(await redeliver(await db(), team, deliveryId(what)));
          return;
        }
        let events = 0;
        for (let from: { seconds: number } | { after: string } | undefined = { seconds: since }; from;) {
          const piece = await redeliverSince(await db(), team, what, { ...from, failedOnly: failed });
          events += piece.events;
          from = piece.next === null ? undefined : { after: piece.next };
        }
        print.record({ team, webhook: what, events });
      }),
    );
  command
    .command('test')
    .argument('<name>')
    .description('have a webhook sent a message of type webhook.test')
    .action(
      action(context, async ({ db, team, print, say }, name: string) => {
        const { testWebhook } = await domain();
        print.record(await testWebhook(await db(), team, name));
        say(`star64 web sends it; \`star64 webhook deliveries ${name}\` says what came of it.`);
      }),
    );
  command
    .command('rotate')
    .argument('<name>')
    .description('give a webhook a new secret, and print it: once, since it is not shown again')
    .option(
      '--keep <time>',
      'messages are signed with the old one, too, for so long: 12h, 7d (default: 1d)',
      duration,
    )
    .option('--now', 'the old one counts no more: others know it')
    .action(
      action(
        context,
        async ({ db, team, print, say }, name: string, flags: { keep?: number; now?: true }) => {
          const { rotateSecret } = await import('../../../domain/provisioning/webhook.js');
          print.record(await rotateSecret(await db(), team, name, flags.now ? 0 : flags.keep));
          say(keep);
        },
      ),
    );
}

function deliveryId(typed: string): number {
  if (/^[0-9]{1,15}$/.test(typed)) return Number(typed);
  throw usage(
    `delivery ${JSON.stringify(typed)} is no id: type one of \`star64 webhook deliveries\`, or --since <time> after the name of a webhook.`,
  );
}
