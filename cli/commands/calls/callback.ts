import type { Command } from 'commander';
import { action, type Context } from '../../context.js';

const columns = [
  'id',
  'group',
  'number',
  'arrivedAt',
  'tries',
  'lastResult',
  'nextAt',
  'expiresAt',
  'call',
] as const;

/** `star64 callback …` */
export function register(program: Command, context: Context): void {
  const callback = program
    .command('callback')
    .description(
      'callers who left a queue to be called back, and keep their place (group set --callback-key)',
    );
  callback
    .command('list')
    .description('list who is to be called back, in order of arrival')
    .option('--group <name>', 'of this group')
    .action(
      action(context, async ({ db, team, print }, flags: { group?: string }) => {
        const { listCallbacks } = await import('../../../domain/calls/queue/callbacks.js');
        print.list(await listCallbacks(await db(), team, flags), columns);
      }),
    );
  callback
    .command('remove')
    .description('have somebody not called back: they are among `call list --unreturned` then')
    .argument('<id>', 'as `callback list` has it')
    .action(
      action(context, async ({ db, team, say }, id: string) => {
        const { removeCallback } = await import('../../../domain/calls/queue/callbacks.js');
        await removeCallback(await db(), team, id);
        say(`callback ${id} removed`);
      }),
    );
}
