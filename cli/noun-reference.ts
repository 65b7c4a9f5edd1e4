import { placeholders } from '../domain/link-template.js';
import { kebab, snake, type Field, type Noun } from '../domain/provisioning/fields/description.js';
import { nouns } from '../domain/provisioning/nouns/index.js';
import { table } from './reference-table.js';
import { optionsOf, revealOptions, takesSystemOption, withRange } from './noun-options.js';

/** Between these marks stands what is made from the descriptions; what is around them is written by hand. */
export const begin = '<!-- made from the descriptions of the nouns: begin -->';
export const end = '<!-- made from the descriptions of the nouns: end -->';

/** The part of `docs/commands.md` that says what each noun has and takes. */
export function nounReference(): string {
  return [
    begin,
    '',
    'Nouns have the commands `add`, `list`, `show`, `set` and `remove`, but for those that every team has from its beginning on; all take `--team <identity>` and `--json`.',
    'Fields are called in JSON as in the tables; an option that begins with `--no-` belongs to `set` alone.',
    '',
    ...nouns.flatMap(section),
    '### Placeholders of links',
    '',
    ...table(
      ['placeholder', 'becomes'],
      Object.entries(placeholders).map(([name, meaning]) => [`\`{${name}}\``, meaning]),
    ),
    '',
    end,
  ].join('\n');
}

function section(noun: Noun): string[] {
  const { verbs, owner, key } = noun;
  const name = `<${kebab(key)}>`;
  const system = typeof owner === 'object' ? [`\`--${owner.option}\`: ${owner.help}.`, ''] : [];
  const commands = Object.entries<string | undefined>(verbs).map(([verb, what = '']) => {
    const extra = Object.entries<Field>(noun.fields).filter(([, { argument }]) => verb === 'add' && argument);
    const words = [
      verb === 'list' ? '' : ` ${name}`,
      ...extra.map(([field]) => ` <${kebab(field)}>`),
      typeof owner === 'object' && takesSystemOption(noun, verb as keyof typeof verbs)
        ? ` [--${owner.option}]`
        : '',
    ];
    return [`\`star64 ${noun.noun} ${verb}${words.join('')}\``, what];
  });
  const fields = Object.entries<Field>(noun.fields).map(([field, details]) => [
    `\`${snake(field)}\``,
    optionCell(noun, field, details),
    details.value.is === 'computed' ? '' : (details.unless ?? (details.required ? 'required' : '')),
    helpOf(field, details),
  ]);
  return [
    `### ${noun.noun}`,
    '',
    `${noun.title.charAt(0).toUpperCase()}${noun.title.slice(1)}.`,
    '',
    ...table(['command', ''], commands),
    '',
    ...system,
    ...table(['field', 'options', 'unless given', ''], fields),
    '',
  ];
}

function optionCell(noun: Noun, field: string, { value, argument }: Field): string {
  if (field === noun.key) return field === 'code' ? 'argument, `--code <code>` (set)' : 'argument';
  if (value.is === 'computed') return '';
  const ofSet = optionsOf(noun, 'set').filter(({ key, hidden }) => key === field && !hidden);
  const reveals = value.is === 'secret' ? revealOptions(noun) : [];
  const options = [
    ...ofSet.map(({ flags }) => `\`${flags.replaceAll('|', '\\|')}\``),
    ...reveals.map(({ flags }) => `\`${flags}\` (show)`),
  ];
  return [...(argument ? ['argument (add)'] : []), ...options].join(', ');
}

function helpOf(key: string, details: Field): string {
  const { help, value, none } = details;
  const parts = [
    withRange(help, value),
    ...(none === undefined
      ? []
      : [`\`--no-${details.noneOption ?? details.option ?? kebab(key)}\`: ${none}`]),
  ];
  return parts.join('; ').replaceAll('|', '\\|').replaceAll('<', '&lt;');
}
