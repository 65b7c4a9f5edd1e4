import { prepared, type Queryable } from '../../database/pool.js';
import { withDatabaseErrors } from '../../database/sql-errors.js';
import { fail } from '../../errors.js';
import { quoted, unknown } from '../../names.js';
import { requireTeam } from '../../provisioning/team.js';
import * as sql from './callbacks-sql.js';
import type { Queue } from './queue.js';

/** Between two calls to somebody who could not be reached. */
export const betweenTriesSeconds = 600;

/** What came of one call to somebody who is to be called back. */
export const callbackResults = [
  'answered',
  'busy',
  'no-answer',
  'unreachable',
  /** The agent hung up before. */
  'left',
  /** No trunk took it, or a limit kept it in at that moment. */
  'failed',
  /** It may not be called any more. */
  'refused',
] as const;
export type CallbackResult = (typeof callbackResults)[number];

/** How a callback ends; see `callbacks.outcome`. */
export type CallbackOutcome =
  'answered' | 'unreached' | 'expired' | 'closed' | 'refused' | 'removed' | 'back';

/** Somebody who is to be called back. */
export interface Callback {
  id: number;
  team: string;
  group: string;
  /** Whom to call, in the one form of numbers. */
  number: string;
  /** The number that they had dialled. */
  did: string | null;
  /** The call in which they asked, by its uniqueid; null: it was not recorded. */
  call: string | null;
  /** Since when they wait, in seconds since 1970. */
  arrivedAt: number;
  priority: number;
  puts: number;
  tries: number;
  /** Whether they are to be in the queue now: not a moment after a call that nobody answered. */
  due: boolean;
  /** Its hours, by name; null: the group is always open. */
  hours: string | null;
  /** Why nobody is called back any more; null: they are. */
  over: 'expired' | 'closed' | 'back' | null;
}

/** A caller who asks to be called back. */
export interface CallbackWish {
  team: string;
  group: string;
  /** The call, by its uniqueid. */
  call: string;
  number: string;
  priority: number;
}

/** The callbacks of one Asterisk node, each change in one statement. */
export class Callbacks {
  constructor(
    private readonly db: Queryable,
    readonly node: string,
  ) {}

  /**
   * Keeps somebody with the place that they have, since they first came into that queue in this call. Whoever is kept there
   * already by that number keeps the earlier of both places. Told twice it is the same. False: nobody is called back there, or
   * as many are as may be (in one instant a few more).
   */
  async keep(wish: CallbackWish): Promise<boolean> {
    const rows = await prepared(this.db, sql.keep, { node: this.node, ...wish });
    return rows.length > 0;
  }

  /** Whether a caller of a group, by this number, is called back. */
  async offers(team: string, group: string, number: string): Promise<boolean> {
    const rows = await prepared(this.db, sql.offers, { node: this.node, team, group, number });
    return rows.length > 0;
  }

  /** Whether callers of any group of the node are called back. */
  async anywhere(): Promise<boolean> {
    const [row] = await prepared<{ there: boolean }>(this.db, sql.anywhere, { node: this.node });
    return row?.there === true;
  }

  /** The groups in which as many are to be called back as may be. */
  full(): Promise<{ team: string; group: string }[]> {
    return prepared(this.db, sql.full, { node: this.node });
  }

  /**
   * Who had asked in this call waits in it again, since they did not hear that they were kept: they are not called back as
   * well.
   */
  async back(call: string): Promise<void> {
    await prepared(this.db, sql.back, { node: this.node, call });
  }

  /** Everybody who is to be called back, in order of arrival. */
  open(): Promise<Callback[]> {
    return prepared<Callback>(this.db, sql.open, { node: this.node });
  }

  /** One of them, by its id; undefined: it is over, or of another team. */
  async find(team: string, id: string): Promise<Callback | undefined> {
    if (!/^[0-9]{1,15}$/.test(id)) return undefined;
    const [one] = await prepared<Callback>(this.db, sql.find, { node: this.node, team, id });
    return one;
  }

  /** Claims the next put of a callback; false: another server has it, or it is over. */
  async claim(id: number, puts: number): Promise<boolean> {
    const rows = await prepared(this.db, sql.claim, { id, puts });
    return rows.length > 0;
  }

  /** Nobody can be called at the moment: it is looked at again after so many seconds. */
  async later(id: number, seconds: number): Promise<void> {
    await prepared(this.db, sql.later, { id, seconds });
  }

