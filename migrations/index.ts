import type { IndexAhead } from './index-ahead.js';
import { up as core } from './0001-core.js';
import { up as phone } from './0002-phone.js';
import { up as stateChanges } from './0003-state-changes.js';
import { up as telephone } from './0004-telephone.js';
import { up as language } from './0005-language.js';
import { up as words } from './0006-words.js';
import { up as nodes } from './0007-a-nodes.js';
import { up as records } from './0007-b-records.js';
import { up as events } from './0007-c-events.js';
import { up as nouns } from './0008-nouns.js';
import { up as changes } from './0010-changes.js';
import { up as phoneLeases } from './0011-phone-leases.js';
import { up as installation } from './0012-installation.js';
import { up as takeOver } from './0013-take-over.js';
import { up as generations } from './0014-generations.js';
import { up as token } from './0015-token.js';
import { up as outcomes } from './0016-outcomes.js';
import { up as away } from './0017-away.js';
import { up as numbers } from './0018-numbers.js';
import { up as waiting, remarks as waitingRemarks } from './0020-waiting.js';
import { up as destinations } from './0021-destinations.js';
import { up as hours, remarks as hoursRemarks } from './0022-hours.js';
import { up as ringGroups } from './0023-ring-groups.js';
import { up as queues } from './0024-queues.js';
import { up as story } from './0025-story.js';
import { up as didRules } from './0026-did-rules.js';
import { up as outbound } from './0027-outbound.js';
import { up as emergency, remarks as emergencyRemarks } from './0028-emergency.js';
import { up as state } from './0029-state.js';
import { up as callsOut } from './0030-calls-out.js';
import { up as limits } from './0031-limits.js';
import { up as trunks } from './0032-trunks.js';
import { up as places, remarks as placesRemarks } from './0034-places.js';
import { up as ways, remarks as waysRemarks } from './0035-ways.js';
import { up as callbacks } from './0036-callbacks.js';
import { up as callKeys } from './0037-call-keys.js';
import { up as holds, ahead as holdsAhead } from './0038-holds.js';
import { up as supervision, remarks as supervisionRemarks } from './0039-supervision.js';
import { up as rooms } from './0040-rooms.js';
import { up as features } from './0041-features.js';
import { up as callCommands } from './0042-call-commands.js';
import { up as apiTokens } from './0043-api-tokens.js';
import { up as logins } from './0044-logins.js';
import { up as clicks } from './0045-clicks.js';
import { up as popups } from './0046-popups.js';
import { up as webhooks } from './0047-webhooks.js';
import { up as idempotency } from './0048-idempotency.js';
import { up as conferenceEnd } from './0049-conference-end.js';
import { up as callbackLimits } from './0050-callbacks.js';
import { up as holdEvents } from './0051-holds.js';
import { up as webMending } from './0053-web-mending.js';
import { up as popupPages } from './0054-popup-pages.js';
import { up as consulted, ahead as consultedAhead } from './0055-consulted.js';
import { up as firstTeam } from './0056-first-team.js';
import { up as choices } from './0058-choices.js';

/** One step of the schema. Append only: a migration that has left this machine is never edited. */
export interface Migration {
  /** Without file extension, so that source and compiled runs agree on what has been done. */
  readonly name: string;
  readonly sql: string;
  /** A query for what people should know of this step, a line in each row's `remark`; asked right after it. */
  readonly remarks?: string;
  /** Indexes that are built before it; its `sql` makes those that are not there yet. */
  readonly ahead?: readonly IndexAhead[];
}

export const migrations: readonly Migration[] = [
  { name: '0001-core', sql: core },
  { name: '0002-phone', sql: phone },
  { name: '0003-state-changes', sql: stateChanges },
  { name: '0004-telephone', sql: telephone },
  { name: '0005-language', sql: language },
  { name: '0006-words', sql: words },
  { name: '0007-a-nodes', sql: nodes },
  { name: '0007-b-records', sql: records },
  { name: '0007-c-events', sql: events },
  { name: '0008-nouns', sql: nouns },
  { name: '0010-changes', sql: changes },
  { name: '0011-phone-leases', sql: phoneLeases },
  { name: '0012-installation', sql: installation },
  { name: '0013-take-over', sql: takeOver },
  { name: '0014-generations', sql: generations },
  { name: '0015-token', sql: token },
  { name: '0016-outcomes', sql: outcomes },
  { name: '0017-away', sql: away },
  { name: '0018-numbers', sql: numbers },
  { name: '0020-waiting', sql: waiting, remarks: waitingRemarks },
  { name: '0021-destinations', sql: destinations },
  { name: '0022-hours', sql: hours, remarks: hoursRemarks },
  { name: '0023-ring-groups', sql: ringGroups },
  { name: '0024-queues', sql: queues },
  { name: '0025-story', sql: story },
  { name: '0026-did-rules', sql: didRules },
  { name: '0027-outbound', sql: outbound },
  { name: '0028-emergency', sql: emergency, remarks: emergencyRemarks },
  { name: '0029-state', sql: state },
  { name: '0030-calls-out', sql: callsOut },
  { name: '0031-limits', sql: limits },
  { name: '0032-trunks', sql: trunks },
  { name: '0034-places', sql: places, remarks: placesRemarks },
  { name: '0035-ways', sql: ways, remarks: waysRemarks },
  { name: '0036-callbacks', sql: callbacks },
  { name: '0037-call-keys', sql: callKeys },
  { name: '0038-holds', sql: holds, ahead: holdsAhead },
  { name: '0039-supervision', sql: supervision, remarks: supervisionRemarks },
  { name: '0040-rooms', sql: rooms },
  { name: '0041-features', sql: features },
  { name: '0042-call-commands', sql: callCommands },
  { name: '0043-api-tokens', sql: apiTokens },
  { name: '0044-logins', sql: logins },
  { name: '0045-clicks', sql: clicks },
  { name: '0046-popups', sql: popups },
  { name: '0047-webhooks', sql: webhooks },
  { name: '0048-idempotency', sql: idempotency },
  { name: '0049-conference-end', sql: conferenceEnd },
  { name: '0050-callbacks', sql: callbackLimits },
  { name: '0051-holds', sql: holdEvents },
  { name: '0053-web-mending', sql: webMending },
  { name: '0054-popup-pages', sql: popupPages },
  { name: '0055-consulted', sql: consulted, ahead: consultedAhead },
  { name: '0056-first-team', sql: firstTeam },
  { name: '0058-choices', sql: choices },
];
