import type { Command } from 'commander';
import { nouns } from '../domain/provisioning/nouns/index.js';
import { table } from './reference-table.js';

/** Between these marks of `docs/commands.md` stands what is made from the command line. */
export const beginCommands = '<!-- made from the command line: begin -->';
export const endCommands = '<!-- made from the command line: end -->';

/** The part of `docs/commands.md` with every command that is none of the usual ones of a noun. */
export function commandReference(program: Command): string {
  const groups = program.commands
    .map((command) => ({ command, others: othersOf(command) }))
    .filter(({ others }) => others.length > 0);
  return [
    beginCommands,
    '',
    '## All other commands',
    '',
    'Each takes these too:',
    '',
    ...optionTable(program),
    '',
    ...groups.flatMap(({ command, others }) => [
      `### star64 ${command.name()}`,
      '',
      ...others.flatMap(section),
    ]),
    endCommands,
  ].join('\n');
}

/** The commands under one word that can be typed, without those that the noun's own section has. */
function othersOf(command: Command): Command[] {
  if (command.commands.length === 0) return [command];
  const verbs = nouns.find(({ noun }) => noun === command.name())?.verbs ?? {};
  return command
    .createHelp()
    .visibleCommands(command)
    .filter((one) => !(one.name() in verbs))
    .flatMap(leaves);
}

const leaves = (command: Command): Command[] =>
  command.commands.length === 0 ? [command] : command.commands.flatMap(leaves);

function section(command: Command): string[] {
  const words = command.registeredArguments.map((one) => {
    const name = `${one.name()}${one.variadic ? '...' : ''}`;
    return one.required ? ` <${name}>` : ` [${name}]`;
  });
  return [
    `\`${pathOf(command)}${words.join('')}\`: ${plain(command.description())}`,
    '',
    ...(visible(command).length === 0 ? [] : [...optionTable(command), '']),
  ];
}

const pathOf = (command: Command): string =>
  command.parent ? `${pathOf(command.parent)} ${command.name()}` : command.name();

/** Its own, without `--help`. */
const visible = (command: Command) => command.options.filter(({ hidden }) => !hidden);

const optionTable = (command: Command): string[] =>
  table(
    ['option', ''],
    visible(command).map(({ flags, description, mandatory }) => [
      `\`${flags.replaceAll('|', '\\|')}\`${mandatory ? ' (required)' : ''}`,
      plain(description),
    ]),
  );

const plain = (text: string): string =>
  text.replaceAll('|', '\\|').replaceAll('*', '\\*').replaceAll('<', '&lt;');
