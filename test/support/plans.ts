import type { Database } from '../../domain/database/pool.js';

/** How PostgreSQL does the statements with these words that are done meanwhile; `options` of EXPLAIN. */
export async function plansOf(
  of: Database,
  words: string,
  work: () => Promise<unknown>,
  options = 'costs',
): Promise<string[]> {
  const texts: { sql: string; bindings: unknown[] }[] = [];
  const hear = (query: { sql: string; bindings: unknown[] }): void => void texts.push(query);
  of.on('query', hear);
  await work();
  of.removeListener('query', hear);
  const plans: string[] = [];
  for (const { sql, bindings } of texts.filter((text) => text.sql.includes(words))) {
    // As knex has written it, its places numbered.
    const { rows } = await of.raw<{ rows: Record<string, string>[] }>(
      `explain (${options}) ${sql.replaceAll('?', '\\\\?').replace(/\$\d+/g, '?')}`,
      bindings as never,
    );
    plans.push(rows.map((row: Record<string, string>) => row['QUERY PLAN']).join('\n'));
  }
  return plans;
}
