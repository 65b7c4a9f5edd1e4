import type { CallbackOutcome } from '../calls/queue/callbacks.js';
import type { AgentResult } from '../calls/commands/click-records.js';
import type { LimitReached } from '../calls/limits/limits.js';
import type { SupervisionMode } from '../calls/commands/supervision.js';
import type { EventType } from '../event-types.js';
import type { PopupKind } from '../popups/records.js';
import type { CallKind } from '../presence/agent-state.js';
import type { AgentState } from '../presence/transitions.js';
import type { WorkMode } from '../presence/work-mode.js';

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
  /** Of `ringing`, `talking` and `wrap-up`. */
  callKind: CallKind | 'queue' | null;
  /** The number of the caller, as the trunk gave it. */
  caller: string | null;
  /** What signed the agent in or out: the uniqueid of their call, or the name of a command. */
  by: string | null;
}

/** Who is signed in has chosen something, or it was chosen for them. Names are those of that moment. */
interface Choice {
  team: string;
  /** Number of the agent, and the person's name. */
  agent: string;
  name: string;
  extension: string;
}

/** The work mode of an agent, which counts in groups that leave it to them. */
export interface WorkModeChange extends Choice {
  workMode: WorkMode;
  previousWorkMode: WorkMode;
}

/** The current group of an agent, by name; null: none, or one that is gone. */
export interface GroupChange extends Choice {
  group: string | null;
  previousGroup: string | null;
}

/** What has happened to a call; which of the fields there are depends on the type, as event-fields.ts says. */
export interface CallChange {
  team: string;
  call: string;
  caller: string | null;
  /** The DID that was called. */
  did?: string | null;
  group: string | null;
  extension?: string | null;
  direction?: 'in' | 'out' | 'internal';
  /** The number outside that is called. */
  number?: string | null;
  trunk?: string | null;
  /** Why a call to the outside was not let out. */
  refused?: string | null;
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

/** What the phone of one side does with its call: others hear music, somebody is asked meanwhile, it is sent on. */
export interface HandlingChange {
  team: string;
  /** As `CallChange.call`, which there is none of for a call between two phones. */
  call: string;
  caller: string | null;
  /** Whose phone it is, and the group of their call. */
  agent: string | null;
  extension: string | null;
  group: string | null;
  /** Who is asked or gets the call, as it was dialled; not of a hold, nor of a consultation by a button of the phone. */
  number?: string | null;
  /** `consult.ended`: `back` at the call, `left` with it (sent on, or hung up), `busy`, `no-answer`, `unavailable`, `unknown`, `refused`. */
  outcome?: string | null;
  /** Of a call that was sent on: `attended` or `blind`, as Asterisk has it. */
  how?: string | null;
}

type HandlingEvent =
  'call.held' | 'call.resumed' | 'call.transferred' | Extract<EventType, `consult.${string}`>;

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

/** A webhook was disabled by star64 itself. */
export interface WebhookDisabled {
  team: string;
  /** Its name. */
  webhook: string;
  /** `failures`: nothing but failures for days; `gone`: it has answered 410. */
  reason: 'failures' | 'gone';
  failingSince: Date | null;
}
/**
 * Somebody is to be called back (`kept`), an agent calls them (`called`), they were reached (`answered`), or nobody calls them any
 * more (`expired`, whatever the reason).
 */
export interface CallbackChange {
  team: string;
  /** Its id, as `callback list` has it. */
  callback: number;
  group: string;
  number: string;
  /** The call in which they asked, if it was recorded. */
  call: string | null;
  /** Since when they wait. */
  arrived: Date;
  expires: Date;
  /** How often they were called and not reached. */
  tries: number;
  /** Who called them last. */
  agent: string | null;
  /** Once it is over. */
  outcome: CallbackOutcome | null;
}

type CallbackEvent = 'callback.kept' | 'callback.called' | 'callback.answered' | 'callback.expired';

interface Envelope {
  /** Names what it happened to: several events of one call, or of one visit to a queue, have the same. */
  id: string;
  at: Date;
  /** Of this event and no other, and where it stands in the feed: whoever opens it `after` this goes on with the next event. */
  cursor: string;
}

/** Something that has happened, with the fields of its type between those that every event has. */
export type Event = Envelope &
  (
    | ({ type: 'agent.state' } & StateChange)
    | ({ type: 'agent.work_mode_changed' } & WorkModeChange)
    | ({ type: 'agent.group_changed' } & GroupChange)
    | ({ type: 'call.emergency' } & EmergencyCall)
    | ({ type: LimitEvent } & LimitChange)
    | ({ type: SupervisionEvent } & SupervisionChange)
    | ({ type: CallbackEvent } & CallbackChange)
    | ({ type: ClickEvent } & ClickChange)
    | ({ type: HandlingEvent } & HandlingChange)
    | ({ type: PopupEvent } & PopupChange)
    | ({ type: 'webhook.disabled' } & WebhookDisabled)
    | ({
        type: Exclude<
          EventType,
          | Extract<EventType, `agent.${string}`>
          | 'call.emergency'
          | LimitEvent
          | SupervisionEvent
          | CallbackEvent
          | ClickEvent
          | HandlingEvent
          | PopupEvent
          | 'webhook.disabled'
        >;
      } & CallChange)
  );

/** The place of an event in the order of all; see migration 0007-c. */
export interface Place {
  era: number;
  xid: number;
  id: number;
}

/** An event as its table has it. */
export interface EventRow extends Place {
  at: Date;
  type: EventType;
  data: { id: string } & Record<string, unknown>;
}

const moments = [
  'previous_since',
  'until',
  'joined',
  'answered',
  'reached',
  'began',
  'arrived',
  'expires',
  'opened',
  'closed',
  'failing_since',
];

/** What a row of `events` tells. */
export function toEvent({ era, xid, id: number, at, type, data: { id, ...data } }: EventRow): Event {
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

/** The cursor of an event: whoever opens a feed after it goes on with the next one. */
export const cursorOf = ({ era, xid, id }: Place): string => `${era}-${xid}-${id}`;

/** Whether the second of two cursors is behind the first. */
export function isBehind(first: string, second: string): boolean {
  const [one, other] = [first, second].map((cursor) => cursor.split('-').map(Number));
  for (let index = 0; index < 3; index++) {
    const difference = (other?.[index] ?? 0) - (one?.[index] ?? 0);
    if (difference !== 0) return difference > 0;
  }
  return false;
}
