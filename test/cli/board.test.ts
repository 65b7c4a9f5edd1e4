import t from 'tap';
import { renderBoard, type View } from '../../cli/board/render.js';
import { readyToAlign, width } from '../../cli/display.js';
import type { AgentStatus, GroupStatus, TeamStatus } from '../../domain/monitor/status.js';

await readyToAlign();

const at = new Date('2026-03-04T09:31:20Z');
const ago = (seconds: number): Date => new Date(at.getTime() - seconds * 1000);

const group = (name: string, values: Partial<GroupStatus> = {}): GroupStatus => ({
  name,
  waiting: 0,
  callbacks: 0,
  waitingSince: null,
  talking: 0,
  signedIn: 0,
  states: {},
  answered: 0,
  answeredInTime: 0,
  abandoned: 0,
  serviceLevel: null,
  ...values,
});

const agent = (number: string, name: string, values: Partial<AgentStatus> = {}): AgentStatus => ({
  number,
  name,
  state: 'signed-out',
  extension: null,
  since: null,
  until: null,
  reason: null,
  group: null,
  callKind: null,
  call: null,
  caller: null,
  workMode: null,
  currentGroup: null,
  ...values,
});

const team = (groups: GroupStatus[], agents: AgentStatus[]): TeamStatus => ({
  team: 'astercc',
  at,
  timeZone: 'Europe/Berlin',
  today: at,
  serviceLevel: { formula: 'answered within 20 s / (answered + abandoned)', withinSeconds: 20 },
  filesAreBehind: false,
  limits: [],
  refusedCalls: [],
  groups,
  agents,
});

const shift = team(
  [
    group('sales', { signedIn: 3 }),
    group('support', {
      waiting: 2,
      waitingSince: ago(73),
      talking: 1,
      signedIn: 4,
      answered: 1000,
      abandoned: 60,
      serviceLevel: 81.13,
    }),
  ],
  [
    agent('7', 'Zoë Ångström', { state: 'idle', since: ago(9) }),
    agent('1001', 'Anna Berg', {
      state: 'talking',
      since: ago(125),
      group: 'support',
      callKind: 'queue',
      caller: '+4930111111',
    }),
    agent('1002', '王小明', { state: 'paused', since: ago(3723), reason: '午餐时间' }),
    agent('1003', 'Bert Okafor', {
      state: 'wrap-up',
      since: ago(270_000),
      group: 'support',
      callKind: 'out',
    }),
    agent('1004', 'Cara Dietrich-Wiesengrund von und zu Hohenstein', {
      state: 'ringing',
      since: ago(0),
      group: 'support',
      caller: '+4930222222',
    }),
    agent('1005', 'Dan'),
  ],
);

const view: View = { columns: 80, rows: 24, sort: 'state', skip: 0 };
const lines = (status: TeamStatus | undefined, changes: Partial<View> = {}): string[] =>
  renderBoard('astercc', status, { ...view, ...changes }).lines.map(({ text }) => text);

await t.test('a shift at 80 columns', (t) => {
  const shown = lines(shift, { rows: 16 });
  t.same(shown, [
    'astercc  10:31:20  2 waiting, 5 of 6 agents signed in',
    'GROUP         WAITING  LONGEST  TALKING  SIGNED IN    SERVICE LEVEL',
    'support             2    1m13s        1          4   81.1 % of 1060',
    'sales               0        -        0          3                -',
    '',
    'AGENT  NAME                  STATE        SINCE  REASON      CALL',
    '1004   Cara Dietrich-Wiese…  ringing         0s  -           support +4930222222',
    '1001   Anna Berg             talking      2m05s  -           support +4930111111',
    '1003   Bert Okafor           wrap-up      3d03h  -           out support',
    '1002   王小明                paused       1h02m  午餐时间    -',
    '7      Zoë Ångström          idle            9s  -           -',
    '1005   Dan                   signed-out       -  -           -',
    '',
    '',
    'service level: answered within 20 s / (answered + abandoned), calls of today',
    'sort by [s: state]  n: number  t: since   scroll: arrows, page keys   q: quit',
  ]);
  t.end();
});

