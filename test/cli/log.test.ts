import { fstatSync } from 'node:fs';
import t from 'tap';
import { createLog, textLine } from '../../cli/log.js';

const at = new Date(2026, 10, 26, 9, 5, 7, 42).getTime();

function logged(format: 'text' | 'json', env: NodeJS.ProcessEnv = {}) {
  const lines: string[] = [];
  const log = createLog({ logLevel: 'info', logFormat: format }, env, { write: (line) => lines.push(line) });
  return { log, lines };
}

await t.test('a line for people: time of this machine, level, sentence, what it is about', (t) => {
  t.equal(
    textLine({ level: 30, time: at, msg: 'signed in', team: 'astercc', phone: '5000', agent: '1001' }, false),
    '2026-11-26 09:05:07.042 info  signed in  team=astercc  phone=5000  agent=1001\n',
  );
  t.equal(
    textLine(
      { level: 40, time: at, msg: 'waiting for PostgreSQL', reason: 'no route to host', n: [1] },
      true,
    ),
    '<4>waiting for PostgreSQL  reason="no route to host"  n=[1]\n',
    'the journal has the time, and takes the level from the front',
  );
  t.end();
});

await t.test('what others wrote cannot begin a line or move a cursor', (t) => {
  const { log, lines } = logged('text');
  log.warn({ reason: 'a\n2026 ERROR forged\u001b[2J', err: new Error('two\nlines') }, 'refused\r\nx');
  t.equal(lines.length, 1);
  t.match(lines[0], /^[^\n]*refused[^\n]*\n$/);
  // eslint-disable-next-line no-control-regex -- to find none is the point
  t.notMatch(lines[0], /[\u0000-\u0009\u000b-\u001f]/);
  t.match(lines[0], /Error: two \| lines \| at /, 'an error with its stack');
  t.end();
});

await t.test('the level holds; JSON is a line each, as programs know it', (t) => {
  const text = logged('text');
  text.log.debug('no');
  text.log.child({ part: 'ami' }).info('yes');
  t.equal(text.lines.length, 1);
  t.match(text.lines[0], /^\d{4}-.* info {2}yes {2}part=ami\n$/);
  const json = logged('json');
  json.log.info({ a: 1 }, 'yes');
  t.match(JSON.parse(json.lines[0] ?? ''), { level: 30, a: 1, msg: 'yes' });
  t.end();
});

await t.test('an error of PostgreSQL is logged without the row that it is about', (t) => {
  const { log, lines } = logged('json');
  const about = { detail: 'Failing row contains (1, whsec_AAAA).', where: 'COPY whsec_AAAA', code: '23514' };
  const error = Object.assign(new Error('violates check constraint'), about);
  log.error({ err: error }, 'a request failed');
  log.child({ reqId: 1 }).error({ err: new AggregateError([error], 'both') }, 'a request failed');
  t.match(JSON.parse(lines[0] ?? ''), { err: { type: 'Error', code: '23514', stack: /check constraint/ } });
  t.notMatch(lines.join(''), /whsec_/);
  t.end();
});

await t.test('the journal is known by what systemd says of stderr, not by the variable alone', (t) => {
  const { dev, ino } = fstatSync(2);
  const journal = logged('text', { JOURNAL_STREAM: `${dev}:${ino}` });
  journal.log.error('x');
  t.equal(journal.lines[0], '<3>x\n');
  const redirected = logged('text', { JOURNAL_STREAM: '1:1' });
  redirected.log.error('x');
  t.match(redirected.lines[0], / ERROR x\n$/);
  t.end();
});
