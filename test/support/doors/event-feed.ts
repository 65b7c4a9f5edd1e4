import type { Database } from '../../../domain/database/pool.js';
import { until } from '../../../domain/machine/processes.js';
import { EventFeed, type FeedOptions } from '../../../domain/monitor/event-feed.js';
import type { Event } from '../../../domain/monitor/events.js';
import { signIn, signOut } from '../../../domain/presence/sign-in.js';

/**
 * How long an event is waited for: it is told when no older transaction is open any more, of whatever test writes to the same
 * PostgreSQL.
 */
export const feedMs = 90_000;

/** Signs in an agent of `crowd` at their phone; the id of the sign-in. */
export async function enter(db: Database, agent: number, team = 'astercc'): Promise<number> {
  const entered = await signIn(db, team, {
    agent: String(1000 + agent),
    extension: String(5000 + agent),
    by: `in-${agent}`,
  });
  if (entered.outcome !== 'signed-in') throw new Error(entered.outcome);
  return entered.signIn.id;
}

/** Signs them out again. */
export const leave = (db: Database, agent: number, team = 'astercc') =>
  signOut(db, team, { agent: String(1000 + agent) }, `out-${agent}`);

/**
 * Looks until so many events have come: on a PostgreSQL that other tests use too, whoever writes there holds the feed
 * back.
 */
export async function see(feed: EventFeed, count: number): Promise<Event[]> {
  const seen: Event[] = [];
  await until(
    `${count} events`,
    async () => {
      seen.push(...(await feed.next()).events);
      return seen.length >= count ? true : undefined;
    },
    feedMs,
  );
  return seen;
}

/** As `see`, in short. */
export const look = async (feed: EventFeed, count: number): Promise<string[]> =>
  (await see(feed, count)).map(short);

/** In short: `1001 signed-out>idle`. */
export function short(event: Event): string {
  if ('limit' in event) return `${event.type} ${event.name}`;
  if ('webhook' in event) return `${event.type} ${event.webhook}`;
  if (event.type === 'agent.work_mode_changed' || event.type === 'agent.group_changed')
    return `${event.type} ${event.agent}`;
  if (event.type !== 'agent.state') return `${event.type} ${event.call}`;
  const { team, agent, previousState, state } = event;
  return `${team === 'astercc' ? '' : `${team} `}${agent} ${previousState}>${state}`;
}

/** Waits until every event that there is can be read: nobody in the whole cluster still writes what began before it. */
export const allReadable = (db: Database): Promise<true> =>
  until(
    'a moment in which nobody writes',
    async () => {
      const { rows } = await db.raw<{ rows: unknown[] }>(
        `select 1 from events where xid >= pg_snapshot_xmin(pg_current_snapshot())::text::bigint limit 1`,
      );
      return rows.length === 0 ? true : undefined;
    },
    feedMs,
  );

/** The feed from here on: what was before has been read. */
export async function openNow(db: Database, options: FeedOptions): Promise<EventFeed> {
  const feed = await EventFeed.open(db, options);
  await allReadable(db);
  await feed.next();
  return feed;
}

/** Ids of all changes of agents of a team that the database holds. */
export async function allChanges(db: Database, team: string): Promise<string[]> {
  const { rows } = await db.raw<{ rows: { id: string }[] }>(
    `select 'state-' || s.id as id from agent_states s join teams t on t.id = s.team_id where t.identity = :team
     union all select 'sign-out-' || i.id from sign_ins i join teams t on t.id = i.team_id
     where t.identity = :team and i.signed_out_at is not null order by id`,
    { team },
  );
  return rows.map(({ id }) => id);
}
