import type { Database } from '../../domain/database/pool.js';
import { EventFeed } from '../../domain/monitor/event-feed.js';
import type { Event } from '../../domain/monitor/events.js';

/** Upper ends of the histogram of waits, in seconds. */
export const waits = [5, 10, 20, 30, 60, 120, 300, 600] as const;

interface Wait {
  readonly counts: number[];
  sum: number;
  count: number;
}

/** So many pieces of the list of events are read at a time at most; what is left is counted the next time. */
const mostPieces = 20;

/**
 * Counts what has happened since this process was first asked for it, by the list of events: each event once, and by no
 * statement over the records, which would take longer with each year.
 */
export class CallCounters {
  /** Calls that have ended, by team, group and outcome with tabs between. */
  readonly calls = new Map<string, number>();
  /** Waits in a queue until an answer, or until the caller gave up; named in the same way. */
  readonly waits = new Map<string, Wait>();
  #feed: EventFeed | undefined;

  constructor(private readonly db: Database) {}

  /** Counts what has happened since the last time. @throws Star64Error without a database; nothing is left out then. */
  async read(): Promise<void> {
    this.#feed ??= await EventFeed.open(this.db, {
      team: null,
      types: ['call.ended', 'call.answered', 'call.abandoned'],
    });
    for (let piece = 0; piece < mostPieces; piece++) {
      const { events, caughtUp } = await this.#feed.next();
      for (const event of events) this.#count(event);
      if (caughtUp) return;
    }
  }

  #count(event: Event): void {
    if (event.type === 'call.ended') {
      const key = [event.team, event.group ?? '', event.outcome ?? 'unknown'].join('\t');
      this.calls.set(key, (this.calls.get(key) ?? 0) + 1);
    } else if (event.type === 'call.answered' || event.type === 'call.abandoned') {
      const until = event.answered ?? event.at;
      if (!event.joined) return;
      const outcome = event.type === 'call.answered' ? 'answered' : 'abandoned';
      const key = [event.team, event.group ?? '', outcome].join('\t');
      this.#wait(key, Math.max(0, (until.getTime() - event.joined.getTime()) / 1000));
    }
  }

  #wait(key: string, seconds: number): void {
    const wait = this.waits.get(key) ?? { counts: waits.map(() => 0), sum: 0, count: 0 };
    waits.forEach((most, at) => {
      if (seconds <= most) wait.counts[at] = (wait.counts[at] ?? 0) + 1;
    });
    wait.sum += seconds;
    wait.count++;
    this.waits.set(key, wait);
  }
}