  /** A callback is over. Whoever was not reached is among the calls that nobody has returned. */
  async end(id: number, outcome: CallbackOutcome): Promise<boolean> {
    const rows = await prepared(this.db, sql.end, { id, outcome });
    return rows.length > 0;
  }

  /**
   * What came of the call of a put, so many seconds ago, by the uniqueid of that call. Told twice it counts once; of a put that
   * is not the last one nothing counts but that somebody was reached. Returns what
   * became of the callback: null, it goes on; undefined, this was known, or it is over.
   */
  async settle(told: {
    id: number;
    put: number;
    result: CallbackResult;
    channel: string;
    secondsAgo: number;
  }): Promise<{ outcome: CallbackOutcome | null; call: string | null } | undefined> {
    const [row] = await prepared<{ outcome: CallbackOutcome | null; call: string | null }>(
      this.db,
      sql.settle,
      { node: this.node, between: betweenTriesSeconds, ...told },
    );
    return row;
  }

  /**
   * An agent has answered the put of a callback: their call to the outside begins, and the wait of who asked is over. `first`:
   * false of an agent to whom the one who called has sent the customer, by a queue: nothing is recorded of them here.
   */
  async connected(told: {
    id: number;
    put: number;
    channel: string;
    offerId: string;
    agent: string;
  }): Promise<(Queue & { first: boolean }) | undefined> {
    const [row] = await prepared<Queue & { first: boolean }>(this.db, sql.connected, {
      node: this.node,
      ...told,
    });
    return row;
  }

  /** Whether an agent has called back already by the put of this uniqueid. */
  async isCalled(channel: string): Promise<boolean> {
    const rows = await prepared(this.db, sql.isCalled, { node: this.node, channel });
    return rows.length > 0;
  }

  /** Since when the calls of these uniqueids stand in a queue, in seconds since 1970. */
  async arrivals(team: string, group: string, calls: readonly string[]): Promise<Map<string, number>> {
    const rows = await prepared<{ uniqueid: string; at: number }>(this.db, sql.arrivals, {
      node: this.node,
      team,
      group,
      calls: [...calls],
    });
    return new Map(rows.map(({ uniqueid, at }) => [uniqueid, at]));
  }
}

/** A callback as an administrator sees it. */
export interface ListedCallback {
  id: number;
  group: string;
  number: string;
  /** Since when they wait. */
  arrivedAt: Date;
  tries: number;
  /** Of the last call; null: there was none. */
  lastResult: string | null;
  /** Before it they are not in the queue; null: they are, as soon as somebody is signed in. */
  nextAt: Date | null;
  expiresAt: Date;
  /** The call in which they asked, by its uniqueid. */
  call: string | null;
}

/**
 * Those of a team who are to be called back, in order of arrival, or of one of its groups.
 * @throws Star64Error `unknown` for a team or a group that there is not.
 */
export function listCallbacks(
  db: Queryable,
  team: string,
  { group }: { group?: string } = {},
): Promise<ListedCallback[]> {
  return withDatabaseErrors(async () => {
    const teamId = await requireTeam(db, team);
    if (group !== undefined) {
      const known = await db('agent_groups').where({ team_id: teamId, name: group }).pluck<number[]>('id');
      if (known.length === 0) throw unknown('group', team, group);
    }
    return prepared<ListedCallback>(db, sql.listed, { teamId, group: group ?? null });
  });
}

/**
 * Has somebody not called back: they leave the queue, and are among the calls that nobody has returned.
 * @throws Star64Error `unknown_callback`, and `unknown` for a team that there is not.
 */
export function removeCallback(db: Queryable, team: string, id: string): Promise<void> {
  return withDatabaseErrors(async () => {
    const teamId = await requireTeam(db, team);
    const found: object | undefined = /^[0-9]{1,15}$/.test(id)
      ? await db('callbacks').where({ team_id: teamId, id }).whereNull('ended_at').first<{ id: number }>('id')
      : undefined;
    if (found === undefined || (await prepared(db, sql.end, { id, outcome: 'removed' })).length === 0) {
      throw fail('unknown_callback', {
        noun: 'callback',
        name: id,
        facts: { team },
        says: `nobody is called back as ${quoted(id)} in team ${team}`,
        remedy: { text: '{0} shows who is', steps: [{ noun: 'callback', verb: 'list', team }] },
      });
    }
  });
}
