import type { AgentState } from '../presence/transitions.js';
import { type Queryable } from '../database/pool.js';
import { withDatabaseErrors } from '../database/sql-errors.js';
import { requireTeam } from '../provisioning/team.js';

/** A state of an agent has begun; `signed-out` when he has signed out. */
export interface StateChange {
  /** Of this change and no other. */
  id: string;
  at: Date;
  team: string;
  /** Number of the agent. */
  agent: string;
  /** The person's name. */
  name: string;
  extension: string;
  state: AgentState | 'signed-out';
  previousState: AgentState | 'signed-out';
  /** Null after `signed-out`. */
  previousSince: Date | null;
  /** Name of the pause reason. */
  reason: string | null;
  /** When a server ends the state by itself. */
  until: Date | null;
  /** The group whose call it is, or was before the wrap-up. */
  group: string | null;
  /** Asterisk's uniqueid of the call. */
  call: string | null;
  /** The number of the caller, as the trunk gave it. */
  caller: string | null;
  /** What signed the agent in or out: the uniqueid of his call, or the name of a command. */
  by: string | null;
}

export interface StateFeedOptions {
  /** Only this team; null: all of them. */
  team: string | null;
  /** Begins with what happened so many seconds ago; otherwise with what happens from now on. */
  sinceSeconds?: number;
}

interface Settings {
  windowMs: number;
  sliceMs: number;
}

/**
 * A change is committed a little after the moment that it carries, in the order of commits rather than of moments. So
 * each look goes back by this much, which is more than all deadlines of the statements of one transaction together.
 */
const windowMs = 15_000;

/** What happened in a long time is read in pieces. */
const sliceMs = 10 * 60_000;

/**
 * Every state change, once, in the order in which it became known; those of one agent in the order in which they were.
 * It asks the database, so nothing is missed while the connection is lost: a look that fails may be repeated.
 */
export class StateFeed {
  /** Changes known already that a further look would find again: when they were. */
  readonly #seen = { state: new Map<number, number>(), 'sign-out': new Map<number, number>() };

  private constructor(
    private readonly db: Queryable,
    private readonly teamId: number | null,
    private readonly floor: Date,
    private from: Date,
    private readonly settings: Settings,
  ) {}

  static open(
    db: Queryable,
    { team, sinceSeconds }: StateFeedOptions,
    settings: Settings = { windowMs, sliceMs },
  ): Promise<StateFeed> {
    return withDatabaseErrors(async () => {
      const teamId = team === null ? null : await requireTeam(db, team);
      const now = await clock(db);
      const floor = earlier(now, sinceSeconds === undefined ? settings.windowMs : sinceSeconds * 1000);
      const feed = new StateFeed(db, teamId, floor, floor, settings);
      // What was before now is known, even though the first look will go back to it.
      if (sinceSeconds === undefined) await feed.next();
      return feed;
    });
  }

  /**
   * The changes that became known since the last look, or the next piece of them: until `caughtUp` there are more.
   * When it fails nothing is lost and nothing will come twice.
   */
  next(): Promise<{ changes: StateChange[]; caughtUp: boolean }> {
    return withDatabaseErrors(async () => {
      const now = await clock(this.db);
      const end = earlier(this.from, -this.settings.sliceMs);
      const caughtUp = end >= now;
      const rows = await this.#read(caughtUp ? null : end);
      for (const { kind, rowId, at } of rows) this.#seen[kind].set(rowId, at.getTime());
      const settled = earlier(now, this.settings.windowMs);
      this.from = latest(this.floor, caughtUp || end > settled ? settled : end);
      this.#forget();
      return { changes: rows.map(({ kind: _kind, rowId: _rowId, ...change }) => change), caughtUp };
    });
  }

  async #read(end: Date | null): Promise<Row[]> {
    const { rows } = await this.db.raw<{ rows: Row[] }>(sql, {
      teamId: this.teamId,
      from: this.from,
      end: end ?? 'infinity',
      seenStates: [...this.#seen.state.keys()],
      seenSignOuts: [...this.#seen['sign-out'].keys()],
    });
    return rows;
  }

  #forget(): void {
    // A second more than needed: the database counts finer than a Date does.
    const before = this.from.getTime() - 1000;
    for (const seen of Object.values(this.#seen)) {
      for (const [id, at] of seen) if (at < before) seen.delete(id);
    }
  }
}

type Row = StateChange & { kind: 'state' | 'sign-out'; rowId: number };

const earlier = (moment: Date, ms: number): Date => new Date(moment.getTime() - ms);
const latest = (a: Date, b: Date): Date => (a > b ? a : b);

async function clock(db: Queryable): Promise<Date> {
  const { rows } = await db.raw<{ rows: { now: Date }[] }>('select now() as now');
  const [row] = rows;
  if (!row) throw new Error('the database does not say what time it is');
  return row.now;
}

const sql = `
  with wanted as (
    select id from teams where :teamId::integer is null or id = :teamId::integer
  ), happened as (
    select 'state' as kind, s.id, s.sign_in_id, s.started_at as at, s.state::text as state, s.reason,
      s.deadline_at, s.group_id, s.call_uniqueid, s.id as next_id
    from wanted join agent_states s on s.team_id = wanted.id
    where s.started_at >= :from and s.started_at < :end and s.id <> all(:seenStates::bigint[])
    union all
    select 'sign-out', i.id, i.id, i.signed_out_at, 'signed-out', null, null, null, null,
      9223372036854775807
    from wanted join sign_ins i on i.team_id = wanted.id
    where i.signed_out_at >= :from and i.signed_out_at < :end and i.id <> all(:seenSignOuts::integer[])
  )
  select h.kind, h.id as "rowId", h.kind || '-' || h.id as id, h.at, t.identity as team, a.number as agent, u.name,
    x.number as extension, h.state, coalesce(before.state::text, 'signed-out') as "previousState",
    before.started_at as "previousSince", h.reason, h.deadline_at as until, g.name as "group",
    h.call_uniqueid as call, c.caller,
    case when h.kind = 'sign-out' then i.signed_out_by when before.state is null then i.signed_in_by end as by
  from happened h
  join sign_ins i on i.id = h.sign_in_id
  join teams t on t.id = i.team_id
  join agents a on a.id = i.agent_id
  join users u on u.id = a.user_id
  join extensions x on x.id = i.extension_id
  left join agent_groups g on g.id = h.group_id
  left join calls c on c.team_id = i.team_id and c.uniqueid = h.call_uniqueid
  left join lateral (
    select p.state, p.started_at from agent_states p
    where p.sign_in_id = h.sign_in_id and p.id < h.next_id order by p.id desc limit 1
  ) before on true
  order by h.at, h.sign_in_id, h.kind desc, h.id`;
