import type { Command } from 'commander';
import { action, type Context } from '../context.js';

/** `star64 demo` */
export function register(program: Command, context: Context): void {
  program
    .command('demo')
    .description('a day in small on a private Asterisk with real SIP phones; downloads what it needs')
    .option('--keep', 'leave everything running, for a softphone of your own, until Ctrl-C')
    .action(
      action(context, async (_invocation, flags: { keep?: true }) => {
        const { runDemo } = await import('../../lab/demo.js');
        const { untilSignalled } = await import('../signals.js');
        await runDemo((text) => context.out(`${text}\n`), untilSignalled(), flags.keep === true);
      }),
    );
}
