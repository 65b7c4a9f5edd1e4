import type { Command } from 'commander';
import type { CallCommandArguments, CallCommandKind } from '../../../domain/calls/commands/call-commands.js';
import { action, type Context, type Invocation } from '../../context.js';
import { operator } from '../../operator.js';

const from = [
  '--from <extension>',
  'whose key it would be, where several phones of the team talk in it',
] as const;

interface StartFlags {
  agent: string;
  to: string;
  id?: string;
  autoAnswer?: true;
}

/** Calls that are started for an agent: `star64 call start`. */
export function registerCallStart(call: Command, context: Context): void {
  call
    .command('start')
    .requiredOption('--agent <number>', 'whose phone rings first, where they are signed in')
    .requiredOption('--to <number>', 'whom to call then: as they would dial it, or with + in front')
    .option(
      '--id <id>',
      'made up by you: with the same one again nothing is done again, and the first answer comes',
    )
    .option('--auto-answer', 'has their phone pick up by itself, if it can')
    .description(
      'call somebody for an agent (click to call): their phone rings, and then the number is called',
    )
    .action(
      action(context, async ({ db, team, print }, { agent, to, id, autoAnswer }: StartFlags) => {
        const { startCall } = await import('../../../domain/calls/commands/clicks.js');
        print.record(await startCall(await db(), team, { agent, to, id, autoAnswer, by: operator() }));
      }),
    );
}

/** What is done in a call from outside it, as its agent would by the keys of a call: `star64 call hangup …` and its like. */
export function registerCallActions(call: Command, context: Context): void {
  call
    .command('hangup')
    .argument('<call>', 'its uniqueid in Asterisk, or its id')
    .option('--party <who>', 'only this one: an extension, caller, or the number of who is outside')
    .description('end a call, or hang up one who is in it')
    .action(
      action(context, (invocation, name: string, given: CallCommandArguments['hangup']) =>
        command(invocation, name, 'hangup', given),
      ),
    );
  for (const [kind, says] of [
    ['transfer', 'send the other side on to a number, and let the agent go, as *1 does'],
    ['consult', 'let the agent ask a number while the other side hears music, as *2 does'],
  ] as const)
    call
      .command(kind)
      .argument('<call>')
      .argument('<number>', 'as the agent would dial it')
      .option(...from)
      .description(says)
      .action(
        action(context, (invocation, name: string, number: string, given: { from?: string }) =>
          command(invocation, name, kind, { ...given, number }),
        ),
      );
  for (const [kind, says] of [
    ['conference', 'take whom the agent consults into the call, as *3 does'],
    ['hold', 'hold the other side, or take them back, as *7 does'],
    ['resume', 'take the other side back whom the agent has on hold'],
    ['back', 'end the consultation, so that the agent is with the other side again, as *4 does'],
  ] as const)
    call
      .command(kind)
      .argument('<call>')
      .option(...from)
      .description(says)
      .action(
        action(context, (invocation, name: string, given: { from?: string }) =>
          command(invocation, name, kind, given),
        ),
      );
}

async function command<K extends CallCommandKind>(
  { db, team, print }: Invocation,
  name: string,
  kind: K,
  given: CallCommandArguments[K],
): Promise<void> {
  const { commandCall } = await import('../../../domain/calls/commands/call-commands.js');
  await commandCall(await db(), team, name, { kind, given, by: operator() });
  print.record({ team, call: name, command: kind, result: 'done' });
}
