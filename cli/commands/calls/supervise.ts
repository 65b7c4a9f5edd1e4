import type { Command } from 'commander';
import { action, type Context } from '../../context.js';
import { operator } from '../../operator.js';

/** `star64 supervise …` */
export function register(program: Command, context: Context): void {
  program
    .command('supervise')
    .argument('<extension>', 'whose call it is')
    .requiredOption(
      '--from <extension>',
      'the phone that is rung: of a user who administers the group of the call',
    )
    .option('--mode <mode>', 'listen, whisper (to the agent alone) or barge (with both)', 'listen')
    .description('ring an administrator of a group, who then hears a call of it, as *71, *72 and *73 do')
    .action(
      action(
        context,
        async ({ db, team, print }, extension: string, { from, mode }: { from: string; mode: string }) => {
          const { superviseFrom } = await import('../../../domain/calls/commands/supervise-command.js');
          await superviseFrom(await db(), team, { extension, from, mode, by: operator() });
          print.record({ team, extension, from, mode, result: 'done' });
        },
      ),
    );
}
