import type { CallOutCost, CallOutResult } from './calls-out.js';
import type { CallResult } from './calls.js';
import { responders, type AgiResult } from './fastagi.js';
import { short, type Quantiles } from './numbers.js';
import type { PhoneResult } from './phone.js';
import type { QuestionResult } from './questions.js';

export interface Machine {
  cpu: string;
  cores: number;
  node: string;
  kernel: string;
}

/** All that was measured; a part that was not asked for is missing. */
export interface Results {
  machine: Machine;
  fastAgi?: AgiResult[];
  questions?: QuestionResult;
  calls?: CallResult[];
  out?: CallOutResult;
  phones?: PhoneResult;
}

/** The results as Markdown, as they stand in the README. */
export function tables({ machine, fastAgi, questions, calls, out, phones }: Results): string {
  const parts = [`${machine.cpu}, ${machine.cores} cores, Node ${machine.node}, Linux ${machine.kernel}`];
  if (fastAgi) parts.push(fastAgiTable(fastAgi));
  if (questions) parts.push(questionTable(questions));
  if (calls) parts.push(callTable(calls));
  if (out) parts.push(callOutTable(out));
  if (phones) parts.push(signInTable(phones), stateTable(phones), wrapUpTable(phones));
  return parts.join('\n\n');
}

function table(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const line = (cells: readonly string[]): string => `| ${cells.join(' | ')} |`;
  const rule = head.map((_, index) => (index === 0 ? '---' : '--:'));
  return [line(head), line(rule), ...rows.map(line)].join('\n');
}

function fastAgiTable(results: readonly AgiResult[]): string {
  const rows = results.flatMap(({ concurrency, figures }) =>
    responders.map((name) => {
      const { sessionsPerSecond, p50Ms, p99Ms, cpuMicrosecondsPerSession } = figures[name];
      return [
        `${concurrency} at a time, ${name}`,
        short(sessionsPerSecond),
        short(sessionsPerSecond / figures['node:net'].sessionsPerSecond),
        short(p50Ms),
        short(p99Ms),
        short(cpuMicrosecondsPerSession),
      ];
    }),
  );
  const head = [
    'FastAGI sessions of 4 commands',
    'a second',
    'of node:net',
    'p50 ms',
    'p99 ms',
    'CPU µs each',
  ];
  return table(head, rows);
}

function questionTable({ perSecond, teams, dids, routed, bare, doors, streamed }: QuestionResult): string {
  const row = (name: string, { p50, p99, max }: Quantiles): string[] => [
    name,
    ...[p50, p50 / routed.p50, p99, p99 / routed.p99, max].map(short),
  ];
  return table(
    [`Where a call goes, ${perSecond} questions a second`, 'p50 ms', 'ratio', 'p99 ms', 'ratio', 'longest'],
    [
      row(`${dids} DIDs in ${teams} teams`, routed),
      row(`while star64 web tells 200 streams (${streamed} events in all) and is scraped`, doors),
      row('a bare answer of ding-dong', bare),
    ],
  );
}

const destinationNames = {
  asterisk: 'to what answers and hangs up',
  extension: 'to an extension',
  group: 'to a group',
} as const;

function callTable(results: readonly CallResult[]): string {
  const rows = results.map(({ destination, routed, static: plain, highest }) => [
    destinationNames[destination],
    short(plain.total),
    short(routed.total),
    short(routed.total / plain.total),
    [routed.asterisk, routed.server, routed.postgres].map(short).join(' + '),
    highest ? `${highest.static} / ${highest.routed}` : '–',
  ]);
  const head = ['A call', 'static, CPU ms', 'routed, CPU ms', 'ratio', 'Asterisk + server + PostgreSQL'];
  return table([...head, 'highest rate, static / routed'], rows);
}

function callOutTable({ rate, out, static: plain }: CallOutResult): string {
  const cpu = ({ asterisk, server, postgres }: CallOutCost): number => asterisk + server + postgres;
  return table(
    [`A call out, ${rate} a second`, 'static Dial', 'star64', 'ratio', 'Asterisk + server + PostgreSQL'],
    [
      [
        'CPU ms',
        short(cpu(plain)),
        short(cpu(out)),
        short(cpu(out) / cpu(plain)),
        [out.asterisk, out.server, out.postgres].map(short).join(' + '),
      ],
      [
        'INVITE to 200, ms',
        short(plain.setupMs),
        short(out.setupMs),
        short(out.setupMs / plain.setupMs),
        '–',
      ],
    ],
  );
}

function signInTable({ signIns }: PhoneResult): string {
  const rows = signIns.map(({ concurrency, agents, perSecond, toConfirmation: { p50, p99 }, plain, cpu }) => [
    `${agents} agents, ${concurrency} at a time`,
    short(perSecond),
    short(p50),
    short(p99),
    `${short(plain.perSecond)}, ${short(plain.toSound.p50)}, ${short(plain.toSound.p99)}`,
    [cpu.asterisk, cpu.servers, cpu.postgres].map(short).join(' + '),
  ]);
  const head = ['`*64<number>`, dialled to first sound', 'a second', 'p50 ms', 'p99 ms'];
  return table([...head, 'the same sound without us', 'CPU ms: Asterisk + servers + PostgreSQL'], rows);
}

function stateTable({ states }: PhoneResult): string {
  const rows = states.map(({ concurrency, changes, perSecond, each, bareUpdatesPerSecond }) => [
    `${changes} changes, ${concurrency} at a time`,
    short(perSecond),
    short(perSecond / bareUpdatesPerSecond),
    short(each.p50),
    short(each.p99),
  ]);
  return table(
    ['Pause and its end, in the database', 'a second', 'of a bare update', 'p50 ms', 'p99 ms'],
    rows,
  );
}

function wrapUpTable({ wrapUps, size }: PhoneResult): string {
  const rows = wrapUps.map(({ agents, spreadSeconds, delay, early, twice, cpu }) => [
    `${agents} agents, ${spreadSeconds === 0 ? 'all in one instant' : `over ${spreadSeconds} s`}`,
    short(delay.p50),
    short(delay.p99),
    String(early),
    String(twice),
    [cpu.asterisk, cpu.servers, cpu.postgres].map(short).join(' + '),
  ]);
  const head = [
    `Wrap-ups that end, ${size.servers} servers: deadline to free`,
    'p50 ms',
    'p99 ms',
    'early',
    'twice',
  ];
  return table([...head, 'CPU ms: Asterisk + servers + PostgreSQL'], rows);
}
