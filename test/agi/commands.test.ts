import t from 'tap';
import { commandLine, LINE_LIMIT, OLD_LINE_LIMIT, quote } from '../../agi/wire/syntax.js';
import type { Session } from '../../agi/wire/session.js';
import { parseWords } from './fake-asterisk.js';
import { outcome, Wire } from './wire.js';

await t.test('what is quoted here is read back unchanged by rules of the AGI parser', (t) => {
  const words = [
    'SET',
    'x y',
    '',
    '"',
    '\\',
    '\\"',
    'a"b\\c',
    '\t',
    'Zoë 王',
    ' ',
    '#',
    '*64',
    "it's",
    'a,b|c;d',
    '$' + '{X}',
  ];
  t.same(parseWords(commandLine(words, LINE_LIMIT)), words);
  t.equal(quote('5000'), '5000', 'a plain word stays plain');
  t.end();
});

const forbidden = ['\n', '\r', '\0', '\u0085', '\u2028', '\u2029', '\u001b', '\u007f'];
for (const character of forbidden) {
  const name = `U+${character.charCodeAt(0).toString(16).padStart(4, '0')}`;
  await t.test(`${name} in an argument is refused and nothing is sent`, async (t) => {
    const wire = await Wire.ready(t);
    const bad = `Bob"${character}EXEC System "id`;
    t.equal(await outcome(wire.session.setVariable('N', bad)), 'syntax');
    t.equal(await outcome(wire.session.setVariable(bad, 'x')), 'syntax');
    t.equal(await outcome(wire.session.command([`NOOP${character}`])), 'syntax');
    const noop = wire.session.noop();
    t.equal(await wire.answer('200 result=0\n'), 'NOOP', 'the session goes on');
    await noop;
  });
}

await t.test('a line of 8190 bytes is sent in one write, one of 8191 is refused', async (t) => {
  const wire = await Wire.ready(t);
  const room = LINE_LIMIT - 'SET VARIABLE A '.length;
  let writes = 0;
  const write: (data: string) => boolean = wire.inner.write.bind(wire.inner);
  wire.inner.write = (data: unknown): boolean => {
    writes++;
    return write(String(data));
  };
  t.equal(await outcome(wire.session.setVariable('A', 'v'.repeat(room + 1))), 'syntax');
  t.equal(
    await outcome(wire.session.setVariable('A', 'ë'.repeat(room / 2))),
    'syntax',
    'bytes are counted, not letters',
  );
  const set = wire.session.setVariable('A', 'v'.repeat(room));
  t.equal((await wire.answer('200 result=1\n')).length, 8190);
  await set;
  t.equal(writes, 1);
});

await t.test('for an old Asterisk the limit is 2046 bytes', async (t) => {
  const wire = await Wire.ready(t, { lineLimit: OLD_LINE_LIMIT });
  const room = OLD_LINE_LIMIT - 'SET VARIABLE A '.length;
  t.equal(await outcome(wire.session.setVariable('A', 'v'.repeat(room + 1))), 'syntax');
  const set = wire.session.setVariable('A', 'v'.repeat(room));
  t.equal((await wire.answer('200 result=1\n')).length, 2046);
  await set;
});

await t.test('more than 100 words are refused', async (t) => {
  const wire = await Wire.ready(t);
  t.equal(await outcome(wire.session.command(Array<string>(101).fill('x'))), 'syntax');
  const sent = wire.session.command(Array<string>(100).fill('x'));
  t.equal((await wire.answer('200 result=0\n')).split(' ').length, 100);
  await sent;
  t.equal(await outcome(wire.session.command([])), 'syntax');
  t.equal(
    await outcome(wire.session.command(['GET VARIABLE', 'X'])),
    'syntax',
    'a name of two words is two words',
  );
});

await t.test("none of ding-dong's own commands reaches the wire unquoted", async (t) => {
  const wire = await Wire.ready(t);
  const inherited = wire.session as unknown as Record<string, (...args: unknown[]) => Promise<unknown>>;
  for (const name of ['dial', 'sayNumber', 'setCallerID', 'databaseDel', 'recordFile', 'sendCommand']) {
    t.equal(await outcome(inherited[name]?.('a', 'b') ?? Promise.resolve('missing')), 'syntax', name);
  }
  const sent = new Promise((resolve) => wire.session.send('NOOP\n', resolve));
  t.match(await sent, { code: 'syntax' });
  const noop = wire.session.noop();
  await wire.answer('200 result=0\n');
  await noop;
  t.equal(wire.sent, 'NOOP\n');
});

interface Case {
  readonly run: (session: Session) => Promise<unknown>;
  readonly line: string;
  readonly answers: Record<string, unknown>;
}

