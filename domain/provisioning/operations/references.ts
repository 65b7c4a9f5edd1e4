import {
  columnOf,
  type AddRemove,
  type Field,
  type Noun,
  type ReferencesValue,
} from '../fields/description.js';
import type { Queryable } from '../../database/pool.js';
import { fail } from '../../errors.js';
import { nounOf, quoted } from '../../names.js';
import { nouns } from '../nouns/index.js';
import { removalPending } from '../values/removal-pending.js';
import { keyField, requireReferred } from '../values/rows.js';
import type { Scope } from '../values/scope.js';
import { destinationFields, ownerColumn } from '../fields/slots.js';
import { whatOf } from '../values/values.js';

/** Changes the lists of other things that a thing has, as far as they were given. */
export async function changeReferences(
  trx: Queryable,
  noun: Noun,
  scope: Scope,
  own: { id: number; name: string },
  given: object,
): Promise<void> {
  for (const [key, field] of Object.entries<Field>(noun.fields)) {
    const change = (given as Record<string, unknown>)[key] as AddRemove | readonly string[] | undefined;
    if (field.value.is !== 'references' || change === undefined) continue;
    const list = { trx, scope, own, value: field.value, what: whatOf(key, field), noun };
    if (isAll(change)) await putAll(list, change);
    else await addAndRemove(list, change);
  }
}

interface List {
  readonly trx: Queryable;
  readonly scope: Scope;
  readonly noun: Noun;
  readonly own: { readonly id: number; readonly name: string };
  readonly value: ReferencesValue;
  readonly what: string;
}

const isAll = (change: AddRemove | readonly string[]): change is readonly string[] => Array.isArray(change);

/** Makes these the whole list, in their order; what is said beside an entry that stays is kept. */
async function putAll(list: List, names: readonly string[]): Promise<void> {
  const { table, own, their } = list.value.through;
  const ids = await idsOf(list, names);
  const entries = list.trx(table).where({ [own]: list.own.id });
  // Where a position is taken once, an entry cannot pass another on its way.
  await (list.value.orSystem ? entries.delete() : entries.whereNotIn(their, ids).delete());
  await insert(list, ids, 1);
}

async function addAndRemove(list: List, { add = [], remove = [] }: AddRemove): Promise<void> {
  const { trx, noun, own, what, value, scope } = list;
  const { table, own: ownColumn, their, position } = value.through;
  for (const name of remove) {
    const { id } = await requireReferred(trx, value.to, scope, name, { orSystem: value.orSystem === true });
    const gone = await trx(table)
      .where({ [ownColumn]: own.id, [their]: id })
      .delete();
    if (gone > 0) continue;
    throw fail('not_a_member', {
      noun: noun.noun,
      name: own.name,
      facts: { team: scope.team, field: what, value: name },
      says: `${nounOf(noun.noun)} ${own.name} has not got ${value.to} ${quoted(name)} among its ${what}`,
      remedy: {
        text: '{0} shows them',
        steps: [{ noun: noun.noun, verb: 'show', name: own.name, team: scope.team }],
      },
    });
  }
  if (add.length === 0) return;
  const last =
    position === undefined
      ? undefined
      : await trx(table)
          .where({ [ownColumn]: own.id })
          .max(`${position} as last`)
          .first<{ last: number | null }>();
  await insert(list, await idsOf(list, add), (last?.last ?? 0) + 1);
}

async function idsOf({ trx, value, scope }: List, names: readonly string[]): Promise<number[]> {
  const ids: number[] = [];
  for (const name of names) {
    const row = await requireReferred(trx, value.to, scope, name, { orSystem: value.orSystem === true });
    if (row['leaving_since']) throw removalPending(scope.team, name);
    ids.push(row.id);
  }
  return ids;
}

/** Puts entries at the end of a list, or where they are moved to; one that is there already stays as it is. */
async function insert({ trx, scope, own, value }: List, ids: readonly number[], from: number): Promise<void> {
  if (ids.length === 0) return;
  const { table, own: ownColumn, their, position } = value.through;
  const rows = ids.map((id, index) => ({
    ...(!value.orSystem && { team_id: scope.teamId }),
    [ownColumn]: own.id,
    [their]: id,
    ...(position !== undefined && { [position]: from + index }),
  }));
  const inserted = trx(table).insert(rows).onConflict([ownColumn, their]);
  await (position === undefined ? inserted.ignore() : inserted.merge([position]));
}

/**
 * Takes a thing that is being removed out of every list that it leaves by itself, and empties its own lists and destinations. Returns what it
 * has left, for whoever removes it: `no longer among the administrators of group support`.
 */
export async function leaveLists(trx: Queryable, noun: Noun, id: number): Promise<string[]> {
  for (const { value } of Object.values<Field>(noun.fields)) {
    if (value.is === 'references' || value.is === 'destinations')
      await trx(value.through.table)
        .where({ [value.through.own]: id })
        .delete();
  }
  if (destinationFields(noun).length > 0)
    await trx('destinations')
      .where({ [ownerColumn(noun.noun)]: id })
      .delete();
  const left: string[] = [];
  for (const other of nouns) {
    for (const [key, field] of Object.entries<Field>(other.fields)) {
      const { value } = field;
      if (value.is !== 'references' || value.to !== noun.noun || !value.leaves) continue;
      const { table, own, their } = value.through;
      const { rows } = await trx.raw<{ rows: { name: string }[] }>(
        `with gone as (delete from ${table} where ${their} = ? returning ${own} as id)
         select o.${columnOf(other.key, keyField(other))} as name from gone join ${other.table} o on o.id = gone.id order by 1`,
        [id],
      );
      const names = rows.map(({ name }) => `${nounOf(other.noun)} ${name}`);
      if (names.length > 0) left.push(`no longer among the ${whatOf(key, field)} of ${names.join(', ')}`);
    }
  }
  return left;
}
