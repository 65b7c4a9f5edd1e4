import type { Command } from 'commander';
import { action, type Context } from '../context.js';
import { wholeNumber } from '../options.js';

/** `star64 status` */
export function register(program: Command, context: Context): void {
  program
    .command('status')
    .description('how the team stands now: who is signed in where, in which state, who waits, service level')
    .option(
      '--within <seconds>',
      'how long a caller may wait for the service level (default: 20)',
      wholeNumber,
    )
    .action(
      action(context, async ({ db, team, print, say }, { within }: { within?: number }) => {
        const { readStatus } = await import('../../domain/monitor/status.js');
        const { readNotices } = await import('../../domain/monitor/notices.js');
        const status = await readStatus(await db(), team, within);
        const notices = await readNotices(await db(), team);
        if (print.json) {
          print.record({ ...status, notices });
          return;
        }
        for (const { says } of notices) say(says);
        print.list(status.groups, ['name', 'waiting', 'waitingSince', 'talking', 'signedIn', 'serviceLevel']);
        print.list(status.agents, [
          'number',
          'name',
          'state',
          'extension',
          'since',
          'reason',
          'group',
          'caller',
        ]);
        const { behind } = await import('../../domain/provisioning/generations.js');
        if (status.filesAreBehind) say(behind);
      }),
    );
}
