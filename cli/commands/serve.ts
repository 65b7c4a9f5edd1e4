import type { Command } from 'commander';
import { action, type Context } from '../context.js';
import { ofService } from '../errors.js';

/** `star64 serve` */
export function register(program: Command, context: Context): void {
  program
    .command('serve')
    .description(
      'answer Asterisk: the FastAGI server, the manager connection and the deadlines, until SIGTERM',
    )
    .option(
      '--take-over',
      'let this database have the Asterisk from now on, although another one, or a newer copy of it, has it: once, after a restored backup',
    )
    .action(
      action(context, async ({ settings, databaseUrl, env }, flags: { takeOver?: true }) => {
        const all = await settings();
        const { managerUser } = await import('../manager-user.js');
        const ami = managerUser(all);
        const { hostname } = await import('node:os');
        const { createLog } = await import('../log.js');
        const { loadToken } = await import('../token.js');
        const { createService } = await import('../serve/service.js');
        const { untilSignalled } = await import('../signals.js');
        const { host, port, maxSessions } = all.agi;
        const log = createLog(all, env);
        const { url, name } = await databaseUrl().catch((error: unknown) => {
          throw ofService(error);
        });
        const { parts, lost } = createService(
          {
            databaseUrl: url,
            databaseName: name,
            agi: { host, port, maxSessions },
            token: (db) => loadToken(all, db, (text) => log.warn(text)),
            ami,
            node: all.asterisk.node,
            recordingsDir: all.asterisk.recordingsDir,
            holder: `${hostname()}:${host}:${port}`,
            takeOver: flags.takeOver === true,
            version: program.version() ?? '',
            healthPort: all.serve.healthPort,
          },
          log,
        );
        const signalled = untilSignalled();
        try {
          await Promise.race([parts.start(), signalled]);
          const end = await Promise.race([signalled, lost]);
          if (end instanceof Error) throw end;
        } finally {
          await parts.stop();
        }
      }),
    );
}
