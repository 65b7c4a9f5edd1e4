import type { Logger } from 'pino';
import { failureOf } from '../database/sql-errors.js';
import { LastingFault } from '../machine/lasting-fault.js';
import { prepared, type Queryable } from '../database/pool.js';
import type { Destination } from '../destination.js';

/** What is known of a call when it arrives at one of the team's DIDs. */
export interface Arrival {
  uniqueid: string;
  team: string;
  did: string;
  caller: string | null;
  /** Where the call goes; null: not known. */
  destination: Destination | null;
  /** The rule that decided; null: its DID. */
  rule?: string | null;
  /** To which application it belongs. */
  binding?: { name: string; application: string; link: string | null } | null;
}

interface Waiting {
  arrival: Arrival;
  at: Date;
}

/**
 * Records arrivals at one Asterisk node a moment later and many at a time, so that a call is never kept waiting for
 * PostgreSQL, and does not cost a statement each. With PostgreSQL away, slow or out of room it keeps the newest 10,000 and
 * writes them when it is back. An arrival that PostgreSQL refuses for itself is dropped alone, and its contents logged.
 */
export class CallJournal {
  #waiting: Waiting[] = [];
  #timer: NodeJS.Timeout | undefined;
  #writing: Promise<void> | undefined;
  readonly #away: LastingFault;

  constructor(
    private readonly db: Queryable,
    private readonly node: string,
    private readonly log: Logger,
    private readonly settings = { delayMs: 100, retryMs: 1000, keep: 10_000, batch: 500 },
  ) {
    this.#away = new LastingFault(log, {
      fault: 'PostgreSQL does not take calls: they will be recorded later',
      over: 'the calls that waited are recorded',
    });
  }

  add(arrival: Arrival): void {
    this.#waiting.push({ arrival, at: new Date() });
    if (this.#waiting.length > this.settings.keep) {
      const lost = this.#waiting.shift();
      if (lost) this.log.error(contents(lost), 'too many calls wait to be recorded: one is lost');
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
    this.#timer = undefined;
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
      const later = await this.#record(batch);
      if (later.length === 0) continue;
      this.#waiting.unshift(...later);
      this.#later(this.settings.retryMs);
      return;
    }
  }

  /** Records what it can; returns what is to be tried again later. */
  async #record(batch: readonly Waiting[]): Promise<readonly Waiting[]> {
    try {
      await recordArrivals(this.db, this.node, batch);
      this.#away.over();
      return [];
    } catch (error) {
      if (failureOf(error) !== undefined) {
        this.#away.met((error as Error).message, { waiting: this.#waiting.length + batch.length });
        return batch;
      }
      const [only] = batch;
      if (batch.length === 1 && only) {
        this.log.error({ err: error, ...contents(only) }, 'a call could not be recorded: it is left out');
        return [];
      }
      // One of them is wrong in itself, and the others must not go with it.
      const middle = Math.ceil(batch.length / 2);
      const first = await this.#record(batch.slice(0, middle));
      const second = batch.slice(middle);
      return first.length > 0 ? [...first, ...second] : this.#record(second);
    }
  }
}

/** All that would have been recorded: in the log it is what is left of the call. */
const contents = ({ arrival, at }: Waiting): object => ({ call: { ...arrival, at } });

async function recordArrivals(db: Queryable, node: string, batch: readonly Waiting[]): Promise<void> {
  const rows = batch.map(({ arrival, at }) => {
    const { destination, binding, ...call } = arrival;
    return {
      ...call,
      binding: binding?.name ?? null,
      application: binding?.application ?? null,
      link: binding?.link ?? null,
      group: destination?.kind === 'group' ? destination.name : null,
      extension: destination?.kind === 'extension' ? destination.name : null,
      at: at.toISOString(),
    };
  });
  await prepared(
    db,
    `insert into calls (team_id, node, uniqueid, did, caller, group_id, extension_id, rule, binding, application, link, arrived_at)
     -- Who was asked twice about a call has it twice in the batch.
     select distinct on (r.uniqueid) t.id, ?::text, r.uniqueid, r.did, r.caller, g.id, x.id, r.rule, r.binding, r.application::group_application,
       r.link, r.at
     from json_to_recordset(?::json) as r(uniqueid text, team text, did text, caller text, "group" text, extension text,
       rule text, binding text, application text, link text, at timestamptz)
     join teams t on t.identity = r.team
     left join agent_groups g on g.team_id = t.id and g.name = r."group"
       and (g.removed_at is null or g.leaving_since is not null)
     left join extensions x on x.team_id = t.id and x.number = r.extension and x.removed_at is null
     order by r.uniqueid, r.at
     -- Its first word may have been that it joined a queue, and an arrival that leads elsewhere does not take that back. Of
     -- another team it is another call's, and stays.
     on conflict (node, uniqueid) do update set did = excluded.did, caller = excluded.caller,
       group_id = coalesce(excluded.group_id, calls.group_id),
       extension_id = coalesce(excluded.extension_id, calls.extension_id), rule = excluded.rule, binding = excluded.binding,
       application = excluded.application, link = excluded.link,
       arrived_at = least(calls.arrived_at, excluded.arrived_at)
     where calls.team_id = excluded.team_id`,
    [node, JSON.stringify(rows)],
  );
}
