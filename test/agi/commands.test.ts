import t from 'tap';
import { escaped, LINE_LIMIT, OLD_LINE_LIMIT, quoted } from '../../agi/wire/syntax.js';
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
  t.same(parseWords(words.map(quoted).join(' ')), words);
  t.same(parseWords(words.map((word) => `"${escaped(word)}"`).join(' ')), words);
  t.equal(quoted('5000'), '5000', 'a plain word stays plain');
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
    t.equal(await outcome(wire.session.verbose(bad)), 'syntax');
    t.equal(await outcome(wire.session.getData(bad, 1, 1)), 'syntax');
    t.equal(await outcome(wire.session.sendCommand(`NOOP${character}`)), 'syntax');
    const noop = wire.session.noop();
    t.equal(await wire.answer('200 result=0\n'), 'NOOP', 'the session goes on');
    await noop;
  });
}

await t.test('a line of 8190 bytes is sent in one write, one of 8191 is refused', async (t) => {
  const wire = await Wire.ready(t);
  const room = LINE_LIMIT - 'SET VARIABLE A ""'.length;
  let writes = 0;
  const write: (data: string) => boolean = wire.inner.write.bind(wire.inner);
  wire.inner.write = (data: unknown): boolean => {
    writes++;
    return write(String(data));
  };
  t.equal(await outcome(wire.session.setVariable('A', 'v'.repeat(room + 1))), 'syntax');
  t.equal(
    await outcome(wire.session.setVariable('A', 'ë'.repeat(Math.ceil(room / 2)))),
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
  const room = OLD_LINE_LIMIT - 'SET VARIABLE A ""'.length;
  t.equal(await outcome(wire.session.setVariable('A', 'v'.repeat(room + 1))), 'syntax');
  const set = wire.session.setVariable('A', 'v'.repeat(room));
  t.equal((await wire.answer('200 result=1\n')).length, 2046);
  await set;
});

const wrong: Record<string, string> = {
  'no name': ' A',
  'nothing at all': '',
  'a name in small letters': 'noop',
  'a quoted name': '"NOOP" A',
  'a quote that does not end': 'VERBOSE "x',
  'a quote inside a word': 'VERBOSE x"y" 1',
  'a word glued to a quoted one': 'VERBOSE "x"y 1',
  'an escape that is none': 'VERBOSE "\\n" 1',
  'an escaped end': 'VERBOSE "x\\" 1',
  'a bare special character': 'EXEC Dial PJSIP/a',
  'two blanks': 'VERBOSE  1',
  'a blank at the end': 'NOOP ',
  '101 words': `NOOP${' x'.repeat(100)}`,
  '101 quoted words': `NOOP${' "x"'.repeat(100)}`,
};
for (const [what, line] of Object.entries(wrong)) {
  await t.test(`a finished line with ${what} is refused and nothing is sent`, async (t) => {
    const wire = await Wire.ready(t);
    t.equal(await outcome(wire.session.sendCommand(line)), 'syntax');
    const noop = wire.session.noop();
    t.equal(await wire.answer('200 result=0\n'), 'NOOP', 'the session goes on');
    await noop;
  });
}

await t.test('100 words are sent', async (t) => {
  const wire = await Wire.ready(t);
  const sent = wire.session.sendCommand(`NOOP${' x'.repeat(99)}`);
  t.equal((await wire.answer('200 result=0\n')).split(' ').length, 100);
  await sent;
});

interface Case {
  readonly run: (session: Session) => Promise<unknown>;
  readonly line: string;
  readonly answers: Record<string, string>;
}

const cases: Case[] = [
  {
    run: (s) => s.setVariable('CALLERID(name)', 'Al "Zoë" \\o/'),
    line: 'SET VARIABLE "CALLERID(name)" "Al \\"Zoë\\" \\\\o/"',
    answers: { '200 result=1': '1' },
  },
  {
    run: (s) => s.setVariable('A', ''),
    line: 'SET VARIABLE A ""',
    answers: { '200 result=1': '1' },
  },
  {
    run: (s) => s.getData('a "b"', 5_000, 8),
    line: 'GET DATA "a \\"b\\"" 5000 8',
    answers: {
      '200 result=1234': '1234',
      '200 result=*45': '*45',
      '200 result=12 (timeout)': '12',
      '200 result= (timeout)': '',
      '200 result=': '',
      '200 result=-1': 'rejected 200',
    },
  },
  {
    run: (s) => s.verbose('two "words" \\', 3),
    line: 'VERBOSE "two \\"words\\" \\\\" 3',
    answers: { '200 result=1': '1' },
  },
  { run: (s) => s.noop(), line: 'NOOP', answers: { '200 result=0': '0' } },
];
for (const { run, line, answers } of cases) {
  await t.test(line, async (t) => {
    const wire = await Wire.ready(t);
    for (const [answer, expected] of Object.entries(answers)) {
      const result = outcome(run(wire.session));
      t.equal(await wire.answer(`${answer}\n`), line);
      t.equal(await result, expected, encodeURI(answer));
    }
  });
}

await t.test('commands asked for at once go out one by one and get their own answers', async (t) => {
  const wire = await Wire.ready(t);
  const all = Promise.all(['A', 'B', 'C'].map((name) => wire.session.getData(name, 1, 1)));
  for (const name of ['A', 'B', 'C']) {
    t.equal(await wire.line(), `GET DATA ${name} 1 1`);
    const place = name.charCodeAt(0) - 64;
    t.equal(wire.sent.split('\n').length - 1, place, 'the next one waits for the answer');
    wire.send(`200 result=${place}\n`);
  }
  t.same(await all, ['1', '2', '3']);
});
