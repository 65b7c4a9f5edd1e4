import type { Command } from 'commander';
import { action, type Context } from '../context.js';

/** `star64 web` */
export function register(program: Command, context: Context): void {
  program
    .command('web')
    .description('serve the HTTP API, which shows and commands what the telephone does, until SIGTERM')
    .action(
      action(context, async ({ settings, db, env }) => {
        const all = await settings();
        const { createLog } = await import('../log.js');
        const { createWeb } = await import('../../web/server.js');
        const { untilSignalled } = await import('../signals.js');
        const log = createLog(all, env);
        const signalled = untilSignalled();
        const { host, port, trustProxy } = all.web;
        const web = await createWeb(await db(), log, {
          version: program.version() ?? '',
          ...(trustProxy && { trustProxy }),
        });
        try {
          const address = await web.listen({ host, port });
          log.info({ address }, 'serving the HTTP API');
          await signalled;
        } finally {
          await web.close();
        }
      }),
    );
}
