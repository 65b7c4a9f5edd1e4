import type { Command } from 'commander';
import type { Operations } from '../../../domain/provisioning/operations/operations.js';
import { kebab, type Field, type Noun, type Verb } from '../../../domain/provisioning/fields/description.js';
import { action, type Context, type Invocation } from '../../context.js';
import {
  addOptions,
  columnsOf,
  refuseNothing,
  revealOptions,
  takesSystemOption,
  valuesOf,
} from '../../noun-options.js';

type Flags = Readonly<Record<string, unknown>>;

/** What is special about a noun on the command line. */
export interface Special {
  /** Further commands of the noun. */
  readonly commands?: (command: Command, context: Context) => void;
  /** Options of remove, and what is done instead of the usual. */
  readonly remove?: {
    readonly options: readonly (readonly [flags: string, help: string])[];
    readonly run: (invocation: Invocation, name: string, flags: Flags) => Promise<void>;
  };
  /** Options of show, which `shown` is told of. */
  readonly show?: { readonly options: readonly (readonly [flags: string, help: string])[] };
  /** What is shown of one thing, where that is more than its row. */
  readonly shown?: (invocation: Invocation, row: object, flags: Flags) => Promise<object>;
  /** Said after an addition, to stderr. */
  readonly afterAdd?: (invocation: Invocation, record: Flags) => Promise<void>;
  /** Said after a change, to stderr. */
  readonly afterSet?: (invocation: Invocation, name: string, values: Flags) => Promise<void>;
}

/** Declares the commands of a noun: add, list, show, set and remove, those that its description has; what they need is imported when one of them runs. */
export function registerNoun(
  program: Command,
  context: Context,
  noun: Noun,
  load: () => Promise<Operations>,
  special: Special = {},
): Command {
  const command = program.command(noun.noun).description(noun.title);
  const key = `<${kebab(noun.key)}>`;
  const { owner } = noun;

  /** Says at the end of a change, as long as it is so, that no generated file has it. */
  const sayBehind = async (invocation: Invocation, name: string, flags: Flags): Promise<void> => {
    if (!noun.inFiles) return;
    const { behind, saysBehind } = await import('../../../domain/provisioning/generations.js');
    const team = owner === 'none' ? name : teamOf(invocation, flags);
    // What was changed is changed, also when this cannot be asked any more.
    const says = await saysBehind(await invocation.db(), team).catch(() => behind);
    if (says !== undefined) invocation.say(says);
  };

  const declare = (verb: Verb): Command => {
    const declared = command.command(verb).description(noun.verbs[verb] ?? '');
    if (verb === 'add') {
      declared.argument(key, noun.fields[noun.key]?.help ?? '');
      for (const [name, field] of argumentsOf(noun)) declared.argument(`<${kebab(name)}>`, field.help);
    } else if (verb !== 'list') {
      declared.argument(key);
    }
    if (verb === 'add' || verb === 'set') addOptions(declared, noun, verb);
    if (typeof owner === 'object' && takesSystemOption(noun, verb))
      declared.option(`--${owner.option}`, owner.help);
    return declared;
  };
  const teamOf = ({ team }: Invocation, flags: Flags): string | null =>
    owner === 'none' || (typeof owner === 'object' && flags[camel(owner.option)] === true) ? null : team;

  const shown = (invocation: Invocation, row: object, flags: Flags = {}): Promise<object> =>
    special.shown?.(invocation, row, flags) ?? Promise.resolve(row);

  if (noun.verbs.add !== undefined) {
    declare('add').action(
      action(context, async (invocation, name: string, ...rest: unknown[]) => {
        const flags = rest.at(-1) as Flags;
        const typed = Object.fromEntries(argumentsOf(noun).map(([key], index) => [key, rest[index]]));
        const values = { ...(await valuesOf(noun, 'add', flags, invocation)), ...typed };
        const { add } = await load();
        const row = await add(await invocation.db(), teamOf(invocation, flags), name, values);
        invocation.print.record(await shown(invocation, row));
        await special.afterAdd?.(invocation, { ...row });
        await sayBehind(invocation, name, flags);
      }),
    );
  }

  declare('list').action(
    action(context, async (invocation, flags: Flags) => {
      const { list } = await load();
      const rows = await list(await invocation.db(), teamOf(invocation, flags));
      invocation.print.list(rows as Record<string, unknown>[], columnsOf(noun));
    }),
  );

  const show = declare('show');
  const reveals = revealOptions(noun);
  for (const { flags, help } of reveals) show.option(flags, help);
  for (const [flags, help] of special.show?.options ?? []) show.option(flags, help);
  show.action(
    action(context, async (invocation, name: string, flags: Flags) => {
      const { show, showSecrets } = await load();
      const read = reveals.some(({ attribute }) => flags[attribute] === true) ? showSecrets : show;
      const row = await read(await invocation.db(), teamOf(invocation, flags), name);
      invocation.print.record(await shown(invocation, row, flags));
    }),
  );

  declare('set').action(
    action(context, async (invocation, name: string, flags: Flags) => {
      const values = await valuesOf(noun, 'set', flags, invocation);
      refuseNothing(noun, name, values);
      const { set } = await load();
      const row = await set(await invocation.db(), teamOf(invocation, flags), name, values);
      invocation.print.record(await shown(invocation, row));
      await special.afterSet?.(invocation, name, values);
      await sayBehind(invocation, name, flags);
    }),
  );

  if (noun.verbs.remove !== undefined) {
    const remove = declare('remove');
    for (const [flags, help] of special.remove?.options ?? []) remove.option(flags, help);
    remove.action(
      action(context, async (invocation, name: string, flags: Flags) => {
        if (special.remove) {
          await special.remove.run(invocation, name, flags);
          await sayBehind(invocation, name, flags);
          return;
        }
        const { remove } = await load();
        const team = teamOf(invocation, flags);
        const removed = await remove(await invocation.db(), team, name);
        if (removed.record) invocation.print.record(removed.record);
        else invocation.print.removed(noun.noun, name);
        const { saysRemoved } = await import('../../../domain/provisioning/operations/says-removed.js');
        invocation.say(saysRemoved(noun, team, name, removed));
        await sayBehind(invocation, name, flags);
      }),
    );
  }

  special.commands?.(command, context);
  return command;
}

/** Fields that add takes as arguments after the key. */
const argumentsOf = (noun: Noun): [string, Field][] =>
  Object.entries<Field>(noun.fields).filter(([, { argument }]) => argument === true);

const camel = (option: string): string =>
  option.replace(/-([a-z])/g, (_dash, letter: string) => letter.toUpperCase());
