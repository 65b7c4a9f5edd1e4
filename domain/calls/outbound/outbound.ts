import { command } from '../../names.js';
import { writeClasses, type NumberClass } from '../../number-classes.js';
import type { CallerOut } from './caller-out.js';
import { noEmergencies, type EmergencyNumbers } from './emergency-numbers.js';
import type { Tell } from '../routing/opening.js';
import { limitInWords, noLimits, type CallCount, type CallLimits } from '../limits/limits.js';
import {
  extensionBehind,
  type ExtensionOut,
  type OutboundTeam,
  type TeamFacts,
  type UserGroupOut,
} from './outbound-team.js';
import { noTurns, stepsOf, wayNamed, type TrunkStep, type Turns, type Way } from './ways-out.js';

/** Why a number is not called. */
export type Refusal =
  /** Nobody has opened its class to who calls. */
  | 'class'
  /** The agent at the phone only takes calls. */
  | 'work-mode'
  | 'hours'
  | 'limit'
  | 'no-trunk'
  /** Who is at the phone cannot be found out now, and the number may be dear. */
  | 'unknown'
  /** It is no phone of the team that calls. */
  | 'nobody'
  /** What was dialled cannot be a number. */
  | 'number';

/** A number that a phone has dialled, or that the team itself calls. */
export interface OutboundQuestion {
  /** Without the outside prefix: digits, maybe with a + in front. */
  readonly dialled: string;
  /** Endpoint of the phone that pays; empty: the team itself does. */
  readonly endpoint: string;
  /** Whether the number of who calls is not to be shown. */
  readonly hidden: boolean;
  /** Milliseconds since 1970. */
  readonly instant: number;
  /** Asterisk's, of the channel that asks; none: somebody only wants to know, and no limit is used up. */
  readonly uniqueid?: string | undefined;
}

/** What else decides. Nothing of it waits. */
export interface Deciding {
  readonly facts: TeamFacts;
  readonly emergencies?: EmergencyNumbers;
  readonly limits?: CallLimits;
  readonly turns?: Turns;
  readonly tell?: Tell | undefined;
}

/** What is known of a call whatever becomes of it. */
export interface CallFacts {
  /** In its one form; null: it cannot be a number. */
  readonly number: string | null;
  readonly class: NumberClass | 'emergency' | null;
  /** Number of the extension that pays; null: the team does. */
  readonly extension: string | null;
  /** The user group whose trunk, right or hours decided; null: the team's. */
  readonly userGroup: string | null;
}

export type OutboundDecision = CallFacts &
  (
    | {
        readonly go: true;
        readonly number: string;
        readonly callerId: string | null;
        readonly hide: boolean;
        readonly record: boolean;
        readonly steps: readonly TrunkStep[];
        readonly counts: readonly CallCount[];
        readonly talks: { readonly member: string; readonly wrapUp: string } | null;
      }
    | {
        readonly go: false;
        readonly refused: Refusal;
        /** What to type so that it is not; null: nothing would help. */
        readonly opens: string | null;
      }
  );

/**
 * Whether a number is called, over which trunks, and as whom. Nothing is asked of anybody here. `caller`: the extension and
 * who is signed in there; null, the team has no such extension; undefined, nobody can say it now. Then it is decided by
 * what is in memory: national and mobile numbers as team and user group allow them, since an agent in work mode inbound who
 * calls out costs little; what may be dear is refused.
 */
