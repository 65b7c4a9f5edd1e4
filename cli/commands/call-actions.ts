import type { Command } from 'commander';
import type { CallCommandArguments, CallCommandKind } from '../../domain/calls/call-commands.js';
import { action, type Context, type Invocation } from '../context.js';
import { operator } from '../operator.js';

const from = [
  '--from <extension>',
  'whose key it would be, where several phones of the team talk in it',
] as const;

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
  const { commandCall } = await import('../../domain/calls/call-commands.js');
  await commandCall(await db(), team, name, { kind, given, by: operator() });
  print.record({ team, call: name, command: kind, result: 'done' });
}
