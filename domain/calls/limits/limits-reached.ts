import type { Logger } from 'pino';
import { prepared, type Queryable } from '../../database/pool.js';
import type { LimitReached } from './limits.js';

/** Who is limited by what. */
export type Reached = Omit<LimitReached, 'most'>;

interface Stopped extends LimitReached {
  readonly teamId: number;
  readonly team: string;
  /** Since it was last written, and since it was last said. */
  unwritten: number;
  unsaid: number;
  first: number;
  last: number;
  saidAt: number;
}

interface OpenRow extends Reached {
  id: number;
  teamId: number;
}

/** Limits that are counted at a time: whoever has stopped so many has other things to see to. */
const keep = 1000;
const sayAgainMs = 60_000;
const keptDays = 90;

/**
 * Calls that a limit has kept in: each limit is said in the log at once and then once a minute with how many there were, and
 * has its row in the database from the first call until there is room again.
 */
export class LimitsReached {
  readonly #stopped = new Map<string, Stopped>();

  constructor(
    private readonly db: Queryable,
    private readonly node: string,
    private readonly log: Logger,
    private readonly now: () => number = Date.now,
  ) {}

  /** A call was refused. Waits for nothing. */
  stopped(teamId: number, team: string, reached: LimitReached, at: number): void {
    const key = [team, reached.of, reached.name, reached.limit].join(' ');
    let one = this.#stopped.get(key);
    if (!one) {
      if (this.#stopped.size >= keep) return;
      one = { ...reached, teamId, team, unwritten: 0, unsaid: 0, first: at, last: at, saidAt: -Infinity };
      this.#stopped.set(key, one);
    }
    if (one.unwritten++ === 0) one.first = at;
    one.unsaid++;
    one.last = at;
    this.#say(one);
  }

  /** Writes what was stopped, and which limits are over. @throws when PostgreSQL does not take it: it is written later. */
  async write(isReached: (teamId: number, reached: Reached) => boolean): Promise<void> {
    for (const [key, one] of this.#stopped) {
      this.#say(one);
      const idle = this.now() - one.last >= sayAgainMs;
      if (idle && one.unsaid === 0 && one.unwritten === 0) this.#stopped.delete(key);
    }
    const stopped = [...this.#stopped.values()].filter(({ unwritten }) => unwritten > 0);
    if (stopped.length > 0) {
      const written = stopped.map(({ unwritten }) => unwritten);
      await record(this.db, stopped);
      stopped.forEach((one, index) => (one.unwritten -= written[index] ?? 0));
    }
    const open = await prepared<OpenRow>(
      this.db,
      `select r.id, r.team_id as "teamId", r.of, r.name, r."limit" from limits_reached r join teams t on t.id = r.team_id
       where r.over_at is null and t.node = ?::text`,
      [this.node],
    );
    const over = open.flatMap(({ id, teamId, ...reached }) => (isReached(teamId, reached) ? [] : [id]));
    if (over.length === 0) return;
    await prepared(
      this.db,
      `update limits_reached set over_at = greatest(clock_timestamp(), last_at) where id = any(?::bigint[]) and over_at is null`,
      [over],
    );
    await prepared(
      this.db,
      `delete from limits_reached where over_at < now() - make_interval(days => ?::integer)`,
      [keptDays],
    );
  }

  #say(one: Stopped): void {
    if (one.unsaid === 0 || this.now() - one.saidAt < sayAgainMs) return;
    const { team, of, name, limit, most, unsaid: refused } = one;
    this.log.warn({ team, of, name, limit, most, refused }, 'a limit keeps calls to the outside in');
    one.saidAt = this.now();
    one.unsaid = 0;
  }
}

async function record(db: Queryable, stopped: readonly Stopped[]): Promise<void> {
  const rows = stopped.map(({ teamId, of, name, limit, most, atNight = false, unwritten, first, last }) => ({
    team: teamId,
    of,
    name,
    limit,
    most,
    night: atNight,
    refused: unwritten,
    first: new Date(first),
    last: new Date(last),
  }));
  await prepared(
    db,
    `insert into limits_reached as l (team_id, of, name, "limit", most, at_night, refused, reached_at, last_at)
     select t.id, r.of, r.name, r."limit", r.most, r.night, r.refused, r.first, r.last
     from json_to_recordset(?::json) as r(team integer, of text, name text, "limit" text, most integer, night boolean,
       refused integer, first timestamptz, last timestamptz)
     join teams t on t.id = r.team
     -- Two servers write in one order, and never wait for each other.
     order by t.id, r.of, r.name, r."limit"
     on conflict (team_id, of, name, "limit") where over_at is null do update set refused = l.refused + excluded.refused,
       last_at = greatest(l.last_at, excluded.last_at), most = excluded.most, at_night = excluded.at_night`,
    [JSON.stringify(rows)],
  );
}
