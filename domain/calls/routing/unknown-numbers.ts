import type { Logger } from 'pino';
import { prepared, type Queryable } from '../../database/pool.js';
import { failureOf } from '../../database/sql-errors.js';
import { bare, numberPlan } from '../../telephone-numbers.js';

/** A call for a number that no team has. */
export interface UnknownCall {
  /** As the trunk wrote it. */
  number: string;
  /** The endpoint of the trunk. */
  endpoint: string;
  caller: string | null;
}

/** A number that no team has, and how often it was called. */
export interface UnknownNumber extends UnknownCall {
  node: string;
  calls: number;
  firstAt: Date;
  lastAt: Date;
}

interface Counted extends UnknownCall {
  calls: number;
  first: Date;
  last: Date;
}

/** How many numbers are kept for each Asterisk: somebody who tries numbers must not fill the disk. */
const keep = 1000;
/** After PostgreSQL has not taken them. */
const againMs = 5000;
/** Lines of the log in a minute: somebody who tries numbers must not fill it either. */
const logged = 10;
const minuteMs = 60_000;

/** Counts calls for numbers that no team has, a second later and together, so that no call waits for it. */
export class UnknownNumbers {
  #counted = new Map<string, Counted>();
  #timer: NodeJS.Timeout | undefined;
  /** Lines since the minute began, on the monotonic clock. */
  #said = { from: -minuteMs, lines: 0, kept: 0 };
  #writing: Promise<void> | undefined;

  constructor(
    private readonly db: Queryable,
    private readonly node: string,
    private readonly log: Logger,
    private readonly delayMs = 1000,
  ) {}

  add(call: UnknownCall): void {
    const now = new Date();
    const before = this.#counted.get(call.number);
    if (!before && this.#counted.size >= keep) return;
    this.#counted.set(call.number, {
      ...call,
      calls: (before?.calls ?? 0) + 1,
      first: before?.first ?? now,
      last: now,
    });
    this.#timer ??= setTimeout(() => void this.flush(), this.delayMs);
  }

  /** Writes what has been counted. Never throws: what PostgreSQL does not take now is told to it the next time. */
  async flush(): Promise<void> {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    await this.#writing;
    this.#writing = this.#write();
    await this.#writing;
    this.#writing = undefined;
  }

  async #write(): Promise<void> {
    const counted = [...this.#counted.values()];
    this.#counted = new Map();
    if (counted.length === 0) return;
    for (const one of counted) this.#say(one);
    try {
      await record(this.db, this.node, counted);
    } catch (error) {
      const reason = (error as Error).message;
      if (failureOf(error) === undefined) {
        this.log.warn({ reason }, 'calls for unknown numbers are not counted');
        return;
      }
      this.log.debug({ reason }, 'calls for unknown numbers are counted later');
      for (const one of counted) this.#keep(one);
      this.#timer ??= setTimeout(() => void this.flush(), againMs).unref();
    }
  }

  /** Takes back what was not written, beside what has come since. */
  #keep(one: Counted): void {
    const since = this.#counted.get(one.number);
    if (!since && this.#counted.size >= keep) return;
    this.#counted.set(one.number, {
      ...(since ?? one),
      calls: one.calls + (since?.calls ?? 0),
      first: one.first,
    });
  }

  #say({ number, endpoint, caller, calls }: Counted): void {
    const now = performance.now();
    if (now - this.#said.from >= minuteMs) {
      const { kept } = this.#said;
      if (kept > 0) this.log.warn({ numbers: kept }, 'further numbers were called that no team has');
      this.#said = { from: now, lines: 0, kept: 0 };
    }
    if (this.#said.lines++ < logged)
      this.log.warn({ number, endpoint, caller, calls }, 'called, and no team has the number');
    else this.#said.kept++;
  }
}

async function record(db: Queryable, node: string, counted: readonly Counted[]): Promise<void> {
  await prepared(
    db,
    `insert into unknown_numbers as u (node, number, calls, first_at, last_at, endpoint, caller)
     select ?::text, r.number, r.calls, r.first, r.last, r.endpoint, r.caller
     from json_to_recordset(?::json) as r(number text, calls bigint, first timestamptz, last timestamptz, endpoint text, caller text)
     -- Two servers write in one order, and never wait for each other.
     order by r.number
     on conflict (node, number) do update set calls = u.calls + excluded.calls, last_at = excluded.last_at,
       endpoint = excluded.endpoint, caller = excluded.caller`,
    [node, JSON.stringify(counted)],
  );
  await prepared(
    db,
    `delete from unknown_numbers where node = :node and last_at < (
       select last_at from unknown_numbers where node = :node order by last_at desc offset :last limit 1)`,
    { node, last: keep - 1 },
  );
}

/**
 * Numbers that were called, within so many hours if given, and that no team has now, as the country of the trunk has them
 * written; the last one first.
 */
export async function listUnknownNumbers(db: Queryable, hours?: number): Promise<UnknownNumber[]> {
  const { rows } = await db.raw<{ rows: (UnknownNumber & { country: string | null })[] }>(
    `select u.node, u.number, u.calls::integer as calls, u.first_at as "firstAt", u.last_at as "lastAt", u.endpoint, u.caller,
       k.country
     from unknown_numbers u left join trunks k on k.endpoint = u.endpoint
     where :hours::integer is null or u.last_at > now() - make_interval(hours => :hours::integer)
     order by u.last_at desc, u.number`,
    { hours: hours ?? null },
  );
  const keys: string[] = [];
  for (const { number, country } of rows) keys.push(bare((await numberPlan(country)).canonical(number)));
  const found = await db.raw<{ rows: { key: string }[] }>(
    `select ltrim(number, '+') as key from dids where ltrim(number, '+') = any(:keys)
     union select k.key from unnest(:keys::text[]) as k (key), dids d
       where d.wide and did_overlaps(k.key, k.key, d.lowest, d.highest)`,
    { keys: [...new Set(keys)] },
  );
  const known = new Set(found.rows.map(({ key }) => key));
  return rows.flatMap(({ country: _, ...row }, index) => (known.has(keys[index] ?? '') ? [] : [row]));
}
