import { prepared, type Queryable } from '../database/pool.js';
import { withDatabaseErrors } from '../database/sql-errors.js';
import { fail, usage } from '../errors.js';
import { eventTypes, type EventType } from '../event-types.js';
import { quoted } from '../names.js';
import { requireTeam } from '../provisioning/team.js';
import { cursorOf, toEvent, type Event, type EventRow, type Place } from './events.js';

/** The types of these names. @throws Star64Error `usage`, which names those that there are. */
export function checkTypes(typed: readonly string[]): EventType[] {
  return typed.map((type) => {
    const found = eventTypes.find((one) => one === type);
    if (found === undefined)
      throw usage(`type ${quoted(type)} does not exist: type one of ${eventTypes.join(', ')}.`);
    return found;
  });
}

/** What is told unless others are asked for. */
export const usualTypes: readonly EventType[] = ['agent.state', 'call.emergency'];

export interface FeedOptions {
  /** Only this team; null: all of them. */
  team: string | null;
  /** Only these types; default: `usualTypes`. */
  types?: readonly EventType[];
  /** Begins behind the event of this cursor. */
  after?: string;
  /** Begins with what became known so many seconds ago; without this and `after`, with what happens from now on. */
  sinceSeconds?: number;
}

/** So many at a time: what happened in a long time is read in pieces. */
const usualPiece = 1000;

/** More than the deadlines of all statements of one transaction together, and clocks that differ. */
const lateSeconds = 60;

/**
 * Every event, once, each agent's in the order in which they happened. It keeps nothing but its place, so a look that
 * fails may be repeated, and whoever has a cursor goes on with it days later, on another connection or in another
 * process. A transaction that is still open holds back what others have committed after its beginning.
 */
export class EventFeed {
  private constructor(
    private readonly db: Queryable,
    private readonly teamId: number | null,
    private readonly types: readonly EventType[],
    private place: Place,
    private readonly floor: Date | null,
    private readonly piece: number,
  ) {}

  /**
   * @throws Star64Error `usage` for a cursor that no event has, `unknown` for a team that there is not, `cursor_too_old` for a
   *   cursor behind which events have been removed for their age.
   */
  static open(db: Queryable, options: FeedOptions, piece: number = usualPiece): Promise<EventFeed> {
    const { team, types = usualTypes, after, sinceSeconds } = options;
    return withDatabaseErrors(async () => {
      const teamId = team === null ? null : await requireTeam(db, team);
      const floor = sinceSeconds === undefined ? null : await secondsAgo(db, sinceSeconds);
      const place =
        after !== undefined
          ? await checkedPlace(db, after)
          : floor === null
            ? await presentPlace(db)
            : await placeBefore(db, floor);
      return new EventFeed(db, teamId, types, place, floor, piece);
    });
  }

  /** Where it stands: whoever opens a feed `after` this goes on with the next event. */
  get cursor(): string {
    return cursorOf(this.place);
  }

  /**
   * The events behind the last one, or the next piece of them: until `caughtUp` there are more. When it fails nothing is
   * lost and nothing will come twice.
   */
  next(): Promise<{ events: Event[]; caughtUp: boolean }> {
    return withDatabaseErrors(async () => {
      const rows = await prepared<EventRow>(this.db, this.teamId === null ? ofAllTeams : ofOneTeam, {
        ...this.place,
        ...(this.teamId !== null && { teamId: this.teamId }),
        types: [...this.types],
        floor: this.floor ?? '-infinity',
        piece: this.piece,
      });
      const last = rows.at(-1);
      if (last) this.place = { era: last.era, xid: last.xid, id: last.id };
      return { events: rows.map(toEvent), caughtUp: rows.length < this.piece };
    });
  }
}

const select = (whose: string): string => `
  select e.era, e.xid, e.id, e.at, e.type, e.data from events e
  where ${whose} (e.era, e.xid, e.id) > (:era::integer, :xid::bigint, :id::bigint)
    -- Below it every writer is through, so nothing can come any more that belongs before what is read here. Nobody
    -- writes in an era that is over.
    and (e.era < (select era from event_log) or e.xid < pg_snapshot_xmin(pg_current_snapshot())::text::bigint)
    and e.type = any(:types::text[]) and e.written_at >= :floor::timestamptz
  order by e.era, e.xid, e.id limit :piece`;
const ofAllTeams = select('');
const ofOneTeam = select('e.team_id = :teamId and');

async function secondsAgo(db: Queryable, seconds: number): Promise<Date> {
  const [row] = await prepared<{ at: Date }>(db, 'select now() - make_interval(secs => ?) as at', [seconds]);
  if (!row) throw new Error('the database does not say what time it is');
  return row.at;
}

/** Behind everything that can be read now. */
async function presentPlace(db: Queryable): Promise<Place> {
  const [row] = await prepared<Place>(
    db,
    `select era, pg_snapshot_xmin(pg_current_snapshot())::text::bigint as xid, 0 as id from event_log`,
  );
  if (!row) throw new Error('table event_log has lost its row: restore it from a backup');
  return row;
}

/** Before everything that was written from a moment on, also by those who write now, and a little more. */
async function placeBefore(db: Queryable, moment: Date): Promise<Place> {
  const [row] = await prepared<Place>(
    db,
    `select * from (
       select era, pg_snapshot_xmin(pg_current_snapshot())::text::bigint as xid, 0::bigint as id from event_log
       union all
       -- Of those that were written at the same time as the first one, any may be the first in the order.
       select e.era, e.xid, e.id - 1 from events e join (
         select written_at from events where written_at >= ?::timestamptz - make_interval(secs => ${lateSeconds})
         order by written_at limit 1) as first
       on e.written_at between first.written_at and first.written_at + make_interval(secs => ${lateSeconds})
     ) as places order by era, xid, id limit 1`,
    [moment],
  );
  return row ?? presentPlace(db);
}

async function checkedPlace(db: Queryable, cursor: string): Promise<Place> {
  const [, era, xid, id] = /^([0-9]{1,9})-([0-9]{1,15})-([0-9]{1,15})$/.exec(cursor) ?? [];
  if (era === undefined)
    throw usage(`cursor ${quoted(cursor)} is none: take one that an event carries as its cursor.`);
  const place = { era: Number(era), xid: Number(xid), id: Number(id) };
  const removed = await prepared<object>(
    db,
    `select from event_log
     where (removed_era, removed_xid, removed_id) > (:era::integer, :xid::bigint, :id::bigint)`,
    { ...place },
  );
  if (removed.length === 0) return place;
  throw fail('cursor_too_old', {
    facts: { cursor },
    says: `the events behind cursor ${cursor} are no longer kept`,
    remedy: { text: 'begin anew, with --since instead of --after' },
  });
}
