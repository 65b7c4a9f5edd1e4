import type { Command } from 'commander';
import { action, type Context } from '../context.js';

/** `star64 status` */
export function register(program: Command, context: Context): void {
  program
    .command('status')
    .description('how the team stands now: who is signed in where, in which state, and who waits')
    .action(
      action(context, async ({ db, team, print }) => {
        const { readStatus } = await import('../../domain/status.js');
        const status = await readStatus(await db(), team);
        if (print.json) {
          print.record(status);
          return;
        }
        print.list(status.groups, ['name', 'waiting', 'waitingSince', 'talking', 'signedIn']);
        print.list(status.agents, ['number', 'name', 'state', 'extension', 'since', 'reason']);
      }),
    );
}
