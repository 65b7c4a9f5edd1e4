import type { AgentResult } from '../calls/clicks.js';
import type { LimitReached } from '../calls/limits.js';
import type { SupervisionMode } from '../calls/supervision.js';
import type { PopupKind } from '../popups/records.js';
import type { AgentState } from '../presence/transitions.js';
import { prepared, type Queryable } from '../database/pool.js';
import { withDatabaseErrors } from '../database/sql-errors.js';
import { notFound, usage } from '../errors.js';
import { quoted } from '../names.js';
import { requireTeam } from '../provisioning/team.js';

/** What can happen, by the `type` of an event. */
export const eventTypes = [
  'agent.state',
  'call.arrived',
  'call.queued',
  'call.answered',
  'call.abandoned',
  'call.ended',
  'call.emergency',
  'limit.reached',
  'limit.over',
  'supervision.began',
  'supervision.over',
  'popup.opened',
  'popup.answered',
  'popup.closed',
  'click.began',
  'click.agent_ringing',
  'click.agent_answered',
  'click.agent_missed',
  'click.customer_ringing',
  'click.customer_answered',
  'click.ended',
] as const;
export type EventType = (typeof eventTypes)[number];

/** The types of these names. @throws Star64Error `usage`, which names those that there are. */
export function checkTypes(typed: readonly string[]): EventType[] {
  return typed.map((type) => {
    const found = eventTypes.find((one) => one === type);
    if (found === undefined)
      throw usage(`type ${quoted(type)} does not exist: type one of ${eventTypes.join(', ')}.`);
    return found;
  });
}

/** What is told unless others are asked for. */
export const usualTypes: readonly EventType[] = ['agent.state', 'call.emergency'];

/** A state of an agent has begun; `signed-out` when they have signed out. Names are those of that moment. */
export interface StateChange {
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
  /** What signed the agent in or out: the uniqueid of their call, or the name of a command. */
  by: string | null;
}

/** What has happened to a call; which of the fields there are depends on the type. */
export interface CallChange {
  team: string;
  call: string;
  caller: string | null;
  /** The DID that was called. */
  did?: string | null;
  group: string | null;
  extension?: string | null;
  /** Place in the queue on joining. */
  position?: number | null;
  joined?: Date;
  answered?: Date | null;
  /** Who answered. */
  agent?: string | null;
  outcome: string | null;
}

/** A phone calls an emergency number. */
export interface EmergencyCall {
  team: string;
  call: string;
  number: string;
  extension: string | null;
  /** Where the phone is, as its extension says it. */
  location: string | null;
  /** Whose extension it is. */
  user: string | null;
  /** Who is signed in there. */
  agent: string | null;
}

/** A limit has begun to keep calls to the outside in, or there is room again. */
export interface LimitChange {
  team: string;
  of: LimitReached['of'];
  /** Of the team, user group or extension. */
  name: string;
  limit: LimitReached['limit'];
  most: number;
  /** Whether it is the part of the limit that may be used at night. */
  atNight: boolean;
  /** When it kept the first call in. */
  reached: Date;
  /** How many it has kept in so far. */
  refused: number;
}

type LimitEvent = 'limit.reached' | 'limit.over';

/** An administrator of a group has begun to listen to a call of it, or has ended. */
export interface SupervisionChange {
  team: string;
  /** User name of the administrator, and the phone where they are. */
  user: string;
  from: string;
  /** The phone that they listen to, and who is signed in there. */
  extension: string;
  agent: string | null;
  group: string;
  call: string;
  /** Of now, or the last. */
  mode: SupervisionMode;
  /** Whether the agent was told by a tone. */
  announced: boolean;
  began: Date;
  /** Seconds in each mode, as far as they were told. */
  listened: number;
  whispered: number;
  barged: number;
}

/** An application is to show a call to an agent, the agent has answered, or the phone has left the call. */
export interface PopupChange {
  team: string;
  /** Its id, by which the API knows it. */
  popup: number;
  kind: PopupKind;
  application: string;
  /** The binding that held when the call arrived; null: the application is the group's. */
  binding: string | null;
  /** With the facts of the call in it. */
  link: string | null;
  agent: string | null;
  extension: string;
  /** User name of whose extension it is. */
  user: string;
  group: string | null;
  call: string;
  caller: string | null;
  /** The number that was called: the DID, or the one outside. */
  number: string | null;
  opened: Date;
  answered: Date | null;
  closed: Date | null;
  outcome: string | null;
}