const cases: Case[] = [
  {
    run: (s) => s.setVariable('CALLERID(name)', 'Al "Zoë" \\o/'),
    line: 'SET VARIABLE "CALLERID(name)" "Al \\"Zoë\\" \\\\o/"',
    answers: { '200 result=1': undefined },
  },
  {
    run: (s) => s.getVariable('X'),
    line: 'GET VARIABLE X',
    answers: {
      '200 result=0': null,
      '200 result=1 ()': '',
      '200 result=1 (a (b) c)': 'a (b) c',
      '200 result=1 (a)b)': 'a)b',
      '200 result=1 (x\u2028y\rz)': 'x\u2028y\rz',
      '200 result=1 (endpos=5)': 'endpos=5',
      '200 result=1 (dtmf) endpos=5 x)': 'dtmf) endpos=5 x',
    },
  },
  {
    run: (s) => s.getFullVariable('${CALLERID(num)} x', 'PJSIP/a-1'),
    line: 'GET FULL VARIABLE "${CALLERID(num)} x" "PJSIP/a-1"',
    answers: { '200 result=1 (5000 x)': '5000 x', '200 result=1 ()': '', '200 result=0': null },
  },
  {
    run: (s) => s.exec('Dial', 'PJSIP/a', '20', 'tT'),
    line: 'EXEC Dial "PJSIP/a,20,tT"',
    answers: { '200 result=0': 0, '200 result=-1': -1, '200 result=-2': 'rejected 200' },
  },
  {
    run: (s) => s.streamFile('agent-loginok', '', 800),
    line: 'STREAM FILE "agent-loginok" "" 800',
    answers: {
      '200 result=0 endpos=8000': { digit: null, endpos: 8000 },
      '200 result=35 endpos=1234': { digit: '#', endpos: 1234 },
      '200 result=-1 endpos=0': 'rejected 200',
    },
  },
  {
    run: (s) => s.getData('agent-user', 5_000, 8),
    line: 'GET DATA "agent-user" 5000 8',
    answers: {
      '200 result=1234': { digits: '1234', timedOut: false },
      '200 result=*45': { digits: '*45', timedOut: false },
      '200 result=12 (timeout)': { digits: '12', timedOut: true },
      '200 result= (timeout)': { digits: '', timedOut: true },
      '200 result=': { digits: '', timedOut: false },
      '200 result=-1': 'rejected 200',
    },
  },
  {
    run: (s) => s.waitForDigit(3_000),
    line: 'WAIT FOR DIGIT 3000',
    answers: { '200 result=0': null, '200 result=42': '*', '200 result=-1': 'hangup 200' },
  },
  {
    run: (s) => s.gosub('star64-ask', 's', '1', 'a,b'),
    line: 'GOSUB "star64-ask" s 1 "a,b"',
    answers: {
      '100 result=0 Trying...\n200 result=0 Gosub complete': undefined,
      '100 result=0 Trying...\n200 result=-1 Gosub label not found': 'rejected 200',
      '503 result=-2 Memory allocation failure': 'rejected 503',
    },
  },
  {
    run: (s) => s.verbose('two words', 3),
    line: 'VERBOSE "two words" 3',
    answers: { '200 result=1': undefined },
  },
  {
    run: (s) => s.databaseGet('star64', 'a b'),
    line: 'DATABASE GET star64 "a b"',
    answers: { '200 result=1 (x)': 'x', '200 result=0': null },
  },
  {
    run: (s) => s.databasePut('star64', 'k', ''),
    line: 'DATABASE PUT star64 k ""',
    answers: { '200 result=1': undefined, '200 result=0': 'rejected 200' },
  },
  { run: (s) => s.hangup(), line: 'HANGUP', answers: { '200 result=1': true } },
  { run: (s) => s.hangup('PJSIP/a-1'), line: 'HANGUP "PJSIP/a-1"', answers: { '200 result=-1': false } },
  {
    run: (s) => s.command(['RECORD', 'FILE', '/tmp/x', 'wav', '#', '5000']),
    line: 'RECORD FILE "/tmp/x" wav "#" 5000',
    answers: {
      '200 result=35 (dtmf) endpos=16000': {
        result: '35',
        rest: '(dtmf) endpos=16000',
        value: 'dtmf',
        endpos: 16000,
      },
      '200 result=0 (timeout) endpos=40000': { value: 'timeout', endpos: 40000, result: '0' },
      '200 result=1 (speech) endpos=5 results=1 score0=9 text0="a (b)" grammar0=g': {
        endpos: 5,
        value: 'speech',
      },
    },
  },
];
for (const { run, line, answers } of cases) {
  await t.test(line, async (t) => {
    const wire = await Wire.ready(t);
    for (const [answer, expected] of Object.entries(answers)) {
      const result = outcome(run(wire.session));
      t.equal(await wire.answer(`${answer}\n`), line);
      const got = await result;
      if (typeof expected === 'object' && expected !== null) t.match(got, expected, encodeURI(answer));
      else t.equal(got, expected, encodeURI(answer));
    }
  });
}

await t.test('commands asked for at once go out one by one and get their own answers', async (t) => {
  const wire = await Wire.ready(t);
  const all = Promise.all(['A', 'B', 'C'].map((name) => wire.session.getVariable(name)));
  for (const name of ['A', 'B', 'C']) {
    t.equal(await wire.line(), `GET VARIABLE ${name}`);
    t.equal(wire.sent.split('\n').length - 1, name.charCodeAt(0) - 64, 'the next one waits for the answer');
    wire.send(`200 result=1 (${name.toLowerCase()})\n`);
  }
  t.same(await all, ['a', 'b', 'c']);
});
