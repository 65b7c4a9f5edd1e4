import type { Command } from 'commander';
import { action, type Context } from '../context.js';
import type { GenerateFlags } from '../generating.js';

/** `star64 apply` */
export function register(program: Command, context: Context): void {
  program
    .command('apply')
    .description(
      "write Asterisk's files of all teams, have it read what has changed, and go back if it does not take it",
    )
    .option('--md5-cred', 'write passwords as Asterisk before 20.12, 21.7 and 22.2 reads them')
    .option('--empty', 'write empty files for an Asterisk on which no team lives')
    .action(
      action(context, async ({ db, settings, print, say }, flags: GenerateFlags) => {
        const all = await settings();
        const { generateOptions, sayUnreachable, withConsole } = await import('../generating.js');
        const { apply } = await import('../../pbx/files/apply.js');
        const database = await db();
        const options = await generateOptions(all, flags, database, say);
        const made = await withConsole(all, (console) => apply(database, { ...options, console }));
        const { generation, changed, reloaded } = made;
        print.record({ directory: options.directory, generation, changed, reloaded });
        sayUnreachable(made, say);
        if (made.lacks !== undefined)
          say(
            `hold, record, drop and end by key within a call do nothing yet, since Asterisk does not take in the file with these keys. Add at the end of\n  ${made.lacks}\nand then \`star64 apply\` again.`,
          );
        say(
          reloaded.length > 0
            ? `Asterisk has it: its ${[...new Set(reloaded)].join(', ')} are read anew`
            : 'Asterisk has it already',
        );
      }),
    );
}
