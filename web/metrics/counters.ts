import type { Database } from '../../domain/database/pool.js';
import { Star64Error } from '../../domain/errors.js';
import type { EventType } from '../../domain/event-types.js';
import { histogramOf, type Histogram } from '../../domain/machine/exposition.js';
import { EventFeed } from '../../domain/monitor/event-feed.js';
import type { Event } from '../../domain/monitor/events.js';
import { HandleTimes } from './handle-times.js';

/** Upper ends of the histogram of waits, in seconds. */
const waits = [5, 10, 20, 30, 60, 120, 300, 600] as const;

/** So many pieces of the list of events are read at a time at most; what is left is counted the next time. */
const mostPieces = 20;

const always: readonly EventType[] = ['call.ended', 'call.answered', 'call.abandoned'];
const ofGroups: readonly EventType[] = [...always, 'agent.state'];

/**
 * Counts what has happened since this process was first asked for it, by the list of events: each event once, and by no
 * statement over the records, which would take longer with each year.
 */
export class CallCounters {
  /** Calls that have ended, by team, group and outcome with tabs between. */
  readonly calls = new Map<string, number>();
  /** Waits in a queue until an answer, or until the caller gave up; named in the same way. */
  readonly waits = new Map<string, Histogram>();
  /** Undefined while there are figures of teams only: states are many, and nobody is shown what they say. */
  #handled: HandleTimes | undefined;
  #feed: EventFeed | undefined;

  constructor(private readonly db: Database) {}

  /** From the answer until the agent is done with the call, by team and group with a tab between. */
  get handled(): ReadonlyMap<string, Histogram> {
    return this.#handled?.times ?? new Map();
  }

  /**
   * Counts what has happened since the last time. `byGroup`: whether anything is told of groups.
   *
   * @throws Star64Error without a database; nothing is left out then.
   */
  async read(byGroup: boolean): Promise<void> {
    const feed = await this.#feedFor(byGroup);
    for (let piece = 0; piece < mostPieces; piece++) {
      const { events, caughtUp } = await feed.next();
      for (const event of events) this.#count(event);
      if (caughtUp) return;
    }
  }

  async #feedFor(byGroup: boolean): Promise<EventFeed> {
    if (this.#feed && byGroup === (this.#handled !== undefined)) return this.#feed;
    const options = { team: null, types: byGroup ? ofGroups : always };
    const after = this.#feed?.cursor;
    this.#feed = await EventFeed.open(this.db, { ...options, ...(after !== undefined && { after }) }).catch(
      (error: unknown) => {
        // Nobody has asked for days, and what happened since is no longer kept.
        if (error instanceof Star64Error && error.kind === 'not_found')
          return EventFeed.open(this.db, options);
        throw error;
      },
    );
    this.#handled = byGroup ? new HandleTimes() : undefined;
    return this.#feed;
  }

  #count(event: Event): void {
    if (event.type === 'agent.state') {
      this.#handled?.take(event);
    } else if (event.type === 'call.ended') {
      const key = [event.team, event.group ?? '', event.outcome ?? 'unknown'].join('\t');
      this.calls.set(key, (this.calls.get(key) ?? 0) + 1);
    } else if (event.type === 'call.answered' || event.type === 'call.abandoned') {
      const until = event.answered ?? event.at;
      if (!event.joined) return;
      const outcome = event.type === 'call.answered' ? 'answered' : 'abandoned';
      const key = [event.team, event.group ?? '', outcome].join('\t');
      histogramOf(this.waits, key, waits).add((until.getTime() - event.joined.getTime()) / 1000);
    }
  }
}
