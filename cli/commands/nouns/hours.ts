import type { Command } from 'commander';
import { positions, type Position } from '../../../domain/hours-rules.js';
import { hours } from '../../../domain/provisioning/nouns/hours.js';
import { usage } from '../../../domain/errors.js';
import { action, type Context, type Invocation } from '../../context.js';
import { registerNoun } from './noun.js';

const means: Readonly<Record<Position, string>> = {
  automatic: 'open and closed as the rules say',
  day: 'open, whatever the rules say, until somebody switches again',
  night: 'closed, whatever the rules say, until somebody switches again',
};

/** `star64 hours …` */
export function register(program: Command, context: Context): void {
  registerNoun(
    program,
    context,
    hours,
    async () => (await import('../../../domain/provisioning/features/hours.js')).allHours,
    {
      show: {
        options: [
          [
            '--at <time>',
            'whether they are open then, for example 2026-12-24T10:00, in the zone of the team',
          ],
        ],
      },
      shown: async ({ db, team, now }, row, flags) => {
        const { stateOfHours } = await import('../../../domain/calls/routing/opening.js');
        const at = flags['at'];
        if (at !== undefined && typeof at !== 'string') throw usage('--at needs a time.');
        const { name } = row as { name: string };
        return { ...row, ...(await stateOfHours(await db(), team, name, at ?? now())) };
      },
      commands: (command) => {
        for (const position of positions) registerSwitch(command, context, position);
      },
    },
  );
}

function registerSwitch(command: Command, context: Context, position: Position): void {
  command
    .command(position)
    .argument('<name>')
    .description(`switch hours: ${means[position]}; as *61 does`)
    .action(
      action(context, async ({ db, team, print, say }: Invocation, name: string) => {
        const { allHours, switchHours } = await import('../../../domain/provisioning/features/hours.js');
        await switchHours(await db(), team, name, position);
        print.record(await allHours.show(await db(), team, name));
        say(
          `hours ${name} of team ${team} are ${means[position]}; Asterisk follows as soon as a server runs`,
        );
      }),
    );
}
