import { prepared, type Queryable } from '../database/pool.js';

/** A call to the outside as it is recorded. Moments are milliseconds since 1970. */
export interface PaidCall {
  readonly id: number;
  readonly teamId: number;
  readonly uniqueid: string;
  /** The number of the extension that called. */
  readonly extension: string | null;
  readonly class: string | null;
  readonly refused: string | null;
  readonly at: number;
  readonly answered: number | null;
  readonly ended: number | null;
}

const ms = (moment: string): string => `(extract(epoch from c.${moment}) * 1000)::float8`;

const select = `select c.id, c.team_id as "teamId", c.uniqueid, x.number as extension, c.class, c.refused,
    ${ms('arrived_at')} as at, ${ms('answered_at')} as answered, ${ms('ended_at')} as ended
  from calls c left join extensions x on x.id = c.from_extension_id where c.direction = 'out'`;

/** Those at a node whose rows are behind one, up to another. */
export const callsBetween = (db: Queryable, node: string, after: number, upTo: number): Promise<PaidCall[]> =>
  prepared<PaidCall>(db, `${select} and c.node = ?::text and c.id > ?::bigint and c.id <= ?::bigint`, [
    node,
    after,
    upTo,
  ]);

/** Those with these ids. */
export const callsById = (db: Queryable, ids: readonly number[]): Promise<PaidCall[]> =>
  prepared<PaidCall>(db, `${select} and c.id = any(?::bigint[])`, [[...ids]]);

/** Those of some teams that began since a moment, and have not ended before another one. */
export const callsSince = (
  db: Queryable,
  teamIds: readonly number[],
  { began, ended }: Readonly<Record<'began' | 'ended', Date>>,
): Promise<PaidCall[]> =>
  prepared<PaidCall>(
    db,
    `${select} and c.team_id = any(:teamIds::integer[]) and c.arrived_at >= :began::timestamptz
       and (c.ended_at is null or c.ended_at >= :ended::timestamptz) and c.refused is null`,
    { teamIds: [...teamIds], began, ended },
  );

/** The newest row of all calls. */
export async function newestCall(db: Queryable): Promise<number> {
  const [row] = await prepared<{ id: number }>(db, 'select coalesce(max(id), 0) as id from calls', []);
  return row?.id ?? 0;
}
