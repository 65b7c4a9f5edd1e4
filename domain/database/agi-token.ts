import type { Queryable } from './pool.js';

/**
 * The token that the generated dialplan and the FastAGI servers share; from now on it counts as used. `before` is the
 * one that an earlier version kept in a file: it takes the place of a token that nobody has used yet, so that files
 * which were generated with it go on working. Of several at once the first decides.
 */
export async function useAgiToken(
  db: Queryable,
  before?: string,
): Promise<{ token: string; takenOver: boolean }> {
  const first = await db.raw<{ rows: { token: string }[] }>(
    `update installation set agi_token = coalesce(?::text, agi_token), agi_token_used = true
     where not agi_token_used returning agi_token as token`,
    [before ?? null],
  );
  const [settled] = first.rows;
  if (settled) return { token: settled.token, takenOver: before !== undefined };
  const { rows } = await db.raw<{ rows: { token: string }[] }>('select agi_token as token from installation');
  const [row] = rows;
  if (!row) throw new Error('the table installation has lost its row');
  return { token: row.token, takenOver: false };
}
