import { hash } from 'node:crypto';
import { callActions, type CallAction } from '../../../domain/provisioning/features/call-key.js';
import { destinationFeatures, type Feature } from '../../../domain/provisioning/features/feature-code.js';
import { deviceOf, lampOf, memberOf, queueOf, wordFor } from '../../queue/names.js';
import type { DestinationKind } from '../../../domain/destination.js';
import { restsOf } from './did-rows.js';
import { inCallModel } from './call-keys.js';
import { exitsOf, keysOf } from './exits.js';
import { emergencyModel } from '../outside/emergency.js';
import { hoursModel } from './hours-model.js';
import { closedModel, endOf, placeIn } from './places.js';
import { factsOf, outsideModel } from './outside-model.js';
import { ringGroupNumbers, ringGroupsModel } from './ring-groups.js';
import { roomsModel } from './rooms.js';
import type { NodeRows } from './rows.js';
import type { TeamRows } from './team-rows.js';
import type { MenuRow } from './slots.js';
import { trunkModel } from '../outside/trunks.js';
import { waysModel } from '../outside/ways.js';

/** What beside the database decides the text of the generated files. */
export interface GenerateSettings {
  /** The Asterisk that reads the files: teams of other nodes are not in them. */
  node: string;
  /** Where the operator's files look for ours. */
  directory: string;
  /** `host:port` of each server, in the order in which Asterisk asks them. Addresses: a name that hangs in DNS holds a call. */
  servers: readonly string[];
  token: string;
  /** The Asterisk that the files are for, as far as that was said; `apply` asks the running one. */
  version?: string | undefined;
  /** `password_digest` needs Asterisk 20.12, 21.7 or 22.2; older ones read `md5_cred`. */
  passwordDigest: boolean;
  /** What a phone hears when no server answers: sounds joined by `&`. */
  nobodyAnswers: string;
}

/** Seconds that one server has to answer while a caller waits. */
export const callerSeconds = 2;

/** Features that take digits, dialled with the code or asked for. */
const takingDigits: ReadonlySet<Feature> = new Set([
  'sign-in',
  'pause',
  'work-mode',
  'current-group',
  'waiting',
  'hours-switch',
  'agent-control',
]);

/** Features that listen to a call, by their words in star64-supervise. */
const supervising: ReadonlySet<Feature> = new Set(['listen', 'whisper', 'barge']);

export type TeamModel = ReturnType<typeof teamModel>;

