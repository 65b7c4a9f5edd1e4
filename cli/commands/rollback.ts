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
        const { placeOf, withConsole } = await import('../generating.js');
        const { rollback } = await import('../../pbx/files/apply.js');
        const { behind } = await import('../../domain/provisioning/generations.js');
        const place = placeOf(all, say);
        const database = await db();
        const { generation, reloaded } = await withConsole(all, (console) =>
          rollback(database, { ...place, console }),
        );
        print.record({ directory: place.directory, generation, reloaded });
        say(`Asterisk has generation ${generation} again; what the database says is ${behind}`);
      }),
    );
}
