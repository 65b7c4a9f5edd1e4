import type { Command } from 'commander';
import { action, type Context } from '../context.js';
import type { GenerateFlags } from '../generating.js';

/** `star64 generate` */
export function register(program: Command, context: Context): void {
  program
    .command('generate')
    .description("write Asterisk's files of all teams, and leave it to you when Asterisk reads them")
    .option('--dir <directory>', 'where to write, or STAR64_ASTERISK_CONFIG_DIR')
    .option('--md5-cred', 'write passwords as Asterisk before 20.12, 21.7 and 22.2 reads them')
    .option('--empty', 'write empty files for an Asterisk on which no team lives')
    .action(
      action(context, async ({ db, settings, print, say }, flags: GenerateFlags) => {
        const all = await settings([{ path: 'asterisk.config_dir', value: flags.dir, flag: '--dir' }]);
        const { generateOptions, sayUnreachable } = await import('../generating.js');
        const { generate } = await import('../../pbx/files/generate.js');
        const database = await db();
        const options = await generateOptions(all, flags, database, say);
        const made = await generate(database, options);
        const { generation, changed } = made;
        print.record({ directory: options.directory, generation, changed });
        sayUnreachable(made, say);
        say(
          changed
            ? 'written. Asterisk reads it after: module reload res_pjsip.so; module reload app_queue.so; dialplan reload'
            : 'nothing has changed since the last time',
        );
      }),
    );
}
