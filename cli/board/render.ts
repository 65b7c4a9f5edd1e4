import type { AgentStatus, GroupStatus, TeamStatus } from '../../domain/monitor/status.js';
import { fitted, truncated, width } from '../display.js';
import { printable } from '../printable.js';

/** What the agents of the board can be sorted by, the key that does it, and what the last line says of it. */
export const sortings = {
  state: { key: 's' },
  number: { key: 'n' },
  since: { key: 't' },
} as const;
export type Sorting = keyof typeof sortings;

/** A line of the board: plain text, and how a terminal shows it. */
export interface Line {
  text: string;
  style?: 'title' | 'heading' | 'warning';
}

/** How the board is looked at. */
export interface View {
  columns: number;
  rows: number;
  sort: Sorting;
  /** Agents that have been scrolled past. */
  skip: number;
  /** What star64 rests on, and whether something of it is wrong. */
  health?: { text: string; wrong: boolean } | undefined;
  /** Why the status is not that of now. */
  trouble?: string | undefined;
}

export interface Board {
  lines: Line[];
  /** As in the view, but never past the last agent. */
  skip: number;
  /** How many agents are shown at once. */
  page: number;
}

/** The board of a team: never wider or longer than the terminal, whatever people and callers are called. */
export function renderBoard(team: string, status: TeamStatus | undefined, view: View): Board {
  const above: Line[] = [{ text: title(team, status), style: 'title' }];
  if (view.health !== undefined)
    above.push({ text: view.health.text, ...(view.health.wrong && { style: 'warning' as const }) });
  if (view.trouble !== undefined) above.push({ text: view.trouble, style: 'warning' });
  const below: Line[] = [
    { text: status ? `service level: ${status.serviceLevel.formula}, calls of today` : '' },
    { text: keys(view.sort) },
  ];
  const groups = [...(status?.groups ?? [])].sort(longestWaitFirst);
  const agents = [...(status?.agents ?? [])].sort(orders[view.sort]);
  // Two headings and the empty line between the tables.
  const room = Math.max(2, view.rows - above.length - below.length - 3);
  const groupRoom = Math.min(groups.length, Math.max(room - agents.length, Math.floor(room / 2)));
  const page = room - groupRoom;
  const skip = Math.max(0, Math.min(view.skip, agents.length - page));
  const at = status?.at ?? new Date(0);
  const lines = [
    ...above,
    ...table(groupColumns, groups.slice(0, groupRoom), at, view.columns),
    { text: hidden(groups.length - groupRoom, { first: skip + 1, last: skip + page, of: agents.length }) },
    ...table(agentColumns, agents.slice(skip, skip + page), at, view.columns),
  ].slice(0, Math.max(0, view.rows - below.length));
  const empty = Array.from({ length: Math.max(0, view.rows - lines.length - below.length) }, () => ({
    text: '',
  }));
  const all = [...lines, ...empty, ...below].slice(0, view.rows);
  return {
    lines: all.map(({ text, ...style }) => ({ text: truncated(printable(text), view.columns), ...style })),
    skip,
    page,
  };
}

function title(team: string, status: TeamStatus | undefined): string {
  if (!status) return team;
  const waiting = status.groups.reduce((sum, group) => sum + group.waiting, 0);
  const signedIn = status.agents.filter(({ state }) => state !== 'signed-out').length;
  const clock = status.at.toLocaleTimeString('en-GB', { timeZone: status.timeZone });
  return `${team}  ${clock}  ${waiting} waiting, ${signedIn} of ${status.agents.length} agents signed in`;
}

/** What does not fit on the board. */
function hidden(groups: number, agents: { first: number; last: number; of: number }): string {
  return [
    groups > 0 ? `${groups} more groups` : '',
    agents.last - agents.first + 1 < agents.of ? `agents ${agents.first}-${agents.last} of ${agents.of}` : '',
  ]
    .filter((text) => text !== '')
    .join(', ');
}

function keys(sort: Sorting): string {
  const names = Object.entries(sortings).map(([name, { key }]) =>
    name === sort ? `[${key}: ${name}]` : `${key}: ${name}`,
  );
  return `sort by ${names.join('  ')}   scroll: arrows, page keys   q: quit`;
}

interface Column<T> {
  heading: string;
  text: (row: T, at: Date) => string;
  align?: 'right';
  /** Columns that it always takes, so that the board does not jump when its contents change. */
  least?: number;
  /** Gives way when the terminal is too narrow. */
  shrinks?: true;
}

