import { prepared, type Queryable } from '../database/pool.js';
import { failureOf } from '../database/sql-errors.js';
import type { Place } from '../monitor/events.js';

/** How many events are looked at in one statement. */
const usualPiece = 500;

/** How many there are at a time: fewer where PostgreSQL did not do so many in time, so that nothing stands still for ever. */
export class Pieces {
  #size = usualPiece;

  get size(): number {
    return this.#size;
  }

  /** Does `work` with a piece; undefined: it was too much, and is to be done again with a smaller one. */
  async try<T>(work: (size: number) => Promise<T>): Promise<T | undefined> {
    const size = this.#size;
    const since = performance.now();
    try {
      const done = await work(size);
      // A quarter of the deadline for twice as many leaves room.
      if (performance.now() - since < 300) this.#size = Math.min(usualPiece, size * 2);
      return done;
    } catch (error) {
      if (failureOf(error) !== 'too-slow' || size === 1) throw error;
      this.#size = Math.ceil(size / 2);
      return undefined;
    }
  }
}

/**
 * Takes, or keeps, the lead of making deliveries, which one process has at a time. Returns up to which event they were made;
 * undefined: another process leads. A leader that does not come back within `seconds` is followed by whoever asks next.
 */
export async function leadFeed(db: Queryable, leader: string, seconds: number): Promise<Place | undefined> {
  const [place] = await prepared<Place>(
    db,
    `update webhook_feed set leader = :leader, leads_until = clock_timestamp() + make_interval(secs => :seconds)
     where leader = :leader or leads_until < clock_timestamp() returning era, xid, id`,
    { leader, seconds },
  );
  return place;
}

/** Gives the lead back at once. */
export async function leaveFeed(db: Queryable, leader: string): Promise<void> {
  await prepared(db, `update webhook_feed set leads_until = '-infinity', leader = null where leader = ?`, [
    leader,
  ]);
}

/**
 * Makes a delivery for each webhook that wants one of the events behind `place`, and moves the place, in one statement:
 * whatever fails, none is left out. Of two processes that both take themselves for the leader one makes nothing. Reads
 * what the feed of events reads, in its order (domain/monitor/event-feed.ts).
 *
 * Returns the place from which to go on, `undefined` when another process has moved it.
 */
export async function makeDeliveries(
  db: Queryable,
  leader: string,
  place: Place,
  piece: number = usualPiece,
): Promise<{ place: Place; made: number; caughtUp: boolean } | undefined> {
  const [row] = await prepared<{ read: number; made: number; moved: number } & Place>(db, sql, {
    ...place,
    leader,
    piece,
  });
  if (!row || row.read === 0) return { place, made: 0, caughtUp: true };
  if (row.moved === 0) return undefined;
  const { era, xid, id, read, made } = row;
  return { place: { era, xid, id }, made, caughtUp: read < piece };
}

const sql = `
  with piece as materialized (
    select e.era, e.xid, e.id, e.team_id, e.type, e.at, e.written_at from events e
    where (e.era, e.xid, e.id) > (:era::integer, :xid::bigint, :id::bigint)
      and (e.era < (select era from event_log) or e.xid < pg_snapshot_xmin(pg_current_snapshot())::text::bigint)
    order by e.era, e.xid, e.id limit :piece
  ), last as (
    select era, xid, id from piece order by era desc, xid desc, id desc limit 1
  ), moved as (
    update webhook_feed f set era = last.era, xid = last.xid, id = last.id from last
    where f.leader = :leader and (f.era, f.xid, f.id) = (:era::integer, :xid::bigint, :id::bigint)
    returning f.one
  ), made as (
    insert into webhook_deliveries (team_id, webhook_id, era, xid, event, message, type, at)
    select w.team_id, w.id, p.era, p.xid, p.id, p.era || '-' || p.xid || '-' || p.id, p.type, p.at
    from piece p join webhooks w on w.team_id = p.team_id and w.enabled and p.written_at >= w.active_since
      and (w.types is null or p.type = any(string_to_array(w.types, ',')))
    where exists (select from moved)
    order by p.era, p.xid, p.id
    on conflict on constraint webhook_deliveries_message_key do nothing
    returning 1
  )
  select (select count(*) from piece)::integer as read, (select count(*) from made)::integer as made,
    (select count(*) from moved)::integer as moved, last.era, last.xid, last.id
  from (select 1) as one left join last on true`;
