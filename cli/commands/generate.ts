import type { Command } from 'commander';
import { command } from '../../domain/names.js';
import { action, type Context } from '../context.js';

interface GenerateFlags {
  dir?: string;
  md5Cred?: true;
  empty?: true;
}

/** `star64 generate` */
export function register(program: Command, context: Context): void {
  program
    .command('generate')
    .description("write Asterisk's extensions.conf, queues.conf and pjsip.conf of all teams")
    .option('--dir <directory>', 'where to write, or STAR64_ASTERISK_CONFIG_DIR')
    .option('--md5-cred', 'write passwords as Asterisk before 20.12, 21.7 and 22.2 reads them')
    .option('--empty', 'write empty files for an Asterisk on which no team lives')
    .action(
      action(context, async ({ db, settings, print, say }, flags: GenerateFlags) => {
        const all = await settings([{ path: 'asterisk.config_dir', value: flags.dir, flag: '--dir' }]);
        const { loadToken } = await import('../token.js');
        const { soundsOf } = await import('../../agi/prompts.js');
        const { generate } = await import('../../pbx/files/generate.js');
        const directory = all.asterisk.configDir;
        const database = await db();
        const token = await loadToken(all, database, say);
        const { generation, changed, unreachable } = await generate(database, {
          directory,
          servers: all.agi.servers,
          token,
          passwordDigest: flags.md5Cred !== true,
          node: all.asterisk.node,
          empty: flags.empty === true,
          nobodyAnswers: soundsOf('unavailable').join('&'),
          templatesDirectory: all.asterisk.templatesDir,
          onWait: (who) => say(`waiting: ${who} is at work in ${directory}`),
        });
        print.record({ directory, generation, changed });
        for (const { team, numbers } of unreachable) {
          say(
            `team ${team} has no trunk, so that nobody can be called at its telephones ${numbers.join(', ')}: ${command(team, 'trunk add <name> --endpoint <section>')}, then \`star64 team set ${team} --trunk <name>\`.`,
          );
        }
        say(
          changed
            ? 'written. Asterisk reads it after: dialplan reload; module reload app_queue.so; module reload res_pjsip.so'
            : 'nothing has changed since the last time',
        );
      }),
    );
}
