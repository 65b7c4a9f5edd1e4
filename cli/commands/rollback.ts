import type { Command } from 'commander';
import { action, type Context } from '../context.js';

/** `star64 rollback` */
export function register(program: Command, context: Context): void {
  program
    .command('rollback')
    .description('put the generation before this one in force again; a second time comes back')
    .action(
      action(context, async ({ db, settings, print, say }) => {
        const all = await settings();
        const { placeOf } = await import('../generating.js');
        const { rollback } = await import('../../pbx/files/apply.js');
        const { consoleOf } = await import('../../pbx/files/console.js');
        const { behind } = await import('../../domain/provisioning/generations.js');
        const place = placeOf(all, say);
        const { generation, reloaded } = await rollback(await db(), {
          ...place,
          console: consoleOf(all.asterisk.console),
        });
        print.record({ directory: place.directory, generation, reloaded });
        say(`Asterisk has generation ${generation} again; what the database says is ${behind}`);
      }),
    );
}