type PopupEvent = 'popup.opened' | 'popup.answered' | 'popup.closed';

type SupervisionEvent = 'supervision.began' | 'supervision.over';

/** A call that software has started for an agent: what has happened on one of its legs. */
export interface ClickChange {
  team: string;
  call: string;
  agent: string;
  /** Their phone, which rings first. */
  extension: string;
  dialled: string;
  /** In its one form, once it is called. */
  number: string | null;
  /** Who has started it. */
  by: string;
  /** What became of ringing the agent. */
  agentResult: AgentResult | null;
  /** As `calls.outcome`. */
  outcome: string | null;
  refused: string | null;
}

type ClickEvent = Extract<EventType, `click.${string}`>;

interface Envelope {
  /** Of this event and no other. */
  id: string;
  at: Date;
  /** Where it stands in the feed: whoever opens it `after` this goes on with the next event. */
  cursor: string;
}

/** Something that has happened, with the fields of its type between those that every event has. */
export type Event = Envelope &
  (
    | ({ type: 'agent.state' } & StateChange)
    | ({ type: 'call.emergency' } & EmergencyCall)
    | ({ type: LimitEvent } & LimitChange)
    | ({ type: SupervisionEvent } & SupervisionChange)
    | ({ type: PopupEvent } & PopupChange)
    | ({ type: ClickEvent } & ClickChange)
    | ({
        type: Exclude<
          EventType,
          'agent.state' | 'call.emergency' | LimitEvent | SupervisionEvent | PopupEvent | ClickEvent
        >;
      } & CallChange)
  );

export interface FeedOptions {
  /** Only this team; null: all of them. */
  team: string | null;
  /** Only these types; default: `usualTypes`. */
  types?: readonly EventType[];
  /** Begins behind the event of this cursor. */
  after?: string;
  /** Begins with what became known so many seconds ago; without this and `after`, with what happens from now on. */
  sinceSeconds?: number;
}

/** The place of an event in the order of all; see migration 0007-c. */
interface Place {
  era: number;
  xid: number;
  id: number;
}

interface Row extends Place {
  at: Date;
  type: EventType;
  data: { id: string } & Record<string, unknown>;
}

/** So many at a time: what happened in a long time is read in pieces. */
const usualPiece = 1000;

/** More than the deadlines of all statements of one transaction together, and clocks that differ. */
const lateSeconds = 60;

/**
 * Every event, once, each agent's in the order in which they happened. It keeps nothing but its place, so a look that
 * fails may be repeated, and whoever has a cursor goes on with it days later, on another connection or in another
 * process. A transaction that is still open holds back what others have committed after its beginning.
 */
export class EventFeed {
  private constructor(
    private readonly db: Queryable,
    private readonly teamId: number | null,
    private readonly types: readonly EventType[],
    private place: Place,
    private readonly floor: Date | null,
    private readonly piece: number,
  ) {}

  /**
   * @throws Star64Error `usage` for a cursor that no event has, `not_found` for a team that there is not and for a cursor
   *   behind which events have been removed for their age.
   */
  static open(db: Queryable, options: FeedOptions, piece: number = usualPiece): Promise<EventFeed> {
    const { team, types = usualTypes, after, sinceSeconds } = options;
    return withDatabaseErrors(async () => {
      const teamId = team === null ? null : await requireTeam(db, team);
      const floor = sinceSeconds === undefined ? null : await secondsAgo(db, sinceSeconds);
      const place =
        after !== undefined
          ? await checkedPlace(db, after)
          : floor === null
            ? await presentPlace(db)
            : await placeBefore(db, floor);
      return new EventFeed(db, teamId, types, place, floor, piece);
    });
  }

  /** Where it stands: whoever opens a feed `after` this goes on with the next event. */
  get cursor(): string {
    return cursorOf(this.place);
  }

