import t from 'tap';
import { freshDatabase } from '../support/database.js';

const { db } = await freshDatabase(t);

/** Without an index on purpose, and why. */
const exceptions: Readonly<Record<string, string>> = {
  queue_visits_node_fkey: 'a node that has had calls stays; by node only visits under way are looked for',
};

await t.test('a removal or a report that follows a foreign key never reads a whole table', async (t) => {
  // An index serves that begins with the key's own column, or with the team and then that column. One for some rows only
  // serves when it leaves out no more than nulls.
  const { rows } = await db.raw<{ rows: { name: string; columns: string[]; served: boolean }[] }>(`
    with keys as (
      select k.oid, k.conname::text as name, k.conrelid,
        array(select a.attname::text from unnest(k.conkey) with ordinality as c (n, at)
          join pg_attribute a on a.attrelid = k.conrelid and a.attnum = c.n order by c.at) as columns
      from pg_constraint k where k.contype = 'f' and k.connamespace = 'public'::regnamespace
    ), indexes as (
      select i.indrelid, array(select a.attname::text from unnest(i.indkey::int2[]) with ordinality as c (n, at)
          join pg_attribute a on a.attrelid = i.indrelid and a.attnum = c.n order by c.at) as columns
      from pg_index i
      where i.indpred is null or pg_get_expr(i.indpred, i.indrelid) ~ '^[(][a-z_]+ IS NOT NULL[)]$'
    )
    select k.name, k.columns, exists (
      select from indexes i where i.indrelid = k.conrelid and (
        i.columns[1] = k.columns[cardinality(k.columns)]
        or i.columns[1:cardinality(k.columns)] = k.columns)) as served
    from keys k order by k.name`);
  t.ok(rows.length > 30, `${rows.length} foreign keys`);
  for (const { name, columns, served } of rows) {
    t.equal(served, !(name in exceptions), `${name} (${columns.join(', ')})`);
  }
});
