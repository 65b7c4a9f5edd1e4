import type { Command } from 'commander';
import { action, type Context } from '../context.js';

/** `star64 migrate` */
export function register(program: Command, context: Context): void {
  program
    .command('migrate')
    .description('bring the tables of the database up to this version; any number may run at once')
    .action(
      action(context, async ({ rawDb, settings, print, say }) => {
        const { migrate, migrationDeadlineMs } = await import('../../domain/database/migrate.js');
        const { handOverToken } = await import('../token.js');
        const db = await rawDb(migrationDeadlineMs);
        const done = await migrate(db, say);
        await handOverToken(await settings(), db, say);
        print.list(
          done.map((migration) => ({ migration })),
          ['migration'],
        );
        say(done.length === 0 ? 'nothing to do: the tables are up to date' : 'the tables are up to date');
      }),
    );
}
