import type { ServerResponse } from 'node:http';
import type { FastifyReply } from 'fastify';
import type { Logger } from 'pino';
import type { Database } from '../domain/database/pool.js';
import { seesEvent } from '../domain/monitor/reach.js';
import { livePrincipals, type Principal } from '../domain/provisioning/people/principal.js';
import { LastingFault } from '../domain/machine/lasting-fault.js';
import { jsonText } from '../domain/json-text.js';
import { eventTypes } from '../domain/event-types.js';
import { EventFeed, type FeedOptions } from '../domain/monitor/event-feed.js';
import { isBehind, type Event } from '../domain/monitor/events.js';
import { headersOf } from './cors.js';
import { Gate } from './gate.js';
import { Refusal } from './problems.js';

export interface EventStreamsSettings {
  /** How often the one reader looks for events, and how long it waits after a look that failed. */
  everyMs: number;
  retryMs: number;
  /** A line for whoever would take silence for a broken connection. */
  beatMs: number;
  /** No more is sent to a listener of whom so much waits to be read. */
  mostBytes: number;
  /** Who has read nothing for so long is cut off, and comes back with their cursor. */
  stallMs: number;
  /** How often the tokens of open streams are looked at: one that has ended keeps its streams for so long at most. */
  tokensMs: number;
  /** Open streams of one person or program, of all their tokens. */
  mostPerToken: number;
  /** So many events of the past are sent at a time, and no more before they are read. */
  piece: number;
}

export const eventStreamsDefaults: EventStreamsSettings = {
  everyMs: 200,
  retryMs: 1000,
  beatMs: 15_000,
  mostBytes: 1_000_000,
  stallMs: 60_000,
  tokensMs: 15_000,
  mostPerToken: 20,
  piece: 100,
};

/** So many streams ask the database at once for what they have missed; others wait for their turn, which is one piece. */
const mostCatchingUp = 3;

interface Stream {
  /** Who opened it, with the rights that they had then. */
  readonly principal: Principal;
  readonly team: string;
  readonly options: FeedOptions;
  readonly types: ReadonlySet<string>;
  readonly raw: ServerResponse;
  /** The last event that was sent, or where it began. */
  cursor: string;
  /** `live`: is told what happens; `catching-up`: reads by itself what it has missed; what happens in its last look is kept; `waiting` for that. */
  state: 'live' | 'waiting' | 'catching-up';
  meanwhile: Event[];
  close: () => void;
}

/**
 * Streams of events (server-sent events, WHATWG HTML 9.2). However many listen, one reader asks the database for what has
 * happened. A new stream, and one whose listener reads more slowly than things happen, reads by itself from its cursor on
 * until it has caught up: so nobody loses anything, nobody delays anybody, and of what a listener does not read no more is
 * kept in memory than `mostBytes`, or one piece.
 *
 * While the database is away streams stay open, and say so: `away`, and `back` when nothing that they have told is old any more.
 */
export class EventStreams {
  readonly #streams = new Set<Stream>();
  readonly #turns = new Gate(mostCatchingUp, Infinity);
  #running: Promise<void> | undefined;
  #timer: NodeJS.Timeout | undefined;
  #feed: EventFeed | undefined;
  #stopped = false;
  #isAway = false;
  #checking: Promise<void> | undefined;
  #checkTimer: NodeJS.Timeout | undefined;
  readonly #away: LastingFault;

