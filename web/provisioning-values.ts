import { fail, type Star64Error } from '../domain/errors.js';
import type { Field, Noun } from '../domain/provisioning/fields/description.js';
import { fieldsGiven, jsonName } from './schemas/provisioning.js';

/** A body, or a row. */
export type Given = Readonly<Record<string, unknown>>;

/** The fields of a body by the names that the domain has for them. */
export function givenOf(noun: Noun, body: Given): Record<string, unknown> {
  const given: Record<string, unknown> = {};
  for (const [key, field] of Object.entries<Field>(noun.fields)) {
    const name = jsonName(key, field);
    if (Object.hasOwn(body, name) && body[name] !== undefined) given[key] = body[name];
  }
  return given;
}

/** The name of what is to be added; nothing if none is given. */
export function keyIn(noun: Noun, body: Given): string {
  const field = noun.fields[noun.key];
  const name = field && body[jsonName(noun.key, field)];
  return typeof name === 'string' ? name : '';
}

/** A row as it is kept for whoever asks again, and what they are told instead of a secret. */
export function withoutSecrets(noun: Noun, row: object): { row: Given; told: string[] } {
  const told: string[] = [];
  const kept = Object.entries(row).filter(([key, value]) => {
    const field = noun.fields[key]?.value;
    // What a row says beside its fields may be a secret, too.
    if (!field) return key === 'team' || key === 'createdAt';
    if (field.is !== 'secret' || field.kept !== 'clear') return true;
    const another = field.renew === undefined ? '' : `: PATCH {"${key}": {"generate": true}} makes another`;
    if (value !== null) told.push(`${key} was told once, in the first answer${another}`);
    return false;
  });
  return { row: Object.fromEntries(kept), told };
}

/** The refusal of a change without anything to change. */
export const nothingToChange = (noun: Noun, name: string): Star64Error =>
  fail('nothing_to_change', {
    noun: noun.noun,
    name,
    says: 'nothing to change',
    remedy: {
      text: `give at least one of ${fieldsGiven(noun, 'set')
        .map(([key, field]) => jsonName(key, field))
        .join(', ')}`,
    },
  });
