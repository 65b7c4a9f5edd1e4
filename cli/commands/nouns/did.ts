import type { Command } from 'commander';
import { did } from '../../../domain/provisioning/nouns/did.js';
import { action, type Context } from '../../context.js';
import { registerNoun } from './noun.js';

/** `star64 did …` */
export function register(program: Command, context: Context): void {
  registerNoun(
    program,
    context,
    did,
    async () => (await import('../../../domain/provisioning/numbers/did.js')).dids,
    {
      commands: (command) => {
        command
          .command('unknown')
          .description('numbers that were called and that no team has, on all Asterisks; the last one first')
          .action(
            action(context, async ({ db, print }) => {
              const { listUnknownNumbers } = await import('../../../domain/calls/routing/unknown-numbers.js');
              const rows = await listUnknownNumbers(await db());
              print.list(rows, ['number', 'calls', 'lastAt', 'firstAt', 'endpoint', 'caller', 'node']);
            }),
          );
      },
    },
  );
}
