import t from 'tap';
import { environment, outcome, Wire } from './wire.js';

await t.test('the environment is split at the first colon and typed', async (t) => {
  const wire = await Wire.open(t);
  wire.send(
    environment(
      {
        agi_network_script: 's?a=b:c',
        agi_request: 'agi://127.0.0.1:4573/s?a=b:c',
        agi_calleridname: 'Al: ice',
        agi_callerid: 'unknown',
      },
      ['http://x/y', '', ' padded '],
    ),
  );
  const request = await wire.session.ready;
  t.equal(request, wire.session.request);
  t.match(request, {
    uniqueid: '1700000000.1',
    channel: 'PJSIP/astercc-5000-00000001',
    script: 's?a=b:c',
    url: 'agi://127.0.0.1:4573/s?a=b:c',
    callerIdName: 'Al: ice',
    callerIdNumber: null,
    rdnis: null,
    dnid: '*64',
    accountCode: '',
    extension: '*64',
  });
  t.same(request.args, ['http://x/y', '', ' padded ']);
  t.equal(request.variables.get('agi_threadid'), '140219', 'lines without a field are kept');
  t.notOk(request.variables.has(''), 'the empty line is no variable');
});

await t.test('the environment may come in any pieces, letters of UTF-8 included', async (t) => {
  const wire = await Wire.open(t);
  for (const byte of Buffer.from(environment({ agi_calleridname: 'Zoë 王' }))) {
    wire.send(Buffer.of(byte));
    await new Promise(setImmediate);
  }
  t.equal((await wire.session.ready).callerIdName, 'Zoë 王');
});

await t.test('a name in Latin-1 keeps its letters', async (t) => {
  const wire = await Wire.open(t);
  wire.send(Buffer.from(environment({ agi_calleridname: 'Zoë Jürgens' }), 'latin1'));
  t.equal((await wire.session.ready).callerIdName, 'Zoë Jürgens');
});

await t.test('a HANGUP in the packet of the environment is a hangup, not a variable', async (t) => {
  const wire = await Wire.open(t);
  wire.send(`${environment({}, ['x'])}HANGUP\n`);
  const request = await wire.session.ready;
  t.same(request.args, ['x']);
  t.ok(wire.session.hungUp);
});

const forgeries: Record<string, string> = {
  'an argument forged by a line feed in the name': environment(
    { agi_calleridname: 'Bob\nagi_arg_1: forged' },
    ['real'],
  ),
  'one argument more, forged likewise': environment({ agi_calleridname: 'Bob\nagi_arg_1: x\nagi_arg_2: y' }),
  'a forged script': environment({ agi_calleridname: 'Bob\nagi_network_script: admin' }),
  'a forged context, whose real line comes later': environment({ agi_calleridname: 'Bob\nagi_context: x' }),
  'text after a line feed': environment({ agi_calleridname: 'Bob\nJones' }),
  'a forged end of the environment': environment({ agi_calleridname: 'Bob\nagi_arg_1: x\n' }),
  'a forged HANGUP': environment({ agi_calleridname: 'Bob\nHANGUP' }),
  'arguments that do not begin with the first': environment({ agi_arg_2: 'x' }),
  'a key that is no agi_ variable': environment({ constructor: 'x' }),
};
for (const [what, bytes] of Object.entries(forgeries)) {
  await t.test(`refused: ${what}`, async (t) => {
    const wire = await Wire.open(t);
    wire.send(bytes);
    t.equal(await outcome(wire.session.ready), 'protocol');
    await wire.closing();
    t.equal(wire.sent, '', 'and no command was sent');
  });
}

await t.test('an environment without end is cut by size, however it comes', async (t) => {
  for (const bytes of ['a'.repeat(30_000), `agi_a: ${'b'.repeat(11_000)}\n`]) {
    const wire = await Wire.open(t, { environmentBytes: 10_000 });
    wire.send(bytes);
    t.equal(await outcome(wire.session.ready), 'protocol');
    await wire.session.closed;
  }
});

await t.test('an environment of many lines is cut by size too', async (t) => {
  const wire = await Wire.open(t, { environmentBytes: 10_000 });
  for (let i = 0; i < 1_000; i++) wire.send(`agi_x${i}: ${'y'.repeat(10)}\n`);
  t.equal(await outcome(wire.session.ready), 'protocol');
});

await t.test('an environment that does not end is cut by time', async (t) => {
  const wire = await Wire.open(t, { environmentTimeoutMs: 50 });
  wire.send('agi_network: yes\n');
  t.equal(await outcome(wire.session.ready), 'timeout');
  await wire.closing();
});

await t.test('a connection that ends inside the environment rejects whoever waits', async (t) => {
  const wire = await Wire.open(t);
  wire.send('agi_network: yes\nagi_req');
  wire.socket.end();
  t.equal(await outcome(wire.session.ready), 'closed');
  t.equal(await outcome(wire.session.noop()), 'closed');
});

await t.test('a command before the environment is complete is refused, not sent', async (t) => {
  const wire = await Wire.open(t);
  t.equal(await outcome(wire.session.noop()), 'protocol');
  t.throws(() => wire.session.request, { code: 'protocol' });
  wire.send(environment());
  await wire.session.ready;
  const noop = wire.session.noop();
  await wire.answer('200 result=0\n');
  await noop;
  t.equal(wire.sent, 'NOOP\n');
});