export function decideOutbound(
  of: OutboundTeam,
  question: OutboundQuestion,
  caller: CallerOut | null | undefined,
  { facts, emergencies = noEmergencies, limits = noLimits, turns = noTurns, tell }: Deciding,
): OutboundDecision {
  const { team } = of;
  const { dialled, endpoint, hidden, instant } = question;
  const phone = endpoint === '' ? undefined : extensionBehind(of, endpoint);
  const extension = phone?.number ?? null;
  const known: CallFacts = { number: null, class: null, extension, userGroup: null };
  const refuse = (refused: Refusal, more: Partial<CallFacts> = {}, opens: string | null = null) => ({
    ...known,
    ...more,
    go: false as const,
    refused,
    opens,
  });

  if (endpoint !== '' && (!phone || caller === null)) {
    tell?.(`${endpoint} is no phone of team ${team}`);
    return refuse('nobody');
  }
  tell?.(payerInWords(of, phone, caller));
  const agent = phone ? (caller?.agent ?? null) : null;
  const talks = agent && { member: `PJSIP/${endpoint}`, wrapUp: agent.wrapUp };

  const emergency =
    emergencies.dialled(team, dialled) ?? emergencies.dialled(team, of.plan.withPlus(dialled));
  if (emergency !== undefined) {
    tell?.(
      `${dialled} is emergency number ${emergency}: no right and no limit is asked, and every trunk is tried`,
    );
    const steps = of.trunks.flatMap((way) => stepsOf(way, emergency, noTurns));
    const found = { ...known, number: emergency, class: 'emergency' as const };
    if (steps.length === 0) return refuse('no-trunk', found);
    const callerId = shownNumber(of, phone, steps, facts, tell);
    return { ...found, go: true, callerId, hide: false, record: false, steps, counts: [], talks };
  }

  const read = of.plan.read(dialled, of.area);
  if (!read) {
    const { opens, words } = unreadable(of, dialled);
    tell?.(words);
    return refuse('number', {}, opens);
  }
  const { number } = read;
  const own = of.classes.find(
    ({ beginning }) => number.startsWith(beginning) || (read.also?.startsWith(beginning) ?? false),
  );
  const numberClass = own?.class ?? read.class;
  tell?.(`${dialled} is ${number}`);
  tell?.(
    `its class is ${numberClass}: ${own ? `numbers that begin with ${own.beginning} have it (number-class)` : read.why}`,
  );
  const found = { number, class: numberClass };

  const ownDid = facts.did(team, number);
  if (ownDid !== undefined) {
    const words = `${number} is DID ${ownDid} of the team itself`;
    if (!phone) {
      tell?.(`${words}: a call that the team sends there would come back, and leave again`);
      return refuse('number', found);
    }
    tell?.(`${words}: the call comes back over a trunk; the number inside costs nothing`);
  }
  if (phone && of.outsidePrefix === null) {
    tell?.(`phones of team ${team} call nobody outside`);
    return refuse('class', found, teamCommand(team, '--outside-prefix 0'));
  }

  const groups = phone?.groups ?? [];
  const rightOf = groups.find(({ mayCall }) => mayCall !== null);
  const may = rightOf?.mayCall ?? of.mayCall;
  const whose = rightOf ? `user group ${rightOf.name}` : `team ${team}`;
  tell?.(`${whose} may call ${inWords(may)}`);
  if (!may.includes(numberClass)) {
    const opened = writeClasses([...may, numberClass]);
    const opens = rightOf
      ? command(team, `user-group set ${rightOf.name} --may-call ${opened}`)
      : teamCommand(team, `--may-call ${opened}`);
    return refuse('class', { ...found, userGroup: rightOf?.name ?? null }, opens);
  }
  if (agent && !(agent.mayCall?.includes(numberClass) ?? true)) {
    const { group, mayCall } = agent;
    tell?.(
      `agent ${agent.number} has group ${group ?? ''} as current group, which may call ${inWords(mayCall ?? [])}`,
    );
    const opened = writeClasses([...(mayCall ?? []), numberClass]);
    return refuse('class', found, command(team, `group set ${group ?? ''} --may-call ${opened}`));
  }
  if (agent?.mode === 'inbound') {
    tell?.(`agent ${agent.number} only takes calls: the work mode is inbound`);
    return refuse('work-mode', found, command(team, `group set ${agent.group ?? '<group>'} --work-mode all`));
  }
  if (phone && caller === undefined && (numberClass === 'international' || numberClass === 'premium')) {
    tell?.('who is signed in at the phone cannot be found out now, and such a number may be dear');
    return refuse('unknown', found);
  }

  const hoursOf = groups.find(({ hours }) => hours !== null);
  const state = hoursOf?.hours ? facts.hours(team, hoursOf.hours, instant) : undefined;
  if (hoursOf?.hours && state) {
    const { name, hours } = hoursOf;
    tell?.(
      `users of group ${name} call out in hours ${hours}, which are ${state.open ? 'open' : 'closed'} (${state.why})`,
    );
    if (!state.open)
      return refuse(
        'hours',
        { ...found, userGroup: name },
        command(team, `user-group set ${name} --no-hours`),
      );
  }

  const limited = { team, extension, class: numberClass, at: instant, call: question.uniqueid };
  const limit = limits.check(limited);
  if (limit) {
    tell?.(`a limit is reached: ${limitInWords(limit)}`);
    return refuse('limit', { ...found, userGroup: rightOf?.name ?? null });
  }

  const wayOf = groups.find(({ way }) => way !== null);
  const way = wayOf?.way ?? of.way;
  const userGroup = (wayOf ?? rightOf ?? hoursOf)?.name ?? null;
  const steps = way ? stepsOf(way, number, turns, tell) : [];
  tell?.(wayInWords(team, wayOf, way));
  if (steps.length === 0) {
    const opens = wayOf
      ? command(team, `user-group set ${wayOf.name} --trunk <name>`)
      : teamCommand(team, '--trunk <name>');
    return refuse('no-trunk', { ...found, userGroup }, opens);
  }
  const callerId = shownNumber(of, phone, steps, facts, tell);
  for (const [index, { trunk, sent }] of steps.entries())
    tell?.(`${index === 0 ? 'over' : 'else over'} trunk ${trunk.name} (${trunk.endpoint}), as ${sent}`);
  if (hidden) tell?.('the number of who calls is hidden (*31)');
  const record = (phone?.record ?? of.record) === 'always';
  const counts = limits.counts(limited);
  return { ...known, ...found, userGroup, go: true, callerId, hide: hidden, record, steps, counts, talks };
}

