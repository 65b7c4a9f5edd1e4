import type { LimitStatus, RefusedCalls } from '../domain/monitor/outbound-status.js';
import type { AgentStatus, GroupStatus, TeamStatus } from '../domain/monitor/status.js';
import type { Health } from '../pbx/health.js';

/** One line of the table that a program reads. */
export interface StatusRow {
  kind:
    | 'server'
    | 'asterisk'
    | 'generation'
    | 'lease'
    | 'phone'
    | 'module'
    | 'group'
    | 'agent'
    | 'room'
    | 'limit'
    | 'refused';
  name: string;
  state?: string;
  since?: string;
  [column: string]: unknown;
}

export const statusColumns = [
  ...['kind', 'name', 'state', 'since', 'waiting', 'waitingSince', 'talking', 'signedIn', 'serviceLevel'],
  ...['person', 'extension', 'reason', 'callKind', 'group', 'caller', 'refused', 'callbacks'],
] as const;

/** A moment for people: on the clock of the team. */
export const localTime = (moment: Date | null, timeZone: string): string | null =>
  moment && moment.toLocaleString('sv-SE', { timeZone });

/** 87.5 %; null before the first call. */
const percent = (level: number | null): string | null => (level === null ? null : `${level} %`);

export const groupView = (group: GroupStatus, timeZone: string) => ({
  ...group,
  waitingSince: localTime(group.waitingSince, timeZone),
  serviceLevel: percent(group.serviceLevel),
});

export const agentView = (agent: AgentStatus, timeZone: string) => ({
  ...agent,
  since: localTime(agent.since, timeZone),
});

/** A limit that is reached: whose, which, since when, and how many calls it has kept in. */
export const limitView = (
  { of, name, limit, most, atNight, since, refused }: LimitStatus,
  timeZone: string,
) => ({
  name: of === 'user-group' ? `user group ${name}` : `${of} ${name}`,
  state: `${limit} ${most}${atNight ? ' at night' : ''}`,
  since: localTime(since, timeZone) ?? '',
  refused,
});

/** What was refused in the last hour, in a sentence; undefined: nothing was. */
export function refusedSentence(refused: readonly RefusedCalls[]): string | undefined {
  if (refused.length === 0) return undefined;
  const total = refused.reduce((sum, { calls }) => sum + calls, 0);
  const reasons = refused.map(({ reason, calls }) => `${calls} for ${reason}`);
  return `in the last hour ${total} ${total === 1 ? 'call' : 'calls'} to the outside ${total === 1 ? 'was' : 'were'} refused: ${reasons.join(', ')}; star64 call list says which`;
}

/** The machinery in a few words, for the first lines on a terminal. */
export function healthView({
  servers,
  asterisk,
  reason,
  generation,
  leaseSeconds,
  unreachable,
  rooms,
}: Health) {
  const dead = servers.filter(({ answers }) => !answers).map(({ address }) => address);
  return {
    servers: `${servers.length - dead.length} of ${servers.length} answer${dead.length > 0 ? `, not ${dead.join(', ')}` : ''}`,
    asterisk: reason === null ? asterisk : `${asterisk}: ${reason}`,
    files: generation && `${generation.name}, ${generation.loaded ? 'loaded' : 'not loaded by Asterisk'}`,
    lease: leaseSeconds && `${leaseSeconds} s`,
    unreachable: unreachable.map(({ agent, device }) => `agent ${agent} at ${device}`),
    rooms:
      rooms === 'missing'
        ? 'Asterisk has not loaded app_confbridge.so: nobody gets into a conference room'
        : rooms &&
          rooms.map(
            ({ number, parties, locked }) => `${number}: ${parties} in it${locked ? ', locked' : ''}`,
          ),
  };
}

/** The machinery in one line, and whether something of it is wrong. */
export function healthLine({
  servers,
  asterisk,
  generation,
  leaseSeconds,
  unreachable,
  rooms,
  emergencyNotLoaded,
}: Health): {
  text: string;
  wrong: boolean;
} {
  const up = servers.filter(({ answers }) => answers).length;
  const parts = [`servers ${up} of ${servers.length}`, `Asterisk ${asterisk}`];
  if (generation) parts.push(`files ${generation.loaded ? 'loaded' : 'not loaded'}`);
  if (leaseSeconds !== null) parts.push(leaseSeconds > 0 ? `lease ${leaseSeconds} s` : 'no lease');
  if (unreachable.length > 0) parts.push(`unreachable: ${unreachable.map(({ agent }) => agent).join(', ')}`);
  if (rooms === 'missing') parts.push('no conference rooms');
  if (emergencyNotLoaded?.length) parts.push(`not in Asterisk: ${emergencyNotLoaded.join(', ')}`);
  return {
    text: parts.join('   '),
    wrong:
      up < servers.length ||
      asterisk === 'away' ||
      generation?.loaded === false ||
      leaseSeconds === 0 ||
      unreachable.length > 0 ||
      rooms === 'missing' ||
      (emergencyNotLoaded ?? []).length > 0,
  };
}

/** Everything as one table. */
export function statusRows(
  { timeZone, groups, agents, limits, refusedCalls }: TeamStatus,
  health: Health,
  node: string,
): StatusRow[] {
  const { servers, asterisk, reason, generation, leaseSeconds, unreachable, rooms } = health;
  return [
    ...servers.map(({ address, answers }) => ({
      kind: 'server' as const,
      name: address,
      state: answers ? 'answers' : 'silent',
    })),
    { kind: 'asterisk', name: node, state: asterisk, reason },
    ...(generation
      ? [
          {
            kind: 'generation' as const,
            name: generation.name,
            state: generation.loaded ? 'loaded' : 'not-loaded',
          },
        ]
      : []),
    ...(leaseSeconds === null
      ? []
      : [{ kind: 'lease' as const, name: node, state: leaseSeconds > 0 ? 'held' : 'none' }]),
    ...unreachable.map(({ agent, device, extension }) => ({
      kind: 'phone' as const,
      name: device,
      state: 'unreachable',
      extension,
      person: agent,
    })),
    ...(rooms === 'missing'
      ? [{ kind: 'module' as const, name: 'app_confbridge.so', state: 'missing' }]
      : []),
    ...groups.map((group) => ({ kind: 'group' as const, ...groupView(group, timeZone) })),
    ...agents.map((agent) => {
      const { number, name: person, since, ...rest } = agentView(agent, timeZone);
      return { kind: 'agent' as const, ...rest, name: number, person, since: since ?? '' };
    }),
    ...(Array.isArray(rooms) ? rooms : []).map(({ number, parties, locked }) => ({
      kind: 'room' as const,
      name: number,
      state: locked ? 'locked' : 'open',
      talking: parties,
    })),
    ...limits.map((limit) => ({ kind: 'limit' as const, ...limitView(limit, timeZone) })),
    ...refusedCalls.map(({ reason, calls }) => ({ kind: 'refused' as const, name: reason, refused: calls })),
  ];
}
