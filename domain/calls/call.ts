import type { Logger } from 'pino';
import { isUnreachable, prepared, type Queryable } from '../database/database.js';

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
        if (isUnreachable(error)) {
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

/** A queue of Asterisk and the group that it is. */
export interface Queue {
  teamId: number;
  groupId: number;
  /** Longest wrap-up; 0: no limit. */
  wrapUpSeconds: number;
}

/** The group behind a queue name such as `astercc-support`, undefined for a queue that is not ours. */
export async function findQueue(db: Queryable, queue: string): Promise<Queue | undefined> {
  const [, team, group] = /^([a-z][a-z0-9]{1,19})-([a-z][a-z0-9_]{0,31})$/.exec(queue) ?? [];
  if (team === undefined || group === undefined) return undefined;
  const [found] = await prepared<Queue>(
    db,
    `select g.team_id as "teamId", g.id as "groupId", g.wrap_up_seconds as "wrapUpSeconds"
     from agent_groups g join teams t on t.id = g.team_id where t.identity = ? and g.name = ?`,
    [team, group],
  );
  return found;
}

/** A call has joined a queue. Also the first word of a call whose arrival nobody could record. */
export async function callQueued(
  db: Queryable,
  queue: Queue,
  uniqueid: string,
  caller: string | null,
): Promise<void> {
  await prepared(
    db,
    `insert into calls (team_id, uniqueid, caller, group_id, queued_at) values (?, ?, ?, ?, clock_timestamp())
     on conflict (uniqueid) do update set group_id = excluded.group_id, queued_at = coalesce(calls.queued_at, excluded.queued_at)
     where calls.team_id = excluded.team_id`,
    [queue.teamId, uniqueid, caller, queue.groupId],
  );
}

/** An agent of the team has answered. */
export async function callAnswered(
  db: Queryable,
  teamId: number,
  uniqueid: string,
  agent: string,
): Promise<void> {
  await prepared(
    db,
    `update calls c set answered_at = coalesce(answered_at, clock_timestamp()), outcome = 'answered', agent_id = a.id
     from agents a where c.team_id = :teamId and c.uniqueid = :uniqueid and a.team_id = :teamId and a.number = :agent`,
    { teamId, uniqueid, agent },
  );
}

/** The caller has hung up while waiting. Says more than the end of the call does, which may be recorded first. */
export async function markAbandoned(db: Queryable, teamId: number, uniqueid: string): Promise<void> {
  await prepared(
    db,
    `update calls set outcome = 'abandoned' where team_id = ? and uniqueid = ? and answered_at is null`,
    [teamId, uniqueid],
  );
}

/**
 * Calls are over; `outcome` counts for those of which nothing better is known. Returns the calls that this has ended:
 * of the others, the arrival may not have been recorded yet.
 */
export async function callsEnded(
  db: Queryable,
  uniqueids: readonly string[],
  outcome: 'unanswered' | 'lost',
): Promise<string[]> {
  const rows = await prepared<{ uniqueid: string }>(
    db,
    `update calls set ended_at = greatest(clock_timestamp(), arrived_at), outcome = coalesce(outcome, ?::call_outcome)
     where uniqueid = any(?::text[]) and ended_at is null returning uniqueid`,
    [outcome, [...uniqueids]],
  );
  return rows.map(({ uniqueid }) => uniqueid);
}

/** Those of these calls of which it is known that an agent has answered. */
export async function answeredCalls(db: Queryable, uniqueids: readonly string[]): Promise<string[]> {
  return db('calls').whereIn('uniqueid', uniqueids).whereNotNull('answered_at').pluck<string[]>('uniqueid');
}

/** The calls that the database holds for running. */
export async function openCalls(db: Queryable): Promise<string[]> {
  const rows = await db('calls').whereNull('ended_at').select<{ uniqueid: string }[]>('uniqueid');
  return rows.map(({ uniqueid }) => uniqueid);
}