/** The number that who is called sees: the nearest to the phone that says one, of those that are still the team's. */
export function shownNumber(
  of: OutboundTeam,
  phone: ExtensionOut | undefined,
  steps: readonly TrunkStep[],
  facts: TeamFacts,
  tell: Tell | undefined,
): string | null {
  const said: [whose: string, number: string | null][] = [
    [`extension ${phone?.number ?? ''}`, phone?.callerId ?? null],
    ...(phone?.groups ?? []).map(({ name, callerId }): [string, string | null] => [
      `user group ${name}`,
      callerId,
    ]),
    [`team ${of.team}`, of.callerId],
    ...steps.map(({ trunk }): [string, string | null] => [`trunk ${trunk.name}`, trunk.callerId]),
  ];
  for (const [whose, number] of said) {
    if (number === null) continue;
    if (facts.did(of.team, number) !== undefined) {
      tell?.(`${number} is shown (caller ID of ${whose})`);
      return number;
    }
    tell?.(`${number} is not shown: it is no DID of team ${of.team} any more (caller ID of ${whose})`);
  }
  tell?.('no number of the team is shown: the trunk says one');
  return null;
}

function payerInWords(
  of: OutboundTeam,
  phone: ExtensionOut | undefined,
  caller: CallerOut | null | undefined,
): string {
  if (!phone) return `team ${of.team} itself pays`;
  const user = caller ? ` of user ${caller.user}` : '';
  const names = phone.groups.map(({ name }) => name);
  const groups =
    names.length === 0 ? '' : `, in user group${names.length > 1 ? 's' : ''} ${names.join(', ')}`;
  const at = caller?.agent
    ? `; agent ${caller.agent.number} is signed in there${caller.agent.group === null ? '' : `, for group ${caller.agent.group}`}`
    : '';
  return `extension ${phone.number}${user}${groups}${at}`;
}

const teamCommand = (team: string, options: string): string => `\`star64 team set ${team} ${options}\``;

const inWords = (classes: readonly NumberClass[]): string =>
  classes.length === 0 ? 'nobody outside' : `${classes.join(', ')} numbers`;

function wayInWords(team: string, group: UserGroupOut | undefined, way: Way | null): string {
  if (!way) return `team ${team} has no trunk`;
  return `the call goes over ${wayNamed(way)} (of ${group ? `user group ${group.name}` : `team ${team}`})`;
}

function unreadable(of: OutboundTeam, dialled: string): { words: string; opens: string | null } {
  const local = /^[0-9]{4,15}$/.test(dialled) && of.area === null && of.plan.country !== null;
  return local
    ? {
        words: `${dialled} has no area code, and team ${of.team} has none either`,
        opens: teamCommand(of.team, '--area <code>'),
      }
    : { words: `${dialled} cannot be a number`, opens: null };
}
