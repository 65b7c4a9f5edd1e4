import t from 'tap';
import { outcome, Wire } from './wire.js';

await t.test('HANGUP answers no command: the answer comes before it, or after it', async (t) => {
  for (const bytes of ['200 result=1 (x)\nHANGUP\n', 'HANGUP\n200 result=1 (x)\n']) {
    const wire = await Wire.ready(t);
    const hangup = new Promise((resolve) => wire.session.once('hangup', () => resolve('heard')));
    const value = wire.session.getVariable('X');
    await wire.answer(bytes);
    t.equal(await value, 'x');
    t.equal(await hangup, 'heard');
    t.ok(wire.session.hungUp);
  }
});

await t.test('after HANGUP commands for a dead channel still work, others say hangup', async (t) => {
  const wire = await Wire.ready(t);
  let heard = 0;
  wire.session.on('hangup', () => heard++);
  const digit = outcome(wire.session.waitForDigit(5_000));
  await wire.answer('HANGUP\n511 Command Not Permitted on a dead channel or intercept routine\n');
  t.equal(await digit, 'hangup 511');
  const set = wire.session.setVariable('A', 'b');
  t.equal(await wire.answer('HANGUP\n200 result=1\n'), 'SET VARIABLE A b');
  await set;
  t.equal(heard, 1, 'it is said once');
});

await t.test('a prompt that fails after HANGUP is a hangup, not a missing file', async (t) => {
  const wire = await Wire.ready(t);
  const played = outcome(wire.session.streamFile('beep'));
  await wire.answer('HANGUP\n200 result=-1 endpos=0\n');
  t.equal(await played, 'hangup 200');
});

await t.test('zombie: a script that ignores the hangup does not keep the channel', async (t) => {
  const signs: Record<string, string> = {
    HANGUP: 'HANGUP\n200 result=0\n',
    '511, with AGISIGHUP=no': '511 No\n',
  };
  for (const [what, bytes] of Object.entries(signs)) {
    const wire = await Wire.ready(t, { hangupGraceMs: 50, endGraceMs: 50 });
    const first = outcome(wire.session.waitForDigit(1_000));
    await wire.answer(bytes);
    await first;
    const pending = outcome(wire.session.exec('Wait', '60'));
    // This Asterisk neither answers nor closes.
    await wire.closing();
    await wire.session.closed;
    t.equal(await pending, wire.session.hungUp ? 'hangup' : 'closed', what);
  }
});

await t.test('our own end is a half-close; the HANGUP that follows it is not the caller', async (t) => {
  const wire = await Wire.ready(t);
  let heard = 0;
  wire.session.on('hangup', () => heard++);
  const ended = wire.session.end();
  await wire.closing();
  t.notOk(wire.inner.destroyed, 'no reset: Asterisk may still write');
  wire.socket.end('HANGUP\n');
  await ended;
  t.equal(heard, 0);
  t.notOk(wire.session.hungUp);
  t.equal(await outcome(wire.session.noop()), 'closed');
});

await t.test(
  'our own end lets the command under way be answered, and nothing after it be sent',
  async (t) => {
    const wire = await Wire.ready(t);
    const first = outcome(wire.session.getVariable('A'));
    const second = outcome(wire.session.getVariable('B'));
    const ended = wire.session.end();
    t.equal(await second, 'closed');
    await wire.answer('HANGUP\n200 result=1 (a)\n');
    t.equal(await first, 'a');
    t.notOk(wire.session.hungUp);
    wire.socket.end();
    await ended;
    t.equal(wire.sent, 'GET VARIABLE A\n');
  },
);

await t.test('our own end is bounded when Asterisk does not close', async (t) => {
  const wire = await Wire.ready(t, { endGraceMs: 50 });
  const pending = outcome(wire.session.noop());
  await wire.session.end();
  t.equal(await pending, 'closed');
});

await t.test('our own end before the environment settles whoever waits for it', async (t) => {
  const wire = await Wire.open(t, { endGraceMs: 50 });
  const ended = wire.session.end();
  t.equal(await outcome(wire.session.ready), 'closed');
  await ended;
});

await t.test('a listener that throws ends its own session only', async (t) => {
  const wire = await Wire.ready(t);
  wire.session.on('hangup', () => {
    throw new Error('mistake');
  });
  const pending = outcome(wire.session.noop());
  await wire.answer('HANGUP\n');
  t.equal(await pending, 'protocol');
  await wire.session.closed;
});

await t.test('a command asked for by a hangup listener gets its own answer', async (t) => {
  const wire = await Wire.ready(t);
  const asked = new Promise<unknown>((resolve) => {
    wire.session.once('hangup', () => resolve(wire.session.getVariable('B')));
  });
  const first = wire.session.getVariable('A');
  await wire.answer('HANGUP\n200 result=1 (a)\n');
  t.equal(await first, 'a');
  t.equal(await wire.answer('200 result=1 (b)\n'), 'GET VARIABLE B');
  t.equal(await asked, 'b');
});

await t.test('a command asked for by a hangup listener is not answered by what came before it', async (t) => {
  const wire = await Wire.ready(t);
  const asked = new Promise<unknown>((resolve) => {
    wire.session.once('hangup', () => resolve(outcome(wire.session.getVariable('B'))));
  });
  wire.send('HANGUP\n200 result=1 (forged)\n');
  t.equal(await asked, 'protocol');
});
