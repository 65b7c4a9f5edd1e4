import type { DiallingPlan, NumberFormat } from '../../dialling-plan.js';
import type { TrunkStrategy } from '../../provisioning/nouns/trunk-group.js';
import type { Tell } from '../routing/opening.js';

/** SIP answers that are about the trunk and not about who is called: after these the next trunk is tried. */
export const nextOnUnlessSaid: readonly string[] = ['401', '402', '403', '407', '408', '488', '5xx'];

/** A trunk, as far as a call matters that goes out over it. */
export interface TrunkOut {
  readonly id: number;
  readonly name: string;
  readonly endpoint: string;
  readonly country: string | null;
  /** Of its country. */
  readonly plan: DiallingPlan;
  readonly format: NumberFormat;
  /** The most calls at a time; null: any number. */
  readonly channels: number | null;
  readonly replySeconds: number;
  readonly nextOn: readonly string[];
  readonly callerId: string | null;
}

/** What is done with numbers that begin so. */
export interface TrunkRule {
  readonly beginning: string;
  readonly refused: boolean;
  readonly strip: number;
  readonly added: string;
}

export interface TrunkGroupOut {
  readonly id: number;
  readonly name: string;
  readonly strategy: TrunkStrategy;
  /** In their order. */
  readonly trunks: readonly TrunkOut[];
  /** The longest beginning first. */
  readonly rules: readonly TrunkRule[];
}

/** Over what calls go: one trunk, or a group of them. */
export type Way = { readonly trunk: TrunkOut } | { readonly group: TrunkGroupOut };

/** One trunk that is tried, and what it is sent. */
export interface TrunkStep {
  readonly trunk: TrunkOut;
  readonly sent: string;
}

/** Which of the trunks of a group is first: of round-robin the next at each call, of random any. */
export interface Turns {
  next(group: TrunkGroupOut): number;
}

/** Counted in memory: each server goes round by itself. */
export class TurnsInMemory implements Turns {
  readonly #next = new Map<number, number>();

  next({ id, strategy, trunks }: TrunkGroupOut): number {
    if (strategy === 'random') return Math.floor(Math.random() * trunks.length);
    const turn = this.#next.get(id) ?? 0;
    this.#next.set(id, (turn + 1) % Number.MAX_SAFE_INTEGER);
    return turn;
  }
}

/** For who only asks: nobody's turn passes. */
export const noTurns: Turns = { next: () => 0 };

/** How a way is called in messages. */
export const wayNamed = (way: Way): string =>
  'trunk' in way ? `trunk ${way.trunk.name}` : `trunk group ${way.group.name}`;

/**
 * The trunks over which a number goes, in the order in which they are tried, each with the number as it is sent. None: a
 * rule of the group refuses the number, or the group has no trunks.
 */
export function stepsOf(way: Way, number: string, turns: Turns, tell?: Tell): TrunkStep[] {
  if ('trunk' in way) {
    const { trunk } = way;
    return [{ trunk, sent: sentOver(trunk, number) }];
  }
  const { group } = way;
  const rule = group.rules.find(({ beginning }) => number.startsWith(beginning));
  if (rule) tell?.(`of trunk group ${group.name} ${ruleInWords(rule)}`);
  if (rule?.refused) return [];
  const ordered = inOrder(group, turns);
  if (ordered.length === 0) tell?.(`trunk group ${group.name} has no trunks`);
  const changed = rule && (rule.strip > 0 || rule.added !== '');
  // A number that a rule has made is sent as it is then, whatever the trunk's format.
  return ordered.map((trunk) => ({
    trunk,
    sent: changed ? rule.added + number.slice(rule.strip) : sentOver(trunk, number),
  }));
}

/** The number as a trunk is sent it. */
export const sentOver = ({ plan, format }: TrunkOut, number: string): string => plan.written(number, format);

function inOrder(group: TrunkGroupOut, turns: Turns): readonly TrunkOut[] {
  const { strategy, trunks } = group;
  if (strategy === 'priority' || trunks.length < 2) return trunks;
  const first = turns.next(group) % trunks.length;
  const turned = [...trunks.slice(first), ...trunks.slice(0, first)];
  if (strategy === 'round-robin') return turned;
  // Of random the rest is mixed, too: where the first fails, its calls are shared out among all others.
  const [one, ...rest] = turned;
  for (let at = rest.length - 1; at > 0; at--) {
    const other = Math.floor(Math.random() * (at + 1));
    [rest[at], rest[other]] = [rest[other] as TrunkOut, rest[at] as TrunkOut];
  }
  return [one as TrunkOut, ...rest];
}

function ruleInWords({ beginning, refused, strip, added }: TrunkRule): string {
  const which = beginning === '' ? 'the rule for every number' : `the rule for ${beginning}`;
  if (refused) return `${which} refuses it`;
  const does = [
    ...(strip > 0 ? [`takes ${strip} characters away in front`] : []),
    ...(added === '' ? [] : [`puts ${added} there`]),
  ];
  return `${which} ${does.length === 0 ? 'lets it through as it is' : does.join(' and ')}`;
}
