import { Option, type Command } from 'commander';
import { fail } from '../domain/errors.js';
import {
  kebab,
  type Field,
  type Noun,
  type Value,
  type Verb,
} from '../domain/provisioning/fields/description.js';
import { whatOf } from '../domain/provisioning/values/values.js';
import type { Invocation } from './context.js';
import { collected, nameList, numberByName, onOff, wholeNumberIn } from './options.js';

/** An option of a noun's command, as its field makes it. */
export interface NounOption {
  /** `--ring-seconds <seconds>` */
  readonly flags: string;
  readonly help: string;
  readonly required: boolean;
  readonly parse: ((text: string, before: never) => unknown) | undefined;
  /** The field that it is about. */
  readonly key: string;
  /** Goes on being accepted, for scripts that say it as it was called before. */
  readonly hidden?: true;
}

type Flags = Readonly<Record<string, unknown>>;

/** The name of a field's option, without dashes. */
const optionName = (key: string, { option }: Field): string => option ?? kebab(key);
const noneName = (key: string, field: Field): string => field.noneOption ?? optionName(key, field);

/** The attribute under which commander keeps an option. */
const attribute = (option: string): string =>
  option.replace(/-([a-z0-9])/g, (_dash, letter: string) => letter.toUpperCase());

/** Whether a field has options of this command: the key is an argument, and some fields can only be set later. */
function hasOptions(noun: Noun, verb: 'add' | 'set', key: string, field: Field): boolean {
  if (field.value.is === 'computed') return false;
  if (key === noun.key) return verb === 'set' && field.on === 'set';
  if (field.argument && verb === 'add') return false;
  return field.on === undefined || field.on === verb;
}

/** The options of add or set, in the order of the description; another name for the thing comes last. */
export function optionsOf(noun: Noun, verb: 'add' | 'set'): NounOption[] {
  return Object.entries<Field>(noun.fields)
    .filter(([key, field]) => hasOptions(noun, verb, key, field))
    .sort(([a], [b]) => Number(a === noun.key) - Number(b === noun.key))
    .flatMap(([key, field]) => [...given(verb, key, field), ...taken(verb, key, field)]);
}

function given(verb: 'add' | 'set', key: string, field: Field): NounOption[] {
  const name = optionName(key, field);
  const placeholder = field.placeholder ?? name;
  const one = (flags: string, help = field.help, parse?: NounOption['parse']): NounOption => ({
    flags,
    help,
    required: verb === 'add' && field.required === true,
    parse,
    key,
  });
  const { value } = field;
  switch (value.is) {
    case 'whole':
      return [one(`--${name} <${placeholder}>`, field.help, wholeNumberIn(` from ${rangeOf(value)}`))];
    case 'yes-no':
      return value.flag ? [one(`--${name}`)] : [one(`--${name} <on|off>`, field.help, onOff)];
    case 'number-by-name':
      return [one(`--${name} <${placeholder}>`, field.help, numberByName)];
    case 'lines':
      return [one(`--${name} <${placeholder}>`, field.help, collected)];
    case 'destination':
      return [
        // With those that can be typed instead, the command line cannot say which one is missing.
        { ...one(`--${name} <${placeholder}>`), required: false },
        ...(value.also ?? []).map((kind): NounOption => ({
          ...one(`--${kind} <${kind}>`),
          required: false,
          hidden: true,
        })),
      ];
    case 'destinations':
      return [one(`--${name} <${placeholder}>`, field.help, nameList)];
    case 'references':
      if (value.typed === 'all') return [one(`--${name} <${placeholder}>`, field.help, nameList)];
      return [
        one(`--add-${name} <${placeholder}>`, field.help, collected),
        ...(verb === 'set'
          ? [one(`--remove-${name} <${placeholder}>`, 'takes one out again', collected)]
          : []),
      ];
    case 'secret':
      return [
        one(`--${name}-stdin`),
        ...(verb === 'set' && value.renew !== undefined ? [one(`--new-${name}`, value.renew)] : []),
      ];
    default:
      return [one(`--${name} <${placeholder}>`)];
  }
}

function taken(verb: 'add' | 'set', key: string, field: Field): NounOption[] {
  if (verb === 'add' || field.none === undefined) return [];
  return [
    { flags: `--no-${noneName(key, field)}`, help: field.none, required: false, parse: undefined, key },
  ];
}

/** Options of show: secrets that are in no row unless that is asked for. */
export const revealOptions = (noun: Noun): { flags: string; help: string; attribute: string }[] =>
  Object.entries<Field>(noun.fields).flatMap(([key, field]) => {
    const { value } = field;
    if (value.is !== 'secret' || value.reveal === undefined) return [];
    const name = optionName(key, field);
    return [{ flags: `--${name}`, help: value.reveal, attribute: attribute(name) }];
  });

/** What a value can be, in words: `5 to 300`, or all the choices. */
function rangeOf(value: Value): string {
  switch (value.is) {
    case 'whole':
      return `${value.from} to ${value.to}${value.zeroIsNone ? ', or 0' : ''}`;
    case 'number-by-name':
      return `${value.from} to ${value.to}`;
    case 'choice':
    case 'words':
      return value.of.join(', ');
    default:
      return '';
  }
}

