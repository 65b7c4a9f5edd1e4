import t from 'tap';
import { explained } from '../../domain/provisioning/refusals/explanations.js';
import type { Field } from '../../domain/provisioning/fields/description.js';
import { nouns } from '../../domain/provisioning/nouns/index.js';
import { freshDatabase } from '../support/database.js';

const { db } = await freshDatabase(t);

/** What no command can break. */
const unbroken = [
  // A list has an entry once, which is checked before, and its owner is locked meanwhile.
  'agent_group_members_pkey',
  'agent_group_administrators_pkey',
  'ring_group_members_position_key',
  'ring_group_members_extension_key',
  'ring_group_members_agent_key',
  'ring_group_members_outside_key',
  'trunk_group_members_position_key',
  'user_group_members_pkey',
  'trunk_group_members_trunk_key',
  // Only a migration has made twins; renumber.ts looks at both.
  'dids_twin_key',
  // No command adds one: each team has them from its beginning on.
  'call_keys_action_key',
];

/** The unique indexes of these tables, but for those with a number in them that the database counts itself. */
async function uniqueIndexes(tables: readonly string[]): Promise<string[]> {
  const { rows } = await db.raw<{ rows: { name: string }[] }>(
    `select c.relname as name from pg_index i join pg_class c on c.oid = i.indexrelid join pg_class o on o.oid = i.indrelid
     where (i.indisunique or i.indisexclusion) and o.relnamespace = 'public'::regnamespace and o.relname = any(:tables::text[])
       and not exists (select from pg_attribute a
         where a.attrelid = o.oid and a.attnum = any(i.indkey) and a.attidentity <> '')
     order by 1`,
    { tables: [...tables] },
  );
  return rows.map(({ name }) => name);
}

await t.test('whatever can be taken already is explained, and not an unexpected error', async (t) => {
  const tables = nouns.flatMap(({ table, fields }) => [
    table,
    ...Object.values<Field>(fields).flatMap(({ value }) =>
      value.is === 'references' || value.is === 'destinations' ? [value.through.table] : [],
    ),
  ]);
  const found = await uniqueIndexes(tables);
  t.ok(found.length >= nouns.length, `${found.length} of them`);
  t.same(
    found.filter((name) => !explained.includes(name) && !unbroken.includes(name)),
    [],
    'each has a sentence in explanations.ts',
  );
  t.same(
    unbroken.filter((name) => !found.includes(name) || explained.includes(name)),
    [],
  );
});

await t.test('what is explained is there', async (t) => {
  const { rows } = await db.raw<{ rows: { name: string }[] }>(
    `select name from unnest(:explained::text[]) as name
     where not exists (select from pg_class c join pg_index i on i.indexrelid = c.oid where c.relname = name and (i.indisunique or i.indisexclusion))
       and not exists (select from pg_proc p where strpos(p.prosrc, 'constraint = ''' || name || '''') > 0)`,
    { explained: [...explained] },
  );
  t.same(rows, []);
});
