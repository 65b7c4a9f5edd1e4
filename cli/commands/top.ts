import { Option, type Command } from 'commander';
import { usage } from '../../domain/errors.js';
import { sortings, type Sorting } from '../board/render.js';
import { action, requireMigrated, type Context } from '../context.js';
import { wholeNumber } from '../options.js';

/** `star64 top` */
export function register(program: Command, context: Context): void {
  program
    .command('top')
    .description('watch the team on a terminal: its groups and its agents, anew every second')
    .option(
      '--within <seconds>',
      'how long a caller may wait for the service level (default: 20)',
      wholeNumber,
    )
    .addOption(new Option('--sort <order>', 'the agents').choices(Object.keys(sortings)).default('state'))
    .addHelpText(
      'after',
      `
The service level is: answered within <seconds> / (answered + abandoned), of the calls of today.
Keys: ${Object.entries(sortings)
        .map(([name, { key }]) => `${key} sorts by ${name}`)
        .join(', ')}; arrows and page keys scroll; q quits.`,
    )
    .action(
      action(context, async (invocation, flags: { within?: number; sort: Sorting }) => {
        if (!context.terminal || context.env['TERM'] === 'dumb') {
          throw usage(
            '`star64 top` needs a terminal on stdout: `star64 status --json` prints the same as data.',
          );
        }
        const { statementDeadlineMs } = await import('../../domain/database/pool.js');
        const { readStatus } = await import('../../domain/monitor/status.js');
        const { Top } = await import('../board/top.js');
        const { readyToAlign } = await import('../display.js');
        await readyToAlign();
        const { untilSignalled } = await import('../signals.js');
        const { HealthCheck } = await import('../../pbx/health.js');
        const { healthLine } = await import('../status-view.js');
        const db = await invocation.rawDb({ deadlineMs: statementDeadlineMs });
        const { agi, ami, asterisk } = await invocation.settings();
        const check = new HealthCheck(db, {
          ...{ team: invocation.team, servers: agi.servers, ami },
          ...{ directory: asterisk.configDir, node: asterisk.node },
        });
        let migrated = false;
        await new Top({
          team: invocation.team,
          sort: flags.sort,
          input: process.stdin,
          output: process.stdout,
          read: async () => {
            if (!migrated) await requireMigrated(db);
            migrated = true;
            return readStatus(db, invocation.team, flags.within);
          },
          health: async () => healthLine(await check.read()),
          signalled: untilSignalled(),
        })
          .run()
          .finally(() => check.close());
      }),
    );
}
