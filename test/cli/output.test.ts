import t from 'tap';
import { createPrinter } from '../../cli/output.js';
import { readyToAlign } from '../../cli/display.js';

await readyToAlign();

function printed(options: { terminal: boolean; json?: boolean }) {
  let text = '';
  const printer = createPrinter({ json: false, ...options, out: (more) => (text += more) });
  return { printer, text: () => text };
}

const rows = [
  { number: '1001', name: '王小明', signedInAt: null, groups: ['support', 'sales'], login: true },
  { number: '7', name: 'José Ångström', signedInAt: '5000', groups: [], login: false },
];

await t.test('on a terminal: a header and columns that stay aligned in every script', (t) => {
  const { printer, text } = printed({ terminal: true });
  printer.list(rows, ['number', 'name', 'signedInAt', 'groups', 'login']);
  t.same(text().split('\n'), [
    'NUMBER  NAME           SIGNED IN AT  GROUPS         LOGIN',
    '1001    王小明         -             support,sales  yes',
    '7       José Ångström  5000          -              no',
    '',
  ]);
  t.end();
});

await t.test('in a pipe: one line a row, tabs, no header, nothing for nothing', (t) => {
  const { printer, text } = printed({ terminal: false });
  printer.list(rows, ['number', 'name', 'signedInAt', 'groups', 'login']);
  t.equal(text(), '1001\t王小明\t\tsupport,sales\tyes\n7\tJosé Ångström\t5000\t\tno\n');
  t.end();
});

await t.test('as JSON: every field in snake_case, times in ISO 8601', (t) => {
  const { printer, text } = printed({ terminal: true, json: true });
  printer.list(
    [{ ringSeconds: 15, leavingSince: new Date(Date.UTC(2026, 0, 2)), inner: { wrapUp: null } }],
    [],
  );
  t.same(JSON.parse(text()), [
    { ring_seconds: 15, leaving_since: '2026-01-02T00:00:00.000Z', inner: { wrap_up: null } },
  ]);
  t.end();
});

await t.test('one thing: a field on each line', (t) => {
  const { printer, text } = printed({ terminal: true });
  printer.record({ number: '5000', createdAt: new Date(0), telephone: null });
  t.equal(text(), 'number      5000\ncreated_at  1970-01-01T00:00:00.000Z\ntelephone   -\n');
  const pipe = printed({ terminal: false });
  pipe.printer.record({ number: '5000', createdAt: new Date(0), telephone: null });
  t.equal(pipe.text(), 'number\t5000\ncreated_at\t1970-01-01T00:00:00.000Z\ntelephone\t\n');
  t.end();
});

await t.test('numbers by name are one field', (t) => {
  const penalties = { support: 10, sales: 3 };
  const { printer, text } = printed({ terminal: true });
  printer.record({ penalties, none: {} });
  t.equal(text(), 'penalties  support=10,sales=3\nnone       -\n');
  const json = printed({ terminal: false, json: true });
  json.printer.record({ penalties });
  t.same(JSON.parse(json.text()), { penalties });
  t.end();
});

await t.test('a value cannot move the cursor, add a line or add a column', (t) => {
  for (const terminal of [true, false]) {
    const { printer, text } = printed({ terminal });
    printer.list([{ caller: 'a\tb\nc\u001b[2Jd\u0085e\u2028f', end: 'x' }], ['caller', 'end']);
    const line = text().split('\n').at(-2);
    t.match(line, /^a\ufffdb\ufffdc\ufffd\[2Jd\ufffde\ufffdf(\t| {2})x$/);
  }
  t.end();
});

await t.test('as comma-separated values: nothing breaks out of its field, and nothing is a formula', (t) => {
  const { printer, text } = printed({ terminal: true });
  const callers = ['+4930123', '=cmd|calc!A1', '+1+cmd', '@sum', '-2+3', '-5', 'a "b", c', null];
  printer.csv(
    callers.map((caller) => ({ caller, talkSeconds: 3 })),
    ['caller', 'talkSeconds'],
  );
  t.equal(
    text(),
    [
      'caller,talk_seconds',
      '+4930123,3',
      "'=cmd|calc!A1,3",
      "'+1+cmd,3",
      "'@sum,3",
      "'-2+3,3",
      '-5,3',
      '"a ""b"", c",3',
      ',3',
      '',
    ].join('\r\n'),
  );
  t.end();
});
