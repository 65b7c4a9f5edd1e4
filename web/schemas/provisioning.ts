import { z } from 'zod';
import { fieldName } from '../../domain/json-text.js';
import type { Field, Noun } from '../../domain/provisioning/fields/description.js';
import { isGiven } from '../../domain/provisioning/values/values.js';

/** How a field of a noun is called in JSON: as `--json` prints it, a secret by its option (`password`). */
export const jsonName = (key: string, { value, option }: Field): string =>
  value.is === 'secret' && option !== undefined ? option.replaceAll('-', '_') : fieldName(key);

/** What is read beside a thing of a noun after a change of it. */
const remarks = z
  .array(z.string())
  .meta({ description: 'what the command line would say beside it: not in Asterisk yet, and so on' });

const moment = z.iso.datetime();

/** A thing of a noun as it is read. The domain decides what is in it: nothing is checked but its form. */
export function readSchema(noun: Noun): z.ZodObject {
  const shape: Record<string, z.ZodType> = {};
  if (noun.owner !== 'none') shape['team'] = z.string();
  for (const [key, field] of Object.entries<Field>(noun.fields)) {
    const schema = shownAs(field);
    if (schema) shape[fieldName(key)] = schema.meta({ description: field.help });
  }
  if (noun.dated !== false) shape['created_at'] = moment;
  return z.object(shape);
}

/** The same after a change: with a secret that was made new, this one time. */
export function changedSchema(noun: Noun): z.ZodObject {
  const secrets = Object.entries<Field>(noun.fields)
    .filter(([, { value }]) => value.is === 'secret' && value.kept === 'clear')
    .map(([key]) => [fieldName(key), z.string().nullable().optional()]);
  return readSchema(noun).extend({ ...Object.fromEntries(secrets), remarks });
}

export const removedSchema = z.object({
  noun: z.string(),
  name: z.string(),
  says: z.string(),
  /** The thing, where it is still seen for a while. */
  still: z.record(z.string(), z.unknown()).optional(),
  remarks,
});

function shownAs({ value, none, maybe }: Field): z.ZodType | undefined {
  const orNull = (schema: z.ZodType): z.ZodType =>
    none !== undefined || maybe === true ? schema.nullable() : schema;
  switch (value.is) {
    case 'computed':
      return z.unknown();
    case 'secret':
      return value.kept === 'hashed' ? z.boolean() : undefined;
    case 'whole':
      return value.zeroIsNone ? z.number().nullable() : orNull(z.number());
    case 'yes-no':
      return z.boolean();
    case 'words':
      return orNull(z.array(z.string()));
    case 'references':
    case 'destinations':
      return z.array(z.string());
    case 'lines':
      return value.sql === undefined ? undefined : z.array(z.string());
    case 'number-by-name':
      return z.record(z.string(), z.number());
    default:
      return orNull(z.string());
  }
}

/**
 * What may be given to POST or PATCH. The types are checked here; ranges, words and alphabets stand in the document, and the
 * domain checks them, so that a refusal is the sentence of the command line.
 */
export function givenSchema(noun: Noun, verb: 'add' | 'set'): z.ZodObject {
  const shape = fieldsGiven(noun, verb).map(([key, field]) => {
    const schema = describe(field, givenAs(field));
    return [jsonName(key, field), isNeeded(noun, verb, key, field) ? schema : schema.optional()];
  });
  return z.strictObject(Object.fromEntries(shape) as Record<string, z.ZodType>);
}

/** The fields that may be given, as on the command line; what is the operator's is refused before. */
export const fieldsGiven = (noun: Noun, verb: 'add' | 'set'): [string, Field][] =>
  Object.entries<Field>(noun.fields).filter(([key, field]) => {
    if (!isGiven(field) || field.operator) return false;
    return key === noun.key
      ? verb === 'add' || field.on === 'set'
      : field.on === undefined || field.on === verb;
  });

const isNeeded = (noun: Noun, verb: 'add' | 'set', key: string, field: Field): boolean =>
  verb === 'add' && (key === noun.key || field.required === true);

/** With the help of the command line, the range of a number, and what it is unless given. */
const describe = (field: Field, schema: z.ZodType): z.ZodType =>
  schema.meta({
    description: field.unless === undefined ? field.help : `${field.help} (unless given: ${field.unless})`,
  });

const text = z.string();
const names = z.array(text);

function givenAs({ value, none }: Field): z.ZodType {
  const orNull = (schema: z.ZodType): z.ZodType => (none === undefined ? schema : schema.nullable());
  switch (value.is) {
    case 'whole':
      return orNull(
        z.number().meta({ type: 'integer', minimum: value.zeroIsNone ? 0 : value.from, maximum: value.to }),
      );
    case 'yes-no':
      return z.boolean();
    case 'choice':
      return orNull(text.meta({ enum: value.of }));
    case 'words':
      return orNull(z.array(text.meta({ enum: value.of })));
    case 'references':
      return value.typed === 'all'
        ? names
        : z.union([names, z.strictObject({ add: names.optional(), remove: names.optional() })]);
    case 'destinations':
      return names;
    case 'lines':
      return orNull(names);
    case 'number-by-name':
      return z.record(text, z.number());
    case 'secret': {
      const secret = text.meta({ writeOnly: true });
      return orNull(
        value.kept === 'clear' && value.renew !== undefined
          ? z.union([secret, z.strictObject({ generate: z.literal(true) })])
          : secret,
      );
    }
    default:
      return orNull(text);
  }
}
