import type { TrunkRow } from '../outside/trunks.js';
import type { ExtensionKind } from '../../../domain/presence/phone.js';
import type { OutboundTeam } from '../../../domain/calls/outbound/outbound-team.js';
import type { CallAction } from '../../../domain/provisioning/features/call-key.js';
import type { Feature } from '../../../domain/provisioning/features/feature-code.js';
import type { CallerRow } from '../outside/caller-forms.js';
import type { DidRow, PrefixRow } from './did-rows.js';
import type { Overlap } from '../../../domain/calls/routing/hours.js';
import type { EmergencyRows } from '../outside/emergency.js';
import type { HoursRow } from './hours-model.js';
import type { RingGroupRow } from './ring-groups.js';
import type { RoomRow } from './rooms.js';
import type { WayPlans } from '../outside/ways.js';
import type { WaysRow } from '../outside/ways-rows.js';
import type { AnnouncementRow, MenuRow, Slots } from './slots.js';
import type { RecordRule } from '../../../domain/provisioning/fields/record.js';

export interface TeamRow {
  identity: string;
  language: string | null;
  /** Seconds; 0: never. */
  rtpTimeout: number;
  rtpTimeoutHold: number;
  record: RecordRule;
  timeZone: string;
  /** The most calls to the outside at a time; null: any number. */
  callsAtOnce: number | null;
}
export interface ExtensionRow {
  number: string;
  kind: ExtensionKind;
  secret: string | null;
  telephone: string | null;
  /** By which a caller is known; see `extensions.telephone_key`. */
  telephoneKey: string | null;
  /** The endpoint of the operator's own that it is; null: one is generated. */
  endpoint: string | null;
  /** Null: as the team says. */
  record: RecordRule | null;
}
export interface GroupRow {
  name: string;
  number: string | null;
  strategy: string;
  ringSeconds: number;
  maxWaitSeconds: number;
  wrapUpMode: string;
  directCalls: string;
  announceAgent: boolean;
  announceCall: boolean;
  conferenceEnd: boolean;
  record: RecordRule;
  /** Null: any number may wait. */
  maxCallers: number | null;
  greeting: string | null;
  musicClass: string | null;
  announcePosition: boolean;
  announceWait: boolean;
  announceSeconds: number;
  periodicSound: string | null;
  periodicSeconds: number;
  /** By which a caller is called back; null: nobody is. */
  callbackKey: number | null;
  callbackSound: string | null;
  /** After how many seconds the agents of another group help out; null: none do. */
  overflowSeconds: number | null;
  leaving: boolean;
  /** The hours while which its calls are taken. */
  hours: string | null;
  slots: Slots;
}
export interface CodeRow {
  code: string;
  feature: Feature;
}

/** What is keyed within a call for something that the team has not disabled. */
export interface CallKeyRow {
  action: CallAction;
  keys: string;
}

/** One team with everything of it that reaches a file, each list in a fixed order. */
export interface TeamRows extends TeamRow {
  extensions: ExtensionRow[];
  groups: GroupRow[];
  codes: CodeRow[];
  callKeys: CallKeyRow[];
  /** One number each: see `spread`. */
  dids: DidRow[];
  prefixes: PrefixRow[];
  callers: CallerRow[];
  /** Countries of the trunks that it can use. */
  countries: string[];
  ringGroups: RingGroupRow[];
  rooms: RoomRow[];
  announcements: AnnouncementRow[];
  menus: MenuRow[];
  /** Its own trunks that are generated. */
  trunks: TrunkRow[];
  hours: HoursRow[];
  /** Where the clock of its zone runs twice; undefined: nowhere, or it has no hours. */
  overlap: Overlap | undefined;
  /** How its phones call outside without a server; undefined: they do not. */
  ways: { rows: WaysRow; plans: WayPlans } | undefined;
  /** Where the team itself sends calls. */
  slots: Slots;
  /** Where its rules do, of which only a server knows when. */
  ruleSlots: Slots[];
  /** What it says about calls to the outside. */
  out: OutboundTeam;
  emergency: EmergencyRows;
  /** Extensions of the fixed agents. */
  fixedAgents: Map<string, string>;
}
