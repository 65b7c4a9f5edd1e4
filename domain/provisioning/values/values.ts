import { parseDestination, writeDestination } from '../../destination.js';
import { fail, type Star64Error } from '../../errors.js';
import { checkLink } from '../../link-template.js';
import { checkChoice, checkName, checkText, checkWhole, nounOf, quoted } from '../../names.js';
import { generateSecret } from '../../password.js';
import { bare } from '../../telephone-numbers.js';
import type { AddRemove, DestinationListValue, Field, Noun } from '../fields/description.js';
import { kebab } from '../fields/description.js';
import { destinationFeatures } from '../nouns/feature-code.js';
import { checkTimeOfDay } from './time.js';

/** What a field is called in messages. */
export const whatOf = (key: string, { what }: Field): string => what ?? kebab(key).replaceAll('-', ' ');

/** Whether a field can be given at all. */
export const isGiven = ({ value }: Field): boolean => value.is !== 'computed';

/**
 * The fields that were given, each checked by its kind of value, in the order of the description; null takes one away.
 * Undefined stands for not given. What only the database can say (references, time zones) is not checked here.
 */
export function checkGiven(
  noun: Noun,
  name: string,
  given: Readonly<Record<string, unknown>>,
): Record<string, unknown> {
  refuseUnknown(noun, name, given);
  const checked: Record<string, unknown> = {};
  for (const [key, field] of Object.entries<Field>(noun.fields)) {
    const value = given[key];
    if (value === undefined || !isGiven(field)) continue;
    if (value === null && field.none === undefined) throw missing(noun, name, key, field);
    checked[key] = value === null ? null : checkValue(key, field, name, value);
  }
  return checked;
}

/** Refuses an addition without what it cannot do without. */
export function checkRequired(noun: Noun, name: string, given: Readonly<Record<string, unknown>>): void {
  for (const [key, field] of Object.entries<Field>(noun.fields)) {
    if (!field.required || (given[key] !== undefined && given[key] !== null)) continue;
    throw missing(noun, name, key, field);
  }
}

const missing = (noun: Noun, name: string, key: string, field: Field): Star64Error =>
  fail('required', {
    noun: noun.noun,
    name,
    facts: { field: key },
    says: `${nounOf(noun.noun)} ${quoted(name)} needs ${whatOf(key, field)}`,
    remedy: { text: `add --${field.option ?? kebab(key)}` },
  });

/** Types protect our own code; an import or the body of a request can name any field. */
function refuseUnknown(noun: Noun, name: string, given: Readonly<Record<string, unknown>>): void {
  for (const [key, value] of Object.entries(given)) {
    const field = Object.hasOwn(noun.fields, key) ? noun.fields[key] : undefined;
    if (value === undefined || (field && isGiven(field))) continue;
    const known = Object.keys(noun.fields).filter((one) => noun.fields[one] && isGiven(noun.fields[one]));
    throw fail('unknown_field', {
      noun: noun.noun,
      name,
      facts: { field: key, known },
      says: `${nounOf(noun.noun)} ${quoted(name)} has no ${quoted(key)} that can be given`,
      remedy: { text: `it has ${known.join(', ')}` },
    });
  }
}

function checkValue(key: string, field: Field, name: string, given: unknown): unknown {
  const { value } = field;
  const what = whatOf(key, field);
  switch (value.is) {
    case 'name':
      return value.empty !== undefined && given === value.empty
        ? ''
        : checkName(value.of, asText(what, given));
    case 'text':
      return checkText(what, asText(what, given), value.example);
    case 'destination':
      return writeDestination(parseDestination(what, asText(what, given), destinationFeatures));
    case 'destinations':
      return checkDestinations(what, name, value, given);
    case 'link':
      return checkLink(what, asText(what, given), value);
    case 'whole':
      if (value.zeroIsNone && given === 0) return null;
      return checkWhole(what, value, Number(given));
    case 'yes-no':
      return typeof given === 'boolean'
        ? given
        : checkChoice(what, ['on', 'off'], asText(what, given)) === 'on';
    case 'choice': {
      const typed = asText(what, given);
      return checkChoice(what, value.of, value.also?.[typed] ?? typed);
    }
    case 'words':
      return checkWords(what, value.of, given);
    case 'time-of-day':
      return checkTimeOfDay(what, asText(what, given));
    case 'number-by-name':
      return Object.fromEntries(
        Object.entries(given as Record<string, number>).map(([one, number]) => [
          one,
          checkWhole(`${what} ${quoted(one)}`, value, number),
        ]),
      );
    case 'lines':
      if (!Array.isArray(given)) return [value.check(asText(what, given))];
      return given.map((line) => value.check(asText(what, line)));
    case 'references':
      return checkList(what, name, given);
    case 'secret':
      if (value.kept === 'clear' && typeof given === 'object') return generateSecret();
      return value.check(name, asText(what, given));
    default:
      return asText(what, given);
  }
}

/** A list of destinations of some kinds, each once, as they are written in full. */
function checkDestinations(
  what: string,
  name: string,
  { of, bare: alone }: DestinationListValue,
  given: unknown,
): readonly string[] {
  const one = what.replace(/s$/, '');
  const named = (Array.isArray(given) ? (given as unknown[]) : [given]).map((each) => {
    const typed = asText(one, each);
    const destination = parseDestination(one, typed.includes(':') ? typed : `${alone}:${typed}`, []);
    checkChoice(`kind of ${one}`, of, destination.kind);
    return destination;
  });
  // One number is one number, with a + and without.
  checkList(
    what,
    name,
    named.map((destination) => writeDestination({ ...destination, name: bare(destination.name) })),
  );
  return named.map(writeDestination);
}

/** Some of a few words, as they are kept: each once, in the order of the list. */
function checkWords(what: string, of: readonly string[], given: unknown): string {
  const typed = Array.isArray(given) ? (given as unknown[]) : asText(what, given).split(',');
  const named = typed.map((one) => asText(what, one).trim()).filter((one) => one !== '');
  if (named.length === 1 && named[0] === 'none') return '';
  for (const one of named) {
    if (of.includes(one)) continue;
    throw fail('invalid_choice', {
      facts: { what, choices: of },
      says: `${what} ${quoted(one)} does not exist`,
      remedy: { text: `type some of ${of.join(', ')} with , between, or none` },
    });
  }
  return of.filter((one) => named.includes(one)).join(',');
}

/** A list of names, each once: all of them, or what is added and what is removed. */
function checkList(what: string, name: string, given: unknown): AddRemove | readonly string[] {
  const lists = Array.isArray(given)
    ? [given as string[]]
    : [(given as AddRemove).add, (given as AddRemove).remove];
  const named = lists.flatMap((list) => list ?? []);
  const twice = named.find((one, index) => named.indexOf(one) !== index);
  if (twice !== undefined) {
    throw fail('twice', {
      name,
      facts: { field: what, twice },
      says: `${quoted(name)} can have ${what.replace(/s$/, '')} ${quoted(twice)} only once`,
      remedy: { text: 'name it once' },
    });
  }
  return given as AddRemove | readonly string[];
}

/** Types protect our own code; a row of an import or the body of a request can hold anything. */
function asText(what: string, given: unknown): string {
  if (typeof given === 'string') return given;
  throw fail('invalid_text', {
    facts: { what },
    says: `${what} is no text`,
    remedy: { text: 'type it as text' },
  });
}
