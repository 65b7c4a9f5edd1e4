import t from 'tap';
import { checkChoice, checkName, checkText, checkWhole, quoted, type Named } from '../../domain/names.js';
import { refused } from '../support/refusal.js';

const hostile = [
  '5000\n[evil]',
  '5000\r',
  '5000;x',
  '[x]',
  '#include',
  '${EXTEN}',
  '"quoted"',
  "o'clock",
  '5000 ',
  '客服',
  '٥٠٠٠', // Arabic digits are digits to a person, not to Asterisk.
  '\u0000',
  '',
  '-1',
  'a'.repeat(100),
];

await t.test(
  'what reaches Asterisk as a word refuses everything that could mean more than the word',
  async (t) => {
    const kinds: Named[] = [
      'team',
      'user',
      'extension',
      'agent',
      'group',
      'queueNumber',
      'did',
      'telephone',
      'feature-code',
      'pause-reason',
    ];
    for (const kind of kinds) {
      for (const value of hostile) {
        await refused(t, 'usage', ['type for example "'], () => checkName(kind, value));
      }
    }
  },
);

await t.test('what follows the rule is taken as it is', (t) => {
  t.equal(checkName('team', 'astercc'), 'astercc');
  t.equal(checkName('user', 'anna.berg@example.org'), 'anna.berg@example.org');
  t.equal(checkName('extension', '5000'), '5000');
  t.equal(checkName('agent', '7'), '7');
  t.equal(checkName('group', 'support_2'), 'support_2');
  t.equal(checkName('did', '+4930600100'), '+4930600100');
  for (const code of ['*64', '**1', '0', '123456']) t.equal(checkName('feature-code', code), code);
  t.end();
});

await t.test('a refusal proposes what was probably meant, otherwise an example', async (t) => {
  for (const taken of ['h', 'i', 't', 'fax'])
    await refused(t, 'usage', ['which Asterisk uses itself'], () => checkName('group', taken));
  await refused(t, 'usage', ['group name "Support 2"', '"support_2"'], () => checkName('group', 'Support 2'));
  await refused(t, 'usage', ['extension number "50-00"', '"5000"'], () => checkName('extension', '50-00'));
  await refused(t, 'usage', ['"+4930600100"'], () => checkName('did', '+49 (30) 600-100'));
  await refused(t, 'usage', ['user name "Jörg Groß"'], () => checkName('user', 'Jörg Groß'));
  await refused(t, 'usage', ['"anna"'], () => checkName('user', '客服'));
});

await t.test('team star64 is reserved: its contexts would be the shared ones', async (t) => {
  await refused(t, 'usage', ['reserved'], () => checkName('team', 'star64'));
  t.equal(checkName('team', 'star642'), 'star642');
});

await t.test('people may be called anything that is one line', async (t) => {
  for (const name of [
    'Anna Berg',
    '王小明',
    'مریم‌السادات',
    '"O\'Neil"; [x] #include ${y}',
    '👩🏽‍💻',
    'x'.repeat(80),
  ]) {
    t.equal(checkText('name', name), name);
  }
  for (const name of [
    'a\nb',
    'a\tb',
    'a\u0085b',
    'a\u2028b',
    'a\u2029b',
    'a\u0000',
    '\u001b[2J',
    '\ud800',
    '',
    '  ',
    'x'.repeat(81),
  ]) {
    await refused(t, 'usage', ['name "', 'Anna Berg'], () => checkText('name', name));
  }
  t.equal(checkText('name', '😀'.repeat(80)), '😀'.repeat(80), 'characters are counted, not code units');
});

await t.test('words from a list and numbers in a range', async (t) => {
  t.equal(checkChoice('colour', ['red', 'green'], 'red'), 'red');
  await refused(t, 'usage', ['colour "blue"', 'red, green'], () =>
    checkChoice('colour', ['red', 'green'], 'blue'),
  );
  t.equal(checkWhole('ring time', { from: 3, to: 300 }, 3), 3);
  for (const value of [2, 301, 3.5, NaN, Infinity]) {
    await refused(t, 'usage', ['3 to 300'], () => checkWhole('ring time', { from: 3, to: 300 }, value));
  }
});

await t.test('a quoted value is one line, whatever it holds', (t) => {
  t.equal(quoted('a\u2028b\u0085c\u007f"'), '"a\\u2028b\\u0085c\\u007f\\""');
  t.end();
});