await t.test('sorted by state, number and since', (t) => {
  const numbers = (sort: View['sort']): string[] =>
    lines(shift, { sort })
      .map((line) => /^(\d+) /.exec(line)?.[1])
      .filter((number) => number !== undefined);
  t.same(numbers('state'), ['1004', '1001', '1003', '1002', '7', '1005']);
  t.same(numbers('number'), ['7', '1001', '1002', '1003', '1004', '1005'], 'as numbers, not as words');
  t.same(numbers('since'), ['1003', '1002', '1001', '7', '1004', '1005'], 'longest first, signed out last');
  t.match(lines(shift, { sort: 'since' }).at(-1), /\[t: since\]/);
  t.end();
});

await t.test('trouble is said, with or without a status', (t) => {
  t.equal(lines(shift, { trouble: 'PostgreSQL cannot be reached' })[1], 'PostgreSQL cannot be reached');
  t.equal(lines(undefined, { trouble: 'PostgreSQL cannot be reached' })[1], 'PostgreSQL cannot be reached');
  t.equal(lines(undefined)[0], 'astercc');
  t.end();
});

await t.test('nothing that a person or a caller is called widens, breaks or turns a line', (t) => {
  const hostile = [
    'x'.repeat(80),
    '王'.repeat(80),
    '👩‍👩‍👧'.repeat(40),
    'a\u0301'.repeat(80),
    '\u001b[2J\u009b31m\r\n\t\u0000',
    '\u202eabc\u2066',
    'ไทย'.repeat(26),
  ];
  const status = team(
    hostile.map((_, index) => group(`g${'x'.repeat(30)}${index}`, { waiting: 10 ** index, signedIn: 12 })),
    hostile.map((text, index) =>
      agent(String(1234567890 + index), text, {
        state: 'paused',
        since: ago(index),
        reason: text,
        caller: text,
      }),
    ),
  );
  for (const columns of [1, 10, 40, 80, 81, 200]) {
    for (const rows of [1, 2, 3, 5, 8, 24, 60]) {
      const shown = lines(status, { columns, rows, trouble: '\u001bno' });
      t.equal(shown.length, rows, `${columns}x${rows}: as many lines as rows`);
      const bad = shown.filter(
        (line) => width(line) > columns || /[\p{Cc}\p{Zl}\p{Zp}\u202a-\u202e\u2066-\u2069]/u.test(line),
      );
      t.same(bad, [], `${columns}x${rows}`);
    }
  }
  const at80 = lines(status, { rows: 60 });
  t.ok(
    at80.some((line) => /^1234567891 .*王{3,}… .*paused/.test(line)),
    'a wide name is cut, not dropped',
  );
  t.end();
});

await t.test('who does not fit can be scrolled to; groups where somebody waits come first', (t) => {
  const many = team(
    Array.from({ length: 30 }, (_, index) =>
      group(`g${String(index).padStart(2, '0')}`, index === 29 ? { waiting: 1, waitingSince: ago(5) } : {}),
    ),
    Array.from({ length: 100 }, (_, index) => agent(String(1001 + index), 'crowd')),
  );
  const board = renderBoard('astercc', many, { ...view, sort: 'number', skip: 20 });
  const text = board.lines.map((line) => line.text);
  t.equal(text.length, 24);
  t.match(text[2], /^g29 +1 +5s/);
  t.match(text[3], /^g00 /);
  t.ok(text.includes('21 more groups, agents 21-29 of 100'), text.join('\n'));
  t.match(
    text.filter((line) => /^1\d\d\d /.test(line)).map((line) => line.slice(0, 4)),
    ['1021', '1022'],
  );
  t.equal(board.page, 9);
  const end = renderBoard('astercc', many, { ...view, skip: Infinity });
  t.equal(end.skip, 91, 'never past the last');
  t.equal(renderBoard('astercc', shift, { ...view, skip: 5 }).skip, 0, 'nor when all fit');
  t.end();
});