const groupColumns: readonly Column<GroupStatus>[] = [
  { heading: 'GROUP', text: ({ name }) => name, least: 12, shrinks: true },
  {
    heading: 'WAITING',
    // Those behind the + are called back.
    text: ({ waiting, callbacks }) => `${waiting}${callbacks > 0 ? ` +${callbacks}` : ''}`,
    align: 'right',
  },
  { heading: 'LONGEST', text: ({ waitingSince }, at) => since(waitingSince, at), align: 'right' },
  { heading: 'TALKING', text: ({ talking }) => String(talking), align: 'right' },
  { heading: 'SIGNED IN', text: ({ signedIn }) => String(signedIn), align: 'right' },
  {
    heading: 'SERVICE LEVEL',
    text: ({ serviceLevel, answered, abandoned }) =>
      serviceLevel === null ? '-' : `${serviceLevel.toFixed(1)} % of ${answered + abandoned}`,
    align: 'right',
    least: 15,
  },
];

const agentColumns: readonly Column<AgentStatus>[] = [
  { heading: 'AGENT', text: ({ number }) => number },
  { heading: 'NAME', text: ({ name }) => name, least: 12, shrinks: true },
  { heading: 'STATE', text: ({ state }) => state, least: 10 },
  { heading: 'SINCE', text: (agent, at) => since(agent.since, at), align: 'right', least: 6 },
  { heading: 'REASON', text: ({ reason }) => reason ?? '-', least: 10, shrinks: true },
  {
    heading: 'CALL',
    text: ({ callKind, group, caller }) =>
      [callKind === 'queue' ? null : callKind, group, caller].filter((part) => part !== null).join(' ') ||
      '-',
    least: 12,
    shrinks: true,
  },
];

const gap = 2;
/** No column gets narrower than this. */
const narrowest = 4;

function table<T>(columns: readonly Column<T>[], rows: readonly T[], at: Date, space: number): Line[] {
  const cells = rows.map((row) => columns.map(({ text }) => printable(text(row, at))));
  const widths = columns.map(({ heading, least }, index) =>
    Math.max(width(heading), least ?? 0, ...cells.map((row) => width(row[index] ?? ''))),
  );
  let excess = widths.reduce((sum, each) => sum + each + gap, -gap) - space;
  while (excess > 0) {
    const shrinking = widths.filter((each, index) => columns[index]?.shrinks && each > narrowest);
    if (shrinking.length === 0) break;
    const widest = widths.findIndex(
      (each, index) => columns[index]?.shrinks && each === Math.max(...shrinking),
    );
    widths[widest] = (widths[widest] ?? 0) - 1;
    excess--;
  }
  const line = (row: readonly string[]): string =>
    row
      .map((text, index) => fitted(text, widths[index] ?? 0, columns[index]?.align))
      .join(' '.repeat(gap))
      .trimEnd();
  return [
    { text: line(columns.map(({ heading }) => heading)), style: 'heading' },
    ...cells.map((row) => ({ text: line(row) })),
  ];
}

const stateOrder = ['ringing', 'talking', 'wrap-up', 'paused', 'idle', 'signed-out'] as const;

const byNumber = (a: AgentStatus, b: AgentStatus): number =>
  a.number.length - b.number.length || (a.number < b.number ? -1 : 1);
/** Longest first; who is signed out comes last. */
const bySince = (a: AgentStatus, b: AgentStatus): number =>
  time(a.since) === time(b.since) ? byNumber(a, b) : time(a.since) - time(b.since);
const orders: Record<Sorting, (a: AgentStatus, b: AgentStatus) => number> = {
  number: byNumber,
  since: bySince,
  state: (a, b) => stateOrder.indexOf(a.state) - stateOrder.indexOf(b.state) || bySince(a, b),
};

const longestWaitFirst = (a: GroupStatus, b: GroupStatus): number =>
  time(a.waitingSince) === time(b.waitingSince)
    ? a.name < b.name
      ? -1
      : 1
    : time(a.waitingSince) - time(b.waitingSince);

const time = (moment: Date | null): number => moment?.getTime() ?? Infinity;

/** How long ago a moment is, in at most six columns: `7s`, `2m05s`, `1h02m`, `3d04h`. */
function since(moment: Date | null, at: Date): string {
  if (moment === null) return '-';
  const seconds = Math.max(0, Math.floor((at.getTime() - moment.getTime()) / 1000));
  const two = (n: number): string => String(n).padStart(2, '0');
  if (seconds < 60) return `${seconds}s`;
  if (seconds < 3600) return `${Math.floor(seconds / 60)}m${two(seconds % 60)}s`;
  if (seconds < 86_400) return `${Math.floor(seconds / 3600)}h${two(Math.floor((seconds % 3600) / 60))}m`;
  return `${Math.floor(seconds / 86_400)}d${two(Math.floor((seconds % 86_400) / 3600))}h`;
}
