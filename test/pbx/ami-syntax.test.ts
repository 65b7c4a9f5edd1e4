import t, { type Test } from 'tap';
import { AmiError } from '../../pbx/ami/errors.js';
import { type AmiHeaders, checkedHeaders, HEADER_LIMIT, LINE_LIMIT } from '../../pbx/ami/syntax.js';

const lines = (action: string, headers: AmiHeaders): string[] =>
  checkedHeaders(action, 'id', headers).map((line) => line.join(': '));

/** A name that TAP can carry. */
const shown = (text: string): string => Buffer.from(text, 'utf16le').toString('hex');

function refused(test: Test, action: string, headers: unknown, name: string): void {
  try {
    lines(action, headers as AmiHeaders);
    test.fail(`${name} was taken`);
  } catch (error) {
    test.equal(error instanceof AmiError && error.code, 'syntax', name);
    test.notMatch(String(error), /hush/, `${name}: the value is not told`);
  }
}

void t.test('no value and no name can become a header or an action of its own', (t) => {
  for (const bad of [
    '\r',
    '\n',
    '\r\n\r\nAction: Command',
    '\0',
    '\t',
    '\x1b',
    '\x7f',
    '\x85',
    '\u2028',
    '\ud800',
  ]) {
    refused(t, 'QueueAdd', { Queue: `hush${bad}x` }, `value with ${shown(bad)}`);
    refused(t, 'QueueAdd', { [`Queue${bad}x`]: 'x' }, `name with ${shown(bad)}`);
    refused(t, `Queue${bad}Add`, {}, `action with ${shown(bad)}`);
    refused(t, 'Originate', { Async: true, Variable: { A: `hush${bad}` } }, `variable with ${shown(bad)}`);
    refused(t, 'Originate', { Async: true, Variable: { [`A${bad}`]: '' } }, `variable named ${shown(bad)}`);
    refused(t, 'QueueAdd', { Queue: ['ok', `hush${bad}`] }, `array with ${shown(bad)}`);
  }
  for (const key of ['', 'a:b', 'a b', '__proto__', ' ActionID', 'é']) {
    refused(t, 'Ping', { [key]: 'x' }, `name "${key}"`);
  }
  t.end();
});

void t.test('what cannot be meant is refused, not guessed', (t) => {
  refused(t, 'QueueAdd', { Queue: null }, 'null');
  refused(t, 'QueueAdd', { Queue: NaN }, 'NaN');
  refused(t, 'QueueAdd', { Queue: { a: 'hush' } }, 'an object that is not Variable');
  refused(t, 'QueueAdd', { Queue: new Date() }, 'a Date');
  refused(t, 'Originate', { Async: true, Variable: 'A=hush,B=2' }, 'variables as text');
  refused(t, 'Originate', { Async: true, Variable: { A: null } }, 'a variable that is null');
  refused(t, 'Originate', { Async: true, Variable: { 'A,B': 'hush' } }, 'a variable name with a comma');
  refused(t, 'Getvar', { Variable: 'SHELL(rm hush)' }, 'a function with more than words');
  refused(t, 'QueueAdd', { Queue: 'a', queue: 'hush' }, 'a header in two spellings');
  refused(t, 'QueueAdd', { actionid: 'hush' }, 'an ActionID');
  refused(t, 'QueueAdd', { ACTION: 'hush' }, 'an Action');
  refused(t, 'Originate', { Channel: 'Local/1@t' }, 'an Originate that would block');
  t.end();
});

void t.test('lines and headers stay within what Asterisk reads in one piece', (t) => {
  const fits = 'x'.repeat(LINE_LIMIT - 'Queue: '.length);
  t.equal(lines('QueueAdd', { Queue: fits })[2]?.length, LINE_LIMIT);
  refused(t, 'QueueAdd', { Queue: fits + 'x' }, 'one byte too many');
  refused(t, 'QueueAdd', { Queue: 'é'.repeat(fits.length / 2) + 'éé' }, 'bytes are counted, not letters');
  const names = (count: number): AmiHeaders =>
    Object.fromEntries(Array.from({ length: count }, (_, i) => [`H${i}`, i]));
  t.equal(lines('QueueAdd', names(HEADER_LIMIT - 2)).length, HEADER_LIMIT);
  refused(t, 'QueueAdd', names(HEADER_LIMIT - 1), 'one header too many');
  refused(t, 'QueueAdd', { H: Array.from({ length: HEADER_LIMIT - 1 }, () => 'x') }, 'the same by an array');
  t.end();
});

void t.test('arrays repeat the header, variables survive Asterisk splitting them at commas', (t) => {
  t.strictSame(lines('X', { Filter: ['a', 'b'], Skip: undefined, N: 0, B: false }), [
    'Action: X',
    'ActionID: id',
    'Filter: a',
    'Filter: b',
    'N: 0',
    'B: false',
  ]);
  const sent = lines('Originate', { Async: true, Variable: { A: 'a,b', B: 'q"u\\o(t[', C: 'é = $ {x} ;' } });
  t.strictSame(sent.slice(3), [
    'Variable: A=a\\,b',
    'Variable: B=q\\"u\\\\o\\(t\\[',
    'Variable: C=é = $ {x} ;',
  ]);
  t.strictSame(lines('Setvar', { Variable: 'GLOBAL(A_1)', Value: 'a,b' }).slice(2), [
    'Variable: GLOBAL(A_1)',
    'Value: a,b',
  ]);
  t.end();
});
