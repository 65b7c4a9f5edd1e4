import type { Logger } from 'pino';
import { prepared, type Queryable } from '../database/pool.js';
import { forgetPopups } from '../popups/records.js';

/** How long events are kept, unless a server says otherwise. */
export const usualKeptDays = 7;

/** So many at a time, in a transaction each: a large one would hold up whoever follows. */
const usualPiece = 5000;

/**
 * Removes the events that are older than `keptDays`, oldest first, until none is left or `stopped` says so. Any number
 * of servers may do it at once. Returns how many it has removed.
 */
export async function removeOldEvents(
  db: Queryable,
  { keptDays = usualKeptDays, piece = usualPiece, stopped = (): boolean => false } = {},
): Promise<number> {
  let total = 0;
  while (!stopped()) {
    const [removed] = await prepared<{ gone: number }>(db, sql, { keptDays, piece });
    total += removed?.gone ?? 0;
    if ((removed?.gone ?? 0) < piece) break;
  }
  return total;
}

const sql = `
  with first as (
    -- In the order of the feed, which is nearly that of time: what is removed is then all that is before a cursor.
    select era, xid, id, written_at from events order by era, xid, id limit :piece
  ), gone as (
    delete from events e using first f
    where e.era = f.era and e.xid = f.xid and e.id = f.id
      and f.written_at < clock_timestamp() - make_interval(days => :keptDays)
    returning e.era, e.xid, e.id
  ), last as (
    select era, xid, id from gone order by era desc, xid desc, id desc limit 1
  ), noted as (
    update event_log l set removed_era = last.era, removed_xid = last.xid, removed_id = last.id from last
    where (last.era, last.xid, last.id) > (l.removed_era, l.removed_xid, l.removed_id)
  )
  select (select count(*) from gone)::integer as gone`;

/** Keeps removing old events, every minute, and popups that go with no call. */
export class EventRetention {
  #timer: NodeJS.Timeout | undefined;
  #running: Promise<void> | undefined;
  #stopped = false;

  constructor(
    private readonly db: Queryable,
    private readonly log: Logger,
    private readonly settings: { everyMs?: number; keptDays?: number } = {},
  ) {}

  start(): void {
    this.#timer = setTimeout(() => {
      this.#running = this.#remove().finally(() => {
        if (!this.#stopped) this.start();
      });
    }, this.settings.everyMs ?? 60_000);
  }

  /** Resolves when the piece under way is through. */
  async stop(): Promise<void> {
    this.#stopped = true;
    clearTimeout(this.#timer);
    await this.#running;
  }

  async #remove(): Promise<void> {
    const { keptDays = usualKeptDays } = this.settings;
    try {
      const removed = await removeOldEvents(this.db, { keptDays, stopped: () => this.#stopped });
      if (removed > 0) this.log.info({ removed, keptDays }, 'old events removed');
      await forgetPopups(this.db);
    } catch (error) {
      this.log.warn({ reason: (error as Error).message }, 'old events could not be removed: trying again');
    }
  }
}
