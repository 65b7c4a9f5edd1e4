import type { Command } from 'commander';
import { action, type Context } from '../context.js';

/** How long it waits for a connection, in milliseconds: any number may run at once, also on a machine that hardly keeps up. */
const dialMs = 10_000;

/** `star64 migrate` */
export function register(program: Command, context: Context): void {
  program
    .command('migrate')
    .description('bring the tables of the database up to this version; any number may run at once')
    .option(
      '--ahead',
      'only what takes long with the history of months, while the servers of the version before go on working',
    )
    .action(
      action(context, async ({ rawDb, databaseUrl, settings, print, say }, { ahead }: { ahead?: true }) => {
        const { migrate, migrateAhead, migrationDeadlineMs } =
          await import('../../domain/database/migrate.js');
        const { handOverToken } = await import('../token.js');
        const { requireSessions } = await import('../../domain/database/sessions.js');
        // What is held ahead is of one session, which a pooler of transactions does not keep.
        await requireSessions((await databaseUrl()).url, { dialMs });
        const db = await rawDb({ deadlineMs: migrationDeadlineMs, dialMs });
        if (ahead) {
          const built = await migrateAhead(db);
          print.list(
            built.map((index) => ({ index })),
            ['index'],
          );
          say(
            built.length === 0
              ? 'nothing to do ahead'
              : 'done ahead: stop the servers, then star64 migrate takes a moment',
          );
          return;
        }
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
