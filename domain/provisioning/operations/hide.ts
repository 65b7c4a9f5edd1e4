import type { Queryable } from '../../database/pool.js';
import { columnOf, type Field, type Noun } from '../fields/description.js';
import { nounNamed } from '../nouns/index.js';
import type { Stored } from '../values/rows.js';

/**
 * Removes a row. One that history names stays, hidden, without its secrets, its places in lists, and what it refers to of
 * nouns whose rows do go: nobody would ever get these back from it.
 */
export async function hide(trx: Queryable, noun: Noun, row: Stored): Promise<void> {
  if (!noun.outlived) {
    await trx(noun.table).where({ id: row.id }).delete();
    return;
  }
  if (row['removed_at']) return;
  const letGo = Object.entries<Field>(noun.fields)
    .filter(
      ([, { value }]) => value.is === 'secret' || (value.is === 'reference' && !nounNamed(value.to).outlived),
    )
    .map(([key, field]) => [columnOf(key, field), null]);
  await trx(noun.table)
    .where({ id: row.id })
    .update({ ...(Object.fromEntries(letGo) as object), removed_at: trx.raw('clock_timestamp()') });
}
