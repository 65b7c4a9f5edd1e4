import { createHash } from 'node:crypto';
import type { Queryable } from '../../database/pool.js';
import { fail } from '../../errors.js';
import { nounOf } from '../../names.js';
import type { Along } from './along.js';
import { columnOf, type Field, type Noun } from '../fields/description.js';
import { placeOf } from '../refusals/dependents.js';
import { readRow } from '../values/rows.js';
import { isGiven } from '../values/values.js';

/**
 * The version of a thing: another one after each change of what can be set of it, its secrets too, and the same while
 * only that changes which it says of others (where an agent is signed in). `shown`: its row as it is shown.
 */
export async function versionOf(db: Queryable, noun: Noun, id: number, shown: object): Promise<string> {
  const row = shown as Readonly<Record<string, unknown>>;
  const fields = Object.entries<Field>(noun.fields);
  const settings = fields.filter(([, field]) => isGiven(field)).map(([key]) => row[key] ?? null);
  const kept = await secretsOf(db, noun, id);
  return createHash('sha256')
    .update(JSON.stringify([noun.noun, id, settings, kept]))
    .digest('hex')
    .slice(0, 32);
}

/**
 * What stands for the secrets. A hash has a salt that nobody knows, so that a version tells nothing of it; one that is kept
 * in clear could be guessed at by the version, and the number of the row's last change stands for it.
 */
async function secretsOf(db: Queryable, noun: Noun, id: number): Promise<object> {
  const columns = Object.entries<Field>(noun.fields).flatMap(([key, field]) => {
    if (field.value.is !== 'secret') return [];
    return field.value.kept === 'clear' ? ['o.xmin::text as xmin'] : [`o.${columnOf(key, field)}`];
  });
  if (columns.length === 0) return {};
  const { rows } = await db.raw<{ rows: object[] }>(
    `select ${columns.join(', ')} from ${noun.table} o where o.id = ?`,
    [id],
  );
  return rows[0] ?? {};
}

/** Refuses a change of a thing, whose row is locked, in another version than it may have. @throws Star64Error `version_changed` */
export async function requireVersion(
  trx: Queryable,
  noun: Noun,
  { id, name, team }: { id: number; name: string; team: string | null },
  { fits }: Along,
): Promise<void> {
  if (!fits) return;
  const shown = await readRow<object>(trx, noun, id);
  if (fits(await versionOf(trx, noun, id, shown))) return;
  throw fail('version_changed', {
    noun: noun.noun,
    name,
    facts: { team },
    says: `${nounOf(noun.noun)} ${name}${placeOf(noun, team)} has been changed since it was read`,
    remedy: { text: 'read it again, and decide anew' },
  });
}
