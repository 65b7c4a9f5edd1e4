import { prepared, type Queryable } from '../../database/pool.js';

/** A call that goes outside as it is recorded. Moments are milliseconds since 1970. */
export interface PaidCall {
  readonly id: number;
  readonly teamId: number;
  readonly uniqueid: string;
  /** The number of the extension that called. */
  readonly extension: string | null;
  readonly class: string | null;
  readonly refused: string | null;
  /** One that came in, or was one of the phones among themselves, and is sent on to a number outside. */
  readonly sentOn: boolean;
  /** When it began; of one that is sent on, when it went outside, as far as that is known. */
  readonly at: number;
  readonly answered: number | null;
  readonly ended: number | null;
  /** Whether a trunk was sent one that is sent on, and that nobody has answered there. */
  readonly tried: boolean | null;
}

const ms = (moment: string): string => `(extract(epoch from ${moment}) * 1000)::float8`;
const ofLeg = (one: string, other: string): string =>
  `case when c.direction = 'out' or c.leg is null then ${one} else ${other} end`;

const select = `select c.id, c.team_id as "teamId", c.uniqueid, x.number as extension, c.class, c.refused,
    c.direction <> 'out' as "sentOn", ${ms(ofLeg('c.arrived_at', 'coalesce(c.leg_answered_at, c.arrived_at)'))} as at,
    ${ms("case when c.direction = 'out' then c.answered_at else c.leg_answered_at end")} as answered,
    ${ms(ofLeg('c.ended_at', 'c.leg_ended_at'))} as ended,
    case when c.direction <> 'out' and c.leg is null then exists (select from call_tries y
      where y.call_id = c.id and y.outcome in ('answered', 'ended', 'failed')) end as tried,
    c.arrived_at::text as "arrivedAt"
  from calls c left join extensions x on x.id = c.from_extension_id`;

/** Calls from phones at a node whose rows are behind one, up to another. */
export const callsBetween = (db: Queryable, node: string, after: number, upTo: number): Promise<PaidCall[]> =>
  prepared<PaidCall>(
    db,
    `${select} where c.direction = 'out' and c.node = ?::text and c.id > ?::bigint and c.id <= ?::bigint`,
    [node, after, upTo],
  );

/** Those at a node that were sent on, and answered outside since a moment: their rows may be old ones. */
export const sentOnSince = (db: Queryable, node: string, since: Date, most: number): Promise<PaidCall[]> =>
  prepared<PaidCall>(
    db,
    `${select} where c.direction <> 'out' and c.leg is not null and c.node = ?::text and c.leg_answered_at > ?::timestamptz
     order by c.leg_answered_at limit ?::integer`,
    [node, since, most],
  );

/** Those with these ids. */
export const callsById = (db: Queryable, ids: readonly number[]): Promise<PaidCall[]> =>
  prepared<PaidCall>(db, `${select} where c.id = any(?::bigint[])`, [[...ids]]);

/** Those at a node with these uniqueids, whatever they are. */
export const callsByUniqueid = (
  db: Queryable,
  node: string,
  uniqueids: readonly string[],
): Promise<PaidCall[]> =>
  prepared<PaidCall>(db, `${select} where c.node = ?::text and c.uniqueid = any(?::text[])`, [
    node,
    [...uniqueids],
  ]);

/** Where a page ends, and the next one begins. */
export interface Place {
  readonly arrivedAt: string;
  readonly id: number;
}

/** Whose calls are read: those of an extension, or of the team, that its phones made or that were sent on. */
export type Whose = { readonly extensionId: number } | 'phones' | 'sent-on';

const behind = `(c.arrived_at, c.id) > (:arrivedAt::timestamptz, :id::bigint) order by c.arrived_at, c.id limit :most::integer`;
const goesOut = `(c.direction = 'out' or c.leg is not null)`;

/** Those of a team behind a place, as many as a statement reads quickly. Each has an index that is in this order. */
export const callsBehind = (
  db: Queryable,
  teamId: number,
  whose: Whose,
  place: Place,
  most: number,
): Promise<(PaidCall & Place)[]> => {
  const given = { teamId, ...place, most };
  if (typeof whose === 'object')
    return prepared<PaidCall & Place>(
      db,
      `${select} where c.from_extension_id = :extensionId::integer and c.team_id = :teamId::integer and ${goesOut} and ${behind}`,
      { ...given, ...whose },
    );
  const which = whose === 'phones' ? `c.direction = 'out'` : `c.direction <> 'out' and c.leg is not null`;
  return prepared<PaidCall & Place>(
    db,
    `${select} where c.team_id = :teamId::integer and ${which} and ${behind}`,
    given,
  );
};

/** The newest row of all calls. */
export async function newestCall(db: Queryable): Promise<number> {
  const [row] = await prepared<{ id: number }>(db, 'select coalesce(max(id), 0) as id from calls', []);
  return row?.id ?? 0;
}
