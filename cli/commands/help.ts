import type { Command } from 'commander';
import { exitCodes, usage } from '../../domain/errors.js';
import { quoted } from '../../domain/names.js';
import { action, type Context } from '../context.js';

/** `star64 help [topic]`: the help of a command, or a topic that belongs to none. */
export function register(program: Command, context: Context): void {
  program
    .command('help')
    .argument('[topic...]', 'a command, or: exit-codes')
    .description('explain a command or a topic')
    .action(
      action(context, ({ print }, topic: string[]) => {
        if (topic[0] === 'exit-codes') print.list(exitCodes(), ['status', 'meaning']);
        else find(program, topic).outputHelp();
        return Promise.resolve();
      }),
    );
}

function find(program: Command, topic: readonly string[]): Command {
  let command = program;
  for (const word of topic) {
    const next = command.commands.find((candidate) => candidate.name() === word);
    if (!next)
      throw usage(`there is no help for ${quoted(topic.join(' '))}: \`star64 help\` lists the commands.`);
    command = next;
  }
  return command;
}
