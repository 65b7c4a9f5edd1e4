import type { Command } from 'commander';
import { action, type Context } from '../context.js';
import { ofService } from '../errors.js';

/** `star64 web` */
export function register(program: Command, context: Context): void {
  program
    .command('web')
    .description(
      'serve the HTTP API, which shows and commands what the telephone does, and send webhooks, until SIGTERM',
    )
    .action(
      action(context, async ({ settings, db, env }) => {
        const all = await settings();
        const { createLog } = await import('../log.js');
        const { createWeb } = await import('../../web/server.js');
        const { WebhookSender } = await import('../../web/webhooks/sender.js');
        const { untilSignalled } = await import('../signals.js');
        const log = createLog(all, env);
        const signalled = untilSignalled();
        const version = program.version() ?? '';
        const { host, port, trustProxy, corsOrigins, webhookNetworks, metricsToken } = all.web;
        const used = await db().catch((error: unknown) => {
          throw ofService(error);
        });
        const sender = new WebhookSender(used, log, { version, allowed: webhookNetworks });
        const web = await createWeb(used, log, {
          version,
          ...(trustProxy && { trustProxy }),
          corsOrigins,
          metrics: {
            webhooks: () => sender.results,
            ...(metricsToken !== undefined && { token: metricsToken }),
          },
        });
        try {
          const address = await web.listen({ host, port });
          log.info({ address }, 'serving the HTTP API');
          sender.start();
          await signalled;
        } finally {
          await Promise.all([web.close(), sender.stop()]);
        }
      }),
    );
}