  /**
   * The events behind the last one, or the next piece of them: until `caughtUp` there are more. When it fails nothing is
   * lost and nothing will come twice.
   */
  next(): Promise<{ events: Event[]; caughtUp: boolean }> {
    return withDatabaseErrors(async () => {
      const rows = await prepared<Row>(this.db, this.teamId === null ? ofAllTeams : ofOneTeam, {
        ...this.place,
        ...(this.teamId !== null && { teamId: this.teamId }),
        types: [...this.types],
        floor: this.floor ?? '-infinity',
        piece: this.piece,
      });
      const last = rows.at(-1);
      if (last) this.place = { era: last.era, xid: last.xid, id: last.id };
      return { events: rows.map(toEvent), caughtUp: rows.length < this.piece };
    });
  }
}

const select = (whose: string): string => `
  select e.era, e.xid, e.id, e.at, e.type, e.data from events e
  where ${whose} (e.era, e.xid, e.id) > (:era::integer, :xid::bigint, :id::bigint)
    -- Below it every writer is through, so nothing can come any more that belongs before what is read here. Nobody
    -- writes in an era that is over.
    and (e.era < (select era from event_log) or e.xid < pg_snapshot_xmin(pg_current_snapshot())::text::bigint)
    and e.type = any(:types::text[]) and e.written_at >= :floor::timestamptz
  order by e.era, e.xid, e.id limit :piece`;
const ofAllTeams = select('');
const ofOneTeam = select('e.team_id = :teamId and');

const moments = ['previous_since', 'until', 'joined', 'answered', 'reached', 'began', 'opened', 'closed'];

function toEvent({ era, xid, id: number, at, type, data: { id, ...data } }: Row): Event {
  const fields = Object.entries(data).map(([name, value]) => [
    name.replace(/_[a-z]/g, (letters) => letters.slice(1).toUpperCase()),
    moments.includes(name) && typeof value === 'string' ? new Date(value) : value,
  ]);
  return {
    id,
    at,
    ...(Object.fromEntries(fields) as StateChange),
    cursor: cursorOf({ era, xid, id: number }),
    type,
  } as Event;
}

const cursorOf = ({ era, xid, id }: Place): string => `${era}-${xid}-${id}`;

async function secondsAgo(db: Queryable, seconds: number): Promise<Date> {
  const [row] = await prepared<{ at: Date }>(db, 'select now() - make_interval(secs => ?) as at', [seconds]);
  if (!row) throw new Error('the database does not say what time it is');
  return row.at;
}

/** Behind everything that can be read now. */
async function presentPlace(db: Queryable): Promise<Place> {
  const [row] = await prepared<Place>(
    db,
    `select era, pg_snapshot_xmin(pg_current_snapshot())::text::bigint as xid, 0 as id from event_log`,
  );
  if (!row) throw new Error('table event_log has lost its row: restore it from a backup');
  return row;
}

/** Before everything that was written from a moment on, also by those who write now, and a little more. */
async function placeBefore(db: Queryable, moment: Date): Promise<Place> {
  const [row] = await prepared<Place>(
    db,
    `select * from (
       select era, pg_snapshot_xmin(pg_current_snapshot())::text::bigint as xid, 0::bigint as id from event_log
       union all
       -- Of those that were written at the same time as the first one, any may be the first in the order.
       select e.era, e.xid, e.id - 1 from events e join (
         select written_at from events where written_at >= ?::timestamptz - make_interval(secs => ${lateSeconds})
         order by written_at limit 1) as first
       on e.written_at between first.written_at and first.written_at + make_interval(secs => ${lateSeconds})
     ) as places order by era, xid, id limit 1`,
    [moment],
  );
  return row ?? presentPlace(db);
}

async function checkedPlace(db: Queryable, cursor: string): Promise<Place> {
  const [, era, xid, id] = /^([0-9]{1,9})-([0-9]{1,15})-([0-9]{1,15})$/.exec(cursor) ?? [];
  if (era === undefined)
    throw usage(`cursor ${quoted(cursor)} is none: take one that an event carries as its cursor.`);
  const place = { era: Number(era), xid: Number(xid), id: Number(id) };
  const removed = await prepared<object>(
    db,
    `select from event_log
     where (removed_era, removed_xid, removed_id) > (:era::integer, :xid::bigint, :id::bigint)`,
    { ...place },
  );
  if (removed.length === 0) return place;
  throw notFound(
    `the events behind cursor ${cursor} are no longer kept: begin anew, with --since instead of --after.`,
  );
}
