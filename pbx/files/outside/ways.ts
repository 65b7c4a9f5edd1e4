import { hash } from 'node:crypto';
import { nextOnUnlessSaid } from '../../../domain/calls/outbound/ways-out.js';
import type { RecordRule } from '../../../domain/provisioning/fields/record.js';
import { bare } from '../../../domain/telephone-numbers.js';
import type { DialledForms } from './dialled-forms.js';
import type { TrunkRow, UserGroupRow, WayRow, WaysRow } from './ways-rows.js';

/** What reckoning a team's ways needs of countries. */
export interface WayPlans {
  /** How its phones dial. */
  dialled: DialledForms;
  /** How trunks of a country are sent numbers; null: of none. */
  trunks: ReadonlyMap<string | null, DialledForms>;
  /** Beginnings that are surely national or mobile at home, in the form in which numbers are kept. */
  sure: readonly { beginning: string; class: string }[];
}

/**
 * How calls go outside when no server answers: what was dialled in the form in which numbers are kept, who may call over which
 * ways, and of each way the beginnings of numbers and the trunks for them. What is not surely national or mobile is not there.
 */
export function waysModel(
  team: string,
  recordRule: RecordRule,
  given: { rows: WaysRow; plans: WayPlans } | undefined,
  /** Whether a number is the team's, so that it may be shown. */
  shows: (number: string) => boolean,
) {
  if (!given) return undefined;
  const { rows, plans } = given;
  const { dialled } = plans;
  const own = new Map(rows.classes.map((one) => [dialled.beginning(one.beginning), one.class]));
  // What the team says of numbers holds for all of them, whatever the tables know of some.
  const classes = new Map([
    ...plans.sure
      .filter(({ beginning }) => ![...own.keys()].some((one) => beginning.startsWith(one)))
      .map((one): [string, string] => [one.beginning, one.class]),
    ...own,
  ]);
  const ways = new Map<string, WayModel>();
  const payers = rows.payers.map(({ number, endpoint, callerId, record, userGroups, atOnce }) => {
    const wayOf = userGroups.find(({ way }) => way !== null);
    const rightOf = userGroups.find(({ mayCall }) => mayCall !== null);
    const name = nameOf(team, wayOf, rightOf);
    const way = wayOf?.way ?? rows.way;
    if (way && !ways.has(name))
      ways.set(name, wayModel(name, way, rightOf?.mayCall ?? rows.mayCall, classes, plans.trunks));
    return {
      number,
      // By a digest, since an extension's name is the same to Asterisk with a hyphen and without.
      key: hash('md5', endpoint ?? `${team}-${number}`),
      ways: way ? name : '',
      // In the order of `shownNumber`.
      callerId:
        [
          callerId,
          ...userGroups.map((group) => group.callerId),
          rows.callerId,
          ...(way?.trunks ?? []).map((trunk) => trunk.callerId),
        ].find((one) => one !== null && shows(one)) ?? '',
      hours: userGroups.find(({ hours }) => hours !== null)?.hours ?? '',
      options: (record ?? recordRule) === 'always' ? 'r' : '',
      counts: countsOf(rows.atOnce, { number, atOnce }, userGroups),
    };
  });
  return {
    prefix: rows.outsidePrefix,
    prefixLength: String(rows.outsidePrefix.length),
    dialled: [
      ...dialled.patterns(rows.area),
      // Short numbers that the team knows.
      ...[...classes.keys()]
        .filter((one) => !one.startsWith('+'))
        .flatMap((one) => [one, `_${one}X.`].map((pattern) => ({ pattern, added: '', strip: '0' }))),
    ],
    payers,
    ways: [...ways.values()].sort((a, b) => (a.name < b.name ? -1 : 1)),
  };
}

/**
 * The most calls at a time as star64-trunks reads them, under the names that the server gives them (`CallCount`). By night as by
 * day: which share of them may be used at night only a server knows.
 */
export function countsOf(
  team: number | null,
  extension?: { number: string; atOnce: number | null },
  userGroups: readonly Pick<UserGroupRow, 'name' | 'atOnce'>[] = [],
): CountModel[] {
  const group = userGroups.find(({ atOnce }) => atOnce !== null);
  return [
    [`extension-${extension?.number ?? ''}`, extension?.atOnce ?? null] as const,
    [`group-${group?.name ?? ''}`, group?.atOnce ?? null] as const,
    ['team', team] as const,
  ].flatMap(([name, most]) => (most === null ? [] : [{ name, most: String(most) }]));
}

interface CountModel {
  name: string;
  most: string;
}

interface WayModel {
  name: string;
  mayCall: string;
  beginnings: { beginning: string; class: string; steps: StepModel[] }[];
}

interface StepModel {
  endpoint: string;
  /** What is put before the number, of which so many characters are left out. */
  added: string;
  strip: string;
  channels: string;
  replySeconds: string;
  nextOn: string;
}

/** The context of a way: that of the team alone, or with the user groups whose trunks and rights they are. */
function nameOf(team: string, way: UserGroupRow | undefined, right: UserGroupRow | undefined): string {
  if (!way && !right) return `${team}-ways`;
  // No group begins with a digit.
  if (!way) return `${team}-ways-0-${right?.name ?? ''}`;
  return `${team}-ways-${way.name}${right && right !== way ? `-${right.name}` : ''}`;
}

function wayModel(
  name: string,
  { trunks, rules }: WayRow,
  mayCall: string,
  classes: ReadonlyMap<string, string>,
  plans: ReadonlyMap<string | null, DialledForms>,
): WayModel {
  const may: readonly string[] = mayCall.split(',').filter((one) => one === 'national' || one === 'mobile');
  const longest = <T>(number: string, all: Iterable<readonly [string, T]>): T | undefined =>
    [...all]
      .filter(([beginning]) => number.startsWith(beginning))
      .sort(([a], [b]) => b.length - a.length)[0]?.[1];
  const byRule = rules.map((rule) => [rule.beginning, rule] as const);
  // A rule of the group may hold for some of the numbers that a class has.
  const beginnings = new Set([...classes.keys(), ...rules.map(({ beginning }) => beginning)]);
  return {
    name,
    mayCall: may.join(','),
    beginnings: [...beginnings].sort().flatMap((beginning) => {
      const found = longest(beginning, classes);
      if (found === undefined) return [];
      const rule = longest(beginning, byRule);
      const open = may.includes(found) && !(rule?.refused ?? false);
      const changed = rule !== undefined && (rule.strip > 0 || rule.added !== '');
      const steps = open
        ? trunks.map((trunk) => ({
            endpoint: trunk.endpoint,
            ...(changed
              ? { added: rule.added, strip: String(rule.strip) }
              : sentAs(trunk, beginning, plans.get(trunk.country))),
            channels: String(trunk.channels ?? 0),
            replySeconds: String(trunk.replySeconds),
            nextOn: (trunk.nextOn?.split(',') ?? nextOnUnlessSaid).join('.'),
          }))
        : [];
      return [{ beginning, class: found, steps }];
    }),
  };
}

/** A number that begins so, as a trunk is sent it. */
function sentAs(
  { format }: TrunkRow,
  beginning: string,
  plan: DialledForms | undefined,
): { added: string; strip: string } {
  if (!beginning.startsWith('+') || format === 'e164') return { added: '', strip: '0' };
  if (format === 'plain') return { added: '', strip: '1' };
  const home = plan?.code;
  if (format === 'national' && home !== undefined && bare(beginning).startsWith(home))
    return { added: plan?.trunkPrefix ?? '', strip: String(1 + home.length) };
  return { added: plan?.beforeAbroad ?? '00', strip: '1' };
}
