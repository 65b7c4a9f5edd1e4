import type { Logger } from 'pino';
import { failureOf } from '../database/sql-errors.js';
import { prepared, type Queryable } from '../database/pool.js';

/** What is known of a call when it arrives at one of the team's DIDs. */
export interface Arrival {
  uniqueid: string;
  team: string;
  did: string;
  caller: string | null;
  group: string | null;
  extension: string | null;
}

/**
 * Records arrivals a moment later and many at a time, so that a call is never kept waiting for PostgreSQL, and does
 * not cost a statement each. With PostgreSQL away it keeps the newest 10,000 and writes them when it is back.
 */
export class CallJournal {
  #waiting: { arrival: Arrival; at: Date }[] = [];
  #timer: NodeJS.Timeout | undefined;
  #writing: Promise<void> | undefined;

  constructor(
    private readonly db: Queryable,
    private readonly log: Logger,
    private readonly settings = { delayMs: 100, retryMs: 1000, keep: 10_000, batch: 500 },
  ) {}

  add(arrival: Arrival): void {
    this.#waiting.push({ arrival, at: new Date() });
    if (this.#waiting.length > this.settings.keep) {
      const lost = this.#waiting.shift();
      this.log.error({ uniqueid: lost?.arrival.uniqueid }, 'too many calls wait to be recorded: one is lost');
    }
    this.#later(this.settings.delayMs);
  }

  /** Writes what waits now; for shutdown. Never throws. */
  async flush(): Promise<void> {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    await this.#writing;
    if (this.#waiting.length > 0) await this.#write();
    clearTimeout(this.#timer);
  }

  #later(ms: number): void {
    this.#timer ??= setTimeout(() => {
      this.#timer = undefined;
      // One writer: whoever writes goes on until nothing waits.
      this.#writing ??= this.#write().finally(() => (this.#writing = undefined));
    }, ms);
  }

  async #write(): Promise<void> {
    while (this.#waiting.length > 0) {
      const batch = this.#waiting.splice(0, this.settings.batch);
      try {
        await recordArrivals(this.db, batch);
      } catch (error) {
        if (failureOf(error) !== undefined) {
          this.#waiting.unshift(...batch);
          this.log.warn(
            { waiting: this.#waiting.length },
            'PostgreSQL is away: calls will be recorded later',
          );
          this.#later(this.settings.retryMs);
          return;
        }
        this.log.error({ err: error, calls: batch.length }, 'calls could not be recorded');
      }
    }
  }
}

async function recordArrivals(db: Queryable, batch: { arrival: Arrival; at: Date }[]): Promise<void> {
  const rows = batch.map(({ arrival, at }) => ({ ...arrival, at: at.toISOString() }));
  await prepared(
    db,
    `insert into calls (team_id, uniqueid, did, caller, group_id, extension_id, arrived_at)
     -- Who was asked twice about a call has it twice in the batch.
     select distinct on (r.uniqueid) t.id, r.uniqueid, r.did, r.caller, g.id, x.id, r.at
     from json_to_recordset(?::json) as r(uniqueid text, team text, did text, caller text, "group" text, extension text, at timestamptz)
     join teams t on t.identity = r.team
     left join agent_groups g on g.team_id = t.id and g.name = r."group"
     left join extensions x on x.team_id = t.id and x.number = r.extension
     order by r.uniqueid, r.at
     on conflict (uniqueid) do update set did = excluded.did, caller = excluded.caller,
       arrived_at = least(calls.arrived_at, excluded.arrived_at)`,
    [JSON.stringify(rows)],
  );
}