/** A help text with what the value can be, unless it says that itself. */
export function withRange(help: string, value: Value): string {
  const range = rangeOf(value);
  const said =
    value.is === 'choice' || value.is === 'words'
      ? value.of.every((word) => help.includes(word))
      : help.includes(range);
  return range === '' || said ? help : `${help}; ${range}`;
}

/** Declares the options of add or set. */
export function addOptions(command: Command, noun: Noun, verb: 'add' | 'set'): void {
  for (const { flags, help, parse, required, key, hidden } of optionsOf(noun, verb)) {
    const field = noun.fields[key];
    // An option that takes something away takes no value.
    const explained = field && flags.includes(' <') ? withRange(help, field.value) : help;
    const unless = verb === 'add' ? field?.unless : undefined;
    const option = new Option(flags, unless === undefined ? explained : `${explained} (default: ${unless})`)
      .makeOptionMandatory(required)
      .hideHelp(hidden === true);
    command.addOption(parse ? option.argParser(parse as (text: string, before: unknown) => unknown) : option);
  }
}

/** What was typed, by field; a secret is read from stdin. Null takes a value away. */
export async function valuesOf(
  noun: Noun,
  verb: 'add' | 'set',
  flags: Flags,
  invocation: Invocation,
): Promise<Record<string, unknown>> {
  const fields = Object.entries<Field>(noun.fields).filter(([key, field]) =>
    hasOptions(noun, verb, key, field),
  );
  exclude(
    fields
      .filter(
        ([key, field]) => field.value.is === 'secret' && flags[attribute(`${optionName(key, field)}-stdin`)],
      )
      .map(([key, field]) => `--${optionName(key, field)}-stdin`),
  );
  const values: Record<string, unknown> = {};
  for (const [key, field] of fields) {
    const value = await valueOf(key, field, flags, invocation);
    if (value !== undefined) values[key] = value;
  }
  return values;
}

async function valueOf(key: string, field: Field, flags: Flags, invocation: Invocation): Promise<unknown> {
  const name = optionName(key, field);
  const typed = flags[attribute(name)];
  const isTaken = field.none !== undefined && flags[attribute(noneName(key, field))] === false;
  const { value } = field;
  if (value.is === 'secret') {
    const fromInput = flags[attribute(`${name}-stdin`)] === true;
    const renewed = flags[attribute(`new-${name}`)] === true;
    exclude([
      ...(fromInput ? [`--${name}-stdin`] : []),
      ...(renewed ? [`--new-${name}`] : []),
      ...(isTaken ? [`--no-${noneName(key, field)}`] : []),
    ]);
    if (fromInput) return invocation.secret(whatOf(key, field));
    if (renewed) return { generate: true };
    return isTaken ? null : undefined;
  }
  if (value.is === 'destination') {
    const kinds = (value.also ?? []).filter((kind) => flags[attribute(kind)] !== undefined);
    exclude([...(typeof typed === 'string' ? [`--${name}`] : []), ...kinds.map((kind) => `--${kind}`)]);
    const [kind] = kinds;
    if (kind !== undefined) return `${kind}:${flags[attribute(kind)] as string}`;
  }
  if (value.is === 'references' && value.typed === 'one by one') {
    const add = flags[attribute(`add-${name}`)];
    const remove = flags[attribute(`remove-${name}`)];
    return add === undefined && remove === undefined
      ? undefined
      : { ...(add !== undefined && { add }), ...(remove !== undefined && { remove }) };
  }
  return isTaken && value.is !== 'yes-no' ? null : typed;
}

function exclude(typed: readonly string[]): void {
  if (typed.length < 2) return;
  throw fail('options_exclude', {
    facts: { options: typed },
    says: `${typed.join(' and ')} exclude each other`,
    remedy: { text: 'give one of them' },
  });
}

/** Refuses a set without anything to change, and says what could be. */
export function refuseNothing(noun: Noun, name: string, values: object): void {
  if (Object.keys(values).length > 0) return;
  const options = optionsOf(noun, 'set')
    .filter(({ hidden }) => !hidden)
    .map(({ flags }) => flags.replace(/ .*/, ''));
  throw fail('nothing_to_change', {
    noun: noun.noun,
    name,
    facts: { options },
    says: 'nothing to change',
    remedy: { text: `give at least one of ${options.join(', ')}` },
  });
}

/** The columns of a list, unless the description says others. */
export const columnsOf = ({ fields, listed }: Noun): readonly string[] =>
  listed ??
  Object.entries<Field>(fields)
    .filter(
      ([, { listed, value }]) =>
        listed !== false &&
        !(value.is === 'secret' && value.kept === 'clear') &&
        !(value.is === 'lines' && value.sql === undefined),
    )
    .map(([key]) => key);

/** Whether a verb takes the option of what belongs to no team: a list that has both does not. */
export const takesSystemOption = ({ owner }: Noun, verb: Verb): boolean =>
  typeof owner === 'object' && !(verb === 'list' && owner.listedInTeams === true);