/** What the templates of one team are given. */
export function teamModel(
  rows: TeamRows,
  { passwordDigest, node }: Pick<GenerateSettings, 'passwordDigest' | 'node'>,
  formsOf: NodeRows['formsOf'],
) {
  const { identity, language, rtpTimeout, rtpTimeoutHold } = rows;
  const groups = rows.groups.map((group) => ({
    ...group,
    ...closedModel(identity, group, endOf(identity, 'normal')),
    queue: queueOf(identity, group.name),
    greeting: group.greeting ?? '',
    musicClass: group.musicClass ?? '',
    hasKeys: keysOf(group.slots).length > 0 || group.callbackKey !== null,
    callbackKey: group.callbackKey === null ? '' : String(group.callbackKey),
    callbackSound: group.callbackSound ?? '',
    announces: group.announcePosition || group.announceWait,
    answered: answeredBy(group, group.record === 'always' ? `,${identity},${node}` : ''),
  }));
  const named = rows.extensions.map(({ number, kind, telephone, endpoint, record }) => ({
    number,
    kind,
    telephone,
    recorded: (record ?? rows.record) === 'always',
    name: { team: identity, extension: number, extensionKind: kind, endpoint },
  }));
  const facts = factsOf(rows);
  const shows = (number: string): boolean => facts.did(identity, number) !== undefined;
  const hours = rows.hours.map((one) => hoursModel(identity, rows.overlap, one));
  const byNumber = new Map(named.map((one) => [one.number, one]));
  /** The names of all of a kind to which calls are sent. */
  const led = (kind: DestinationKind): Set<string> =>
    new Set(
      [
        rows.slots,
        ...rows.ruleSlots,
        ...[
          rows.dids,
          rows.prefixes,
          rows.groups,
          rows.ringGroups,
          rows.announcements,
          rows.menus,
          rows.hours,
        ]
          .flat()
          .map(({ slots }) => slots),
      ]
        .flatMap((slots) => Object.values(slots))
        .filter((to) => to.kind === kind)
        .map(({ name }) => name)
        .sort(),
    );
  return {
    identity,
    node,
    followsCalls: rows.groups.some(({ directCalls }) => directCalls !== 'none'),
    language: language ?? '',
    rtpTimeout,
    rtpTimeoutHold,
    passwordDigest,
    callerSeconds,
    extensions: named
      .filter(({ kind }) => kind === 'sip' || rows.out.way !== null)
      .map(({ number, name, recorded }) => ({
        number,
        device: deviceOf(name),
        dial: memberOf(name),
        recorded,
      })),
    telephones: named.flatMap(({ number, telephone }) =>
      telephone === null || rows.out.way === null ? [] : [{ number, ...outsideModel(rows, telephone) }],
    ),
    callers: rows.callers.flatMap(({ endpoint, digits, extension }) => {
      const called = byNumber.get(extension);
      return called ? [{ digest: callDigest(endpoint, digits), phone: wordFor(called.name) }] : [];
    }),
    // Telephones of a team without a trunk or trunk group.
    unreachable: named
      .filter(({ kind }) => kind === 'external' && rows.out.way === null)
      .map(({ number }) => ({ number })),
    lamps: named.map(({ number, name }) => ({ number, lamp: lampOf(name) })),
    // Who calls an agent is sent to them, and who hides their number to whom they call: neither is a question of its own.
    // And administrators are at a phone.
    features: destinationFeatures.filter((feature) => feature !== 'call-agent'),
    phones: rows.extensions.flatMap(({ number, secret }) =>
      secret === null ? [] : [phone(`${identity}-${number}`, number, secret)],
    ),
    ways: waysModel(identity, rows.record, rows.ways, shows),
    hidingCodes: rows.codes
      .filter(({ feature }) => feature === 'hide-number')
      .map(({ code }) => ({
        code,
        length: String(code.length + (rows.ways?.rows.outsidePrefix.length ?? 0)),
      })),
    codes: rows.codes
      .filter(({ feature }) => feature !== 'hide-number')
      .map(({ code, feature }) => ({
        code,
        feature,
        takesDigits: takingDigits.has(feature),
        callsAgent: feature === 'call-agent',
        supervises: supervising.has(feature),
        length: String(code.length),
      })),
    inCall: inCallModel(identity, rows.callKeys),
    callKeys: keyed(rows.callKeys),
    fallback: rows.slots['transfer-fallback'] ? placeIn(identity, rows.slots, 'transfer-fallback') : '',
    ownEndpoints: rows.extensions.flatMap(({ number, endpoint }) =>
      endpoint === null ? [] : [{ number, endpoint }],
    ),
    groups,
    endingGroups: groups.filter(({ conferenceEnd }) => conferenceEnd),
    callbackGroups: groups.filter(({ callbackKey }) => callbackKey !== ''),
    numberedGroups: groups.filter(({ number, leaving }) => number !== null && !leaving),
    ...exitsOf(identity, groups),
    dids: rows.dids.map(({ number, hours, slots }) => ({
      number,
      ...closedModel(identity, { hours, slots }),
      forms: formsOf(rows, number).inTeam,
      destination: placeIn(identity, slots, 'to'),
    })),
    prefixes: rows.prefixes.map(({ number, inTeam, hours, slots }) => ({
      number,
      ...closedModel(identity, { hours, slots }),
      rests: restsOf(number),
      forms: inTeam.map((form) => ({ form, length: String(form.length) })),
      destination: placeIn(identity, slots, 'to'),
    })),
    emergency: emergencyModel(rows.emergency, {
      codes: rows.codes,
      numbers: new Set([
        ...rows.extensions.map(({ number }) => number),
        ...rows.groups.flatMap(({ number }) => number ?? []),
        ...rows.ringGroups.map(({ number }) => number),
        ...rows.rooms.map(({ number }) => number),
        ...rows.hours.flatMap(({ number }) => number ?? []),
      ]),
      shows,
    }),
    timeZone: rows.timeZone,
    hours,
    numberedHours: hours.filter(({ number }) => number !== null),
    ringGroups: ringGroupsModel(identity, rows.record, rows.ringGroups),
    ringNumbers:
      rows.out.way === null ? [] : ringGroupNumbers(rows.ringGroups, (number) => outsideModel(rows, number)),
    rooms: roomsModel(rows.rooms),
    announcements: rows.announcements.map(({ name, sound, times, slots }) => ({
      name,
      sound,
      times: String(times),
      then: placeIn(identity, slots, 'then'),
    })),
    menus: rows.menus.map((menu) => menuModel(identity, menu)),
    trunks: rows.trunks.map((trunk) => trunkModel(identity, passwordDigest, trunk)),
    fixedAgents: [...rows.fixedAgents].map(([number, extension]) => ({ number, extension })),
    outside: [...led('outside')].map((number) => outsideModel(rows, number)),
  };
}

/** What is keyed for each action; disabled: nothing. */
const keyed = (rows: TeamRows['callKeys']): Record<CallAction, string> =>
  Object.fromEntries(
    callActions.map((action) => [action, rows.find((row) => row.action === action)?.keys ?? '']),
  ) as Record<CallAction, string>;

/** A menu as star64-menu needs it: the keys that lead somewhere, and each place by its label. */
function menuModel(team: string, { name, sound, seconds, tries, slots }: MenuRow) {
  const keys = keysOf(slots);
  return {
    name,
    sound,
    seconds: String(seconds),
    tries: String(tries),
    keys: keys.join(''),
    places: keys.map((key) => ({ key, place: placeIn(team, slots, `key-${key}`) })),
    timeout: placeIn(team, slots, 'timeout'),
    wrong: placeIn(team, slots, slots['wrong'] ? 'wrong' : 'timeout'),
  };
}

/**
 * What star64-answered is told: the number to say to the agent, whether the caller hears the agent's, and what records
 * the conversation. Empty: nothing to do. Where callers are called back, it has them called.
 */
function answeredBy(
  { announceAgent, announceCall, number, callbackKey }: Omit<TeamRows['groups'][number], 'record'>,
  recorded: string,
): string {
  if (!announceAgent && !announceCall && recorded === '' && callbackKey === null) return '';
  return `${announceCall ? (number ?? '') : ''},${announceAgent ? 'yes' : ''}${recorded}`;
}

/**
 * A trunk and the number of who calls over it as one word, as star64-phone-of makes it: with a digest no names that
 * Asterisk takes for one, such as a-b and ab as extensions, are mixed up.
 */
const callDigest = (endpoint: string, digits: string): string => hash('md5', `${endpoint}:${digits}`);

/** The realm is part of the digest and fixed in pjsip.conf.hbs, so that an operator's default realm does not matter. */
function phone(endpoint: string, number: string, secret: string) {
  return { endpoint, number, digest: hash('md5', `${endpoint}:star64:${secret}`) };
}
