import type { Queryable } from '../../database/pool.js';

/** Told after each piece: how many rows of which table have gone so far. */
export type Progress = (table: string, rows: number) => void;

/** How long one statement should take: far below the deadline of statements, also when the database is slow. */
const pieceMs = 200;
const firstPiece = 500;
/** No statement takes more rows than this. */
export const largestPiece = 10_000;

/**
 * Deletes the rows of a team from one table, piece by piece; the pieces become as large as the database is quick. `only`:
 * a further condition in SQL.
 */
export async function discard(
  db: Queryable,
  table: string,
  teamId: number,
  { progress, only = '' }: { progress?: Progress | undefined; only?: string } = {},
): Promise<void> {
  let size = firstPiece;
  let gone = 0;
  for (;;) {
    const started = performance.now();
    const { rows } = await db.raw<{ rows: { count: number }[] }>(
      `with piece as (
         delete from ?? where ctid = any(array(select ctid from ?? where team_id = ? ${only} limit ?)) returning 1)
       select count(*)::integer as count from piece`,
      [table, table, teamId, size],
    );
    const count = rows[0]?.count ?? 0;
    gone += count;
    if (count > 0) progress?.(table, gone);
    if (count < size) return;
    const pace = pieceMs / Math.max(1, performance.now() - started);
    size = Math.round(Math.min(largestPiece, Math.max(firstPiece / 10, size * Math.min(2, pace))));
  }
}
