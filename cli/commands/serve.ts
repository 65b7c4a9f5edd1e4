import type { Command } from 'commander';
import { action, type Context } from '../context.js';

/** `star64 serve` */
export function register(program: Command, context: Context): void {
  program
    .command('serve')
    .description(
      'answer Asterisk: the FastAGI server, the manager connection and the deadlines, until SIGTERM',
    )
    .action(
      action(context, async ({ settings, databaseUrl, env }) => {
        const all = await settings();
        const { usage } = await import('../../domain/errors.js');
        const { secret } = all.ami;
        if (secret === undefined) {
          throw usage(
            `no secret for Asterisk's manager: set STAR64_AMI_SECRET, or ami.secret in star64.yml, to the secret of [${all.ami.username}] in manager.conf.`,
          );
        }
        const { hostname } = await import('node:os');
        const { createLog } = await import('../log.js');
        const { loadToken } = await import('../token.js');
        const { createService } = await import('../serve/service.js');
        const { untilSignalled } = await import('../signals.js');
        const { host, port, maxSessions } = all.agi;
        const log = createLog(all, env);
        const { url, name } = await databaseUrl();
        const service = createService(
          {
            databaseUrl: url,
            databaseName: name,
            agi: { host, port, maxSessions },
            token: (db) => loadToken(all, db, (text) => log.warn(text)),
            ami: { ...all.ami, secret },
            node: all.asterisk.node,
            holder: `${hostname()}:${host}:${port}`,
          },
          log,
        );
        const signalled = untilSignalled();
        try {
          await Promise.race([service.start(), signalled]);
          await signalled;
        } finally {
          await service.stop();
        }
      }),
    );
}