  constructor(
    private readonly db: Database,
    log: Logger,
    private readonly settings: EventStreamsSettings = eventStreamsDefaults,
  ) {
    this.#away = new LastingFault(log, {
      fault: 'events cannot be read: streams stand still',
      over: 'events are read again; nothing is left out',
    });
  }

  /**
   * `principal`: who opens it, and is told what they may see; the stream ends with their token, and with their rights of now.
   *
   * @throws Star64Error as {@link EventFeed.open}, Refusal `too_many_streams`, before anything is sent.
   */
  async open(
    reply: FastifyReply,
    principal: Principal,
    options: FeedOptions & { team: string },
  ): Promise<void> {
    const feed = await EventFeed.open(this.db, options, this.settings.piece);
    await this.#listening();
    this.#room(principal);
    reply.hijack();
    const { raw } = reply;
    const { beatMs, stallMs } = this.settings;
    const beat = setInterval(() => {
      if (!raw.writableNeedDrain) raw.write(': still here\n\n');
    }, beatMs);
    // Of a long write Node takes it for activity that more of it has left, which it does as long as the listener reads.
    raw.setTimeout(stallMs, () => {
      if (raw.writableNeedDrain) stream.close();
    });
    const stream: Stream = {
      principal,
      team: options.team,
      options,
      types: new Set(options.types ?? eventTypes),
      raw,
      cursor: feed.cursor,
      state: 'waiting',
      meanwhile: [],
      close: () => {
        clearInterval(beat);
        this.#streams.delete(stream);
        raw.destroy();
      },
    };
    raw.once('close', stream.close);
    raw.writeHead(200, {
      // Which page may read it, too.
      ...headersOf(reply),
      'content-type': 'text/event-stream',
      'cache-control': 'no-store',
      'x-accel-buffering': 'no',
    });
    // The cursor goes with the first line: who is cut off before the first event comes back to where they were.
    raw.write(`retry: 2000\nid: ${stream.cursor}\nevent: hello\ndata: {}\n\n`);
    if (this.#stopped || raw.destroyed) {
      stream.close();
      return;
    }
    this.#streams.add(stream);
    void this.#catchUp(stream, feed);
  }

  /** How many are open, and how many bytes wait in this process to be read by their listeners. */
  get figures(): { open: number; unread: number } {
    const unread = [...this.#streams].reduce((sum, { raw }) => sum + raw.writableLength, 0);
    return { open: this.#streams.size, unread };
  }

  /** Ends all streams; their listeners come back with their cursors to whoever serves next. */
  async stop(): Promise<void> {
    this.#stopped = true;
    clearTimeout(this.#timer);
    clearTimeout(this.#checkTimer);
    for (const stream of [...this.#streams]) stream.close();
    await this.#running;
    await this.#checking;
  }

  #send(stream: Stream, event: Event): void {
    stream.cursor = event.cursor;
    if (!seesEvent(stream.principal, event)) return;
    stream.raw.write(`id: ${event.cursor}\nevent: ${event.type}\ndata: ${jsonText(event)}\n\n`);
  }

  /** Sends what was missed, a piece at a time and no faster than it is read, and then what happens. */
  async #catchUp(stream: Stream, begun?: EventFeed): Promise<void> {
    try {
      let feed = begun;
      while (!stream.raw.destroyed) {
        await this.#read(stream);
        const look = await this.#turns.through(() => this.#catchUpPiece(stream, feed));
        if (look.live) return;
        feed = look.feed;
      }
    } catch {
      // The listener comes back, and is told by then what is wrong.
      stream.close();
    }
  }

  async #catchUpPiece(stream: Stream, begun?: EventFeed): Promise<{ feed?: EventFeed; live: boolean }> {
    if (stream.raw.destroyed) return { live: false };
    const options = { ...withoutStart(stream.options), after: stream.cursor };
    const feed = begun ?? (await EventFeed.open(this.db, options, this.settings.piece));
    // What the one reader has told before this look is in the look.
    stream.state = 'catching-up';
    const { events, caughtUp } = await feed.next();
    for (const event of events) this.#send(stream, event);
    let live = caughtUp;
    for (const event of caughtUp ? stream.meanwhile : []) {
      if (!isBehind(feed.cursor, event.cursor)) continue;
      live = stream.raw.writableLength < this.settings.mostBytes;
      if (!live) break;
      this.#send(stream, event);
    }
    stream.meanwhile = [];
    stream.state = live ? 'live' : 'waiting';
    // What was too much is read again from the cursor on, of which this feed does not know.
    return { ...(!caughtUp && { feed }), live };
  }

  /** Resolves when the listener has read what was sent, or is gone. */
  async #read({ raw }: Stream): Promise<void> {
    if (!raw.writableNeedDrain) return;
    await new Promise<void>((resolve) => {
      const done = (): void => {
        raw.off('drain', done).off('close', done);
        resolve();
      };
      raw.once('drain', done).once('close', done);
    });
  }

  /** Has the one reader run, from now on at the latest. @throws Star64Error when the database cannot be read. */
  async #listening(): Promise<void> {
    this.#feed ??= await EventFeed.open(this.db, { team: null, types: eventTypes });
    if (this.#running === undefined && this.#timer === undefined) this.#next(0);
    if (this.#checking === undefined && this.#checkTimer === undefined) this.#nextCheck();
  }

  /** @throws Refusal when somebody has as many streams as they may. */
  #room({ team, kind, name }: Principal): void {
    const { mostPerToken } = this.settings;
    const open = [...this.#streams].filter(
      ({ principal: one }) => one.team === team && one.kind === kind && one.name === name,
    ).length;
    if (open >= mostPerToken)
      throw new Refusal(
        429,
        'too_many_streams',
        `${kind} ${name} has ${mostPerToken} open streams, and no more are opened: close one first`,
      );
  }

  #nextCheck(): void {
    if (this.#stopped) return;
    this.#checkTimer = setTimeout(() => {
      this.#checkTimer = undefined;
      this.#checking = this.#closeEnded().then(() => {
        this.#checking = undefined;
        this.#nextCheck();
      });
    }, this.settings.tokensMs);
  }

  /** Closes the streams whose token was taken away or has ended, or whose rights have changed: they come back with the new ones. */
  async #closeEnded(): Promise<void> {
    const open = [...this.#streams];
    if (open.length === 0) return;
    try {
      const live = await livePrincipals(this.db, [...new Set(open.map(({ principal }) => principal.id))]);
      for (const stream of open)
        if (rightsOf(live.get(stream.principal.id)) !== rightsOf(stream.principal)) stream.close();
    } catch {
      // Without a database nothing is sent either, and the reader says so.
    }
  }

  #next(ms: number): void {
    if (this.#stopped) return;
    this.#timer = setTimeout(() => {
      this.#timer = undefined;
      this.#running = this.#look().then((waitMs) => {
        this.#running = undefined;
        this.#next(waitMs);
      });
    }, ms);
  }

  async #look(): Promise<number> {
    try {
      const look = await this.#feed?.next();
      this.#away.over();
      this.#say(false);
      for (const event of look?.events ?? []) this.#tell(event);
      return look?.caughtUp === false ? 0 : this.settings.everyMs;
    } catch (error) {
      this.#away.met((error as Error).message);
      this.#say(true);
      return this.settings.retryMs;
    }
  }

  /** Tells every stream that the database is away, or back. A line without an id: the cursor of a listener stays where it was. */
  #say(isAway: boolean): void {
    if (isAway === this.#isAway) return;
    this.#isAway = isAway;
    for (const { raw } of this.#streams) raw.write(`event: ${isAway ? 'away' : 'back'}\ndata: {}\n\n`);
  }

  #tell(event: Event): void {
    for (const stream of this.#streams) {
      if (stream.team !== event.team || !stream.types.has(event.type)) continue;
      if (stream.state === 'catching-up') stream.meanwhile.push(event);
      else if (stream.state === 'waiting') continue;
      // It has caught up by itself while this look was on its way.
      else if (!isBehind(stream.cursor, event.cursor)) continue;
      else if (stream.raw.writableLength < this.settings.mostBytes) this.#send(stream, event);
      else {
        stream.state = 'waiting';
        void this.#catchUp(stream);
      }
    }
  }
}

/** What somebody sees, in a form that can be compared. */
const rightsOf = (principal: Principal | undefined): string | undefined =>
  principal && JSON.stringify([principal.role, principal.groups, principal.agents]);

/** The same, beginning where another option says. */
function withoutStart({ team, types }: FeedOptions): FeedOptions {
  return { team, ...(types && { types }) };
}
