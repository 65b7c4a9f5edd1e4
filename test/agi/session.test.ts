import t from 'tap';
import { AgiError } from '../../agi/wire/errors.js';
import { outcome, Wire } from './wire.js';

/** Sends NOOP and answers it: the session still works and no answer has slipped. */
async function goesOn(wire: Wire): Promise<boolean> {
  const keyed = wire.session.getData('check', 1, 2);
  await wire.answer('200 result=77\n');
  return (await keyed) === '77';
}

const usage = [
  '520-Invalid command syntax.  Proper usage follows:',
  'Usage: STREAM FILE <filename>',
  '',
  '<xml> 200 result=1 (x)',
  '200 result=1 (x)',
  'HANGUP',
].join('\n');

const refusals: Record<string, [string, string]> = {
  '510': ['510 Invalid or unknown command\n', 'rejected 510'],
  '511': ['511 Command Not Permitted on a dead channel or intercept routine\n', 'rejected 511'],
  '511 of an old Asterisk': ['511 Command Not Permitted on a dead channel\n', 'rejected 511'],
  '520 in one line': ['520 Invalid command syntax.  Proper usage not available.\n', 'rejected 520'],
  '520 in many lines': [`${usage}\n520 End of proper usage.\n`, 'rejected 520'],
  '520 with its end glued to the text': [`${usage} glued520 End of proper usage.\n`, 'rejected 520'],
};
for (const [what, [bytes, code]] of Object.entries(refusals)) {
  await t.test(`${what} rejects its command, is no hangup, and the session goes on`, async (t) => {
    const wire = await Wire.ready(t);
    const result = outcome(wire.session.setVariable('X', 'y'));
    await wire.answer(bytes);
    t.equal(await result, code);
    t.ok(await goesOn(wire));
    t.notOk(wire.session.hungUp);
  });
}

await t.test('an answer and a half in one packet', async (t) => {
  const wire = await Wire.ready(t);
  const first = wire.session.getData('A', 1, 1);
  const second = wire.session.getData('B', 1, 1);
  await wire.answer('200 result=1\nHANG');
  t.equal(await first, '1');
  await wire.line();
  wire.send('UP\n200 result=2\n');
  t.equal(await second, '2');
  t.ok(wire.session.hungUp);
});

await t.test('a forged answer ends the session instead of answering the next command', async (t) => {
  const wire = await Wire.ready(t);
  const [first, second] = [wire.session.getData('A', 1, 1), wire.session.getData('B', 1, 1)];
  await wire.answer('200 result=1 (x\ny)\n200 result=1 (forged)\nHANGUP\nz)\n');
  t.equal(await first, '1');
  t.equal(await outcome(second), 'protocol');
  t.notOk(wire.session.hungUp);
  await wire.closing();
  t.equal(wire.sent, 'GET DATA A 1 1\n');
});

for (const [what, bytes] of Object.entries({
  'an answer that no command asked for': '200 result=0\n',
  'text that no command asked for': 'hello\n',
})) {
  await t.test(`${what} ends the session`, async (t) => {
    const wire = await Wire.ready(t);
    wire.send(bytes);
    await wire.closing();
    t.equal(await outcome(wire.session.noop()), 'protocol');
  });
}

for (const bytes of [
  'hello\n',
  '200\n',
  '200 OK\n',
  '20 result=1\n',
  '\n',
  '404 result=1\n',
  '100 result=0 Trying...\n',
  '200 result=1\r\n\n',
]) {
  await t.test(`${JSON.stringify(bytes)} is no answer`, async (t) => {
    const wire = await Wire.ready(t);
    const result = wire.session.noop();
    const next = wire.session.noop();
    await wire.answer(bytes);
    const ends = [await outcome(result), await outcome(next)];
    t.ok(ends.includes('protocol'), String(ends));
    await wire.closing();
  });
}

await t.test('an answer without end is cut by size: one line, a 520 of many lines', async (t) => {
  for (const begin of ['200 result=1 (', '520-\n']) {
    const wire = await Wire.ready(t, { replyBytes: 20_000 });
    const result = outcome(wire.session.noop());
    await wire.answer(begin);
    const text = begin.endsWith('\n') ? `${'x'.repeat(99)}\n` : 'x'.repeat(100);
    for (let i = 0; i < 300; i++) wire.send(text);
    t.equal(await result, 'protocol');
    await wire.session.closed;
  }
});

await t.test('a usage text of ten megabytes is read in time that grows with its size only', async (t) => {
  const wire = await Wire.ready(t, { replyBytes: 20_000_000 });
  const result = outcome(wire.session.noop());
  const begun = process.cpuUsage();
  await wire.answer(`520-\n${'x'.repeat(99).concat('\n').repeat(100_000)}520 End of proper usage.\n`);
  t.equal(await result, 'rejected 520');
  // A parser that starts again at every packet takes half a minute for this.
  t.ok(process.cpuUsage(begun).user < 5_000_000);
});

await t.test('no answer in time ends the session, and what waits hears it', async (t) => {
  const wire = await Wire.ready(t, { commandTimeoutMs: 50 });
  const first = outcome(wire.session.noop());
  const second = outcome(wire.session.noop());
  t.equal(await first, 'timeout');
  t.equal(await second, 'timeout');
  await wire.closing();
  t.equal(wire.sent, 'NOOP\n', 'a late answer has nothing to be mistaken for');
});

await t.test('half an answer is no answer', async (t) => {
  for (const half of ['200 result=1', '520-Invalid\n']) {
    const wire = await Wire.ready(t, { commandTimeoutMs: 50 });
    const result = outcome(wire.session.noop());
    await wire.answer(half);
    t.equal(await result, 'timeout', JSON.stringify(half));
  }
});

await t.test('each command may bring its own time', async (t) => {
  const wire = await Wire.ready(t, { commandTimeoutMs: 60_000 });
  t.equal(await outcome(wire.session.sendCommand('NOOP', 50)), 'timeout');
});

await t.test('the socket closed: every promise settles', async (t) => {
  const ends: Record<string, [(wire: Wire) => void, string]> = {
    FIN: [(wire) => wire.socket.end(), 'closed'],
    'HANGUP and FIN': [(wire) => wire.socket.end('HANGUP\nHANGUP\n'), 'hangup'],
    RST: [(wire) => wire.socket.resetAndDestroy(), 'closed'],
    'our own destroy': [(wire) => wire.session.destroy(new AgiError('timeout', 'enough')), 'timeout'],
  };
  for (const [what, [end, code]] of Object.entries(ends)) {
    const wire = await Wire.ready(t);
    const pending = [wire.session.getData('x', 60_000, 1), wire.session.noop(), wire.session.verbose('x')];
    await wire.line();
    end(wire);
    for (const promise of pending) t.equal(await outcome(promise), code, what);
    t.equal(await outcome(wire.session.noop()), code, `${what}, and afterwards`);
    await wire.session.closed;
    await wire.session.end();
  }
});

await t.test('a rejection that no script awaits does not end the process', async (t) => {
  const wire = await Wire.ready(t);
  const unhandled: unknown[] = [];
  const note = (error: unknown): unknown => unhandled.push(error);
  process.on('unhandledRejection', note);
  t.teardown(() => process.off('unhandledRejection', note));
  void wire.session.noop();
  void wire.session.verbose('\n');
  void wire.session.getData('\n', 1, 1);
  wire.socket.resetAndDestroy();
  await wire.session.closed;
  void wire.session.noop();
  const silent = await Wire.open(t);
  silent.socket.resetAndDestroy();
  await silent.session.closed;
  await new Promise(setImmediate);
  t.same(unhandled, []);
});
