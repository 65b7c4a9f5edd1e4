import t from 'tap';
import { outcome, Wire } from './wire.js';

/** Deadlines that play no part. */
const unhurried = { hangupGraceMs: 60_000, endGraceMs: 60_000 };

await t.test('HANGUP answers no command: the answer comes before it, or after it', async (t) => {
  for (const bytes of ['200 result=1\nHANGUP\n', 'HANGUP\n200 result=1\n']) {
    const wire = await Wire.ready(t, unhurried);
    const digits = wire.session.getData('x', 1, 1);
    await wire.answer(bytes);
    t.equal(await digits, '1');
    t.ok(wire.session.hungUp);
  }
});

await t.test('after HANGUP commands for a dead channel still work, others say hangup', async (t) => {
  const wire = await Wire.ready(t, unhurried);
  const digit = outcome(wire.session.getData('x', 5_000, 1));
  await wire.answer('HANGUP\n511 Command Not Permitted on a dead channel or intercept routine\n');
  t.equal(await digit, 'hangup 511');
  const set = wire.session.setVariable('A', 'b');
  t.equal(await wire.answer('HANGUP\n200 result=1\n'), 'SET VARIABLE A "b"');
  await set;
  t.ok(wire.session.hungUp);
});

await t.test('a prompt that fails after HANGUP is a hangup, not a missing file', async (t) => {
  const wire = await Wire.ready(t, unhurried);
  const played = outcome(wire.session.getData('beep', 1, 1));
  await wire.answer('HANGUP\n200 result=-1\n');
  t.equal(await played, 'hangup 200');
});

await t.test('zombie: a script that ignores the hangup does not keep the channel', async (t) => {
  const signs: Record<string, string> = {
    HANGUP: 'HANGUP\n200 result=0\n',
    '511, with AGISIGHUP=no': '511 No\n',
  };
  for (const [what, bytes] of Object.entries(signs)) {
    const wire = await Wire.ready(t, { hangupGraceMs: 50, endGraceMs: 50 });
    const first = outcome(wire.session.getData('x', 1_000, 1));
    await wire.answer(bytes);
    await first;
    const pending = outcome(wire.session.setVariable('A', 'b'));
    // This Asterisk neither answers nor closes.
    await wire.closing();
    await wire.session.closed;
    t.equal(await pending, wire.session.hungUp ? 'hangup' : 'closed', what);
  }
});

await t.test('our own end is a half-close; the HANGUP that follows it is not the caller', async (t) => {
  const wire = await Wire.ready(t, unhurried);
  const ended = wire.session.end();
  await wire.closing();
  t.notOk(wire.inner.destroyed, 'no reset: Asterisk may still write');
  wire.socket.end('HANGUP\n');
  await ended;
  t.notOk(wire.session.hungUp);
  t.equal(await outcome(wire.session.noop()), 'closed');
});

await t.test(
  'our own end lets the command under way be answered, and nothing after it be sent',
  async (t) => {
    const wire = await Wire.ready(t, unhurried);
    const first = outcome(wire.session.getData('A', 1, 1));
    const second = outcome(wire.session.getData('B', 1, 1));
    const ended = wire.session.end();
    t.equal(await second, 'closed');
    await wire.answer('HANGUP\n200 result=1\n');
    t.equal(await first, '1');
    t.notOk(wire.session.hungUp);
    wire.socket.end();
    await ended;
    t.equal(wire.sent, 'GET DATA A 1 1\n');
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
