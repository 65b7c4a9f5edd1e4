import { once } from 'node:events';
import { connect } from 'node:net';
import { pino } from 'pino';
import t from 'tap';
import { AgiServer, proofFor, type Script } from '../../agi/server.js';
import { Star64Error } from '../../domain/errors.js';
import { call } from './fake-asterisk.js';
import { dial, gate, serve, token } from './serving.js';
import { environment } from './wire.js';

const answering: Script = async (session) => {
  await session.setVariable('STAR64_ANSWER', 'yes');
};

const answered = async (port: number, uniqueid = '1700000000.1'): Promise<boolean> => {
  const { variables } = await call({ port, token, script: 'sign-in', uniqueid });
  return variables.get('STAR64_ANSWER') === 'yes';
};

/** How a server reacts to a new connection: what Asterisk sees. */
const knock = (port: number): Promise<string> =>
  new Promise((resolve) => {
    const socket = connect({ port, host: '127.0.0.1' });
    socket.on('connect', () => socket.destroy());
    socket.on('error', (error: NodeJS.ErrnoException) => resolve(error.code ?? 'error'));
    socket.on('close', (failed) => failed || resolve('accepted'));
  });

await t.test('a thousand silent connections do not keep a call out', async (t) => {
  // Nobody waits for the deadline of a silent connection: it comes after an hour.
  const { server, port } = await serve(
    t,
    { 'sign-in': answering },
    { maxHalfOpen: 100, environmentTimeoutMs: 3_600_000 },
  );
  const silent = await Promise.all(Array.from({ length: 1_000 }, () => dial(t, port)));
  t.ok(await answered(port));
  t.ok(server.counters.halfOpen <= 100);
  t.equal(server.counters.refused + server.counters.halfOpen, 1_000);
  for (const socket of silent) socket.destroy();
});

await t.test('the oldest silent connection goes first', async (t) => {
  const { server, port } = await serve(t, {}, { maxHalfOpen: 2 });
  const first = await dial(t, port);
  const closed = once(first, 'close');
  const second = await dial(t, port);
  const third = await dial(t, port);
  await closed;
  t.notOk(second.closed || third.closed);
  t.equal(server.counters.halfOpen, 2);
});

await t.test('a silent connection is closed after its time', async (t) => {
  const { server, port } = await serve(t, {}, { environmentTimeoutMs: 50 });
  await once(await dial(t, port), 'close');
  t.match(server.counters, { halfOpen: 0, refused: 1 });
});

await t.test('an environment that comes in pieces is served', async (t) => {
  const { port } = await serve(t, { 'sign-in': answering });
  const { variables } = await call({ port, token, script: 'sign-in', pieces: 7 });
  t.equal(variables.get('STAR64_ANSWER'), 'yes');
});

await t.test('above maxSessions a call is closed at once, without a command', async (t) => {
  const busy = gate();
  const { server, port } = await serve(t, { busy: busy.wait, 'sign-in': answering }, { maxSessions: 1 });
  const early = await dial(t, port); // connects while there is room, speaks when there is none
  const running = call({ port, token, script: 'busy' });
  await busy.passed;
  t.equal(await answered(port), false);
  let heard = '';
  early.on('data', (chunk: Buffer) => (heard += chunk.toString()));
  early.write(environment({}, [proofFor('1700000000.1', 'sign-in', token)]));
  await once(early, 'close');
  t.equal(heard, '');
  t.match(server.counters, { active: 1, served: 0 });
  busy.open();
  await running;
  t.ok(await answered(port), 'and served again when there is room');
});

await t.test('a thousand calls at once are all answered', async (t) => {
  const { server, port } = await serve(t, { 'sign-in': answering });
  const all = await Promise.all(Array.from({ length: 1_000 }, (_, i) => answered(port, `1700000000.${i}`)));
  t.equal(all.filter(Boolean).length, 1_000);
  t.match(server.counters, { served: 1_000, refused: 0, failed: 0, active: 0 });
});

await t.test(
  'not ready: connections are refused, running scripts go on; ready again on the same port',
  async (t) => {
    const slow = gate();
    const { server, port } = await serve(t, {
      'sign-in': answering,
      slow: async (session) => {
        await slow.wait();
        await session.setVariable('STAR64_ANSWER', 'late');
      },
    });
    const running = call({ port, token, script: 'slow' });
    await slow.passed;
    server.stopListening();
    server.stopListening();
    t.equal(await knock(port), 'ECONNREFUSED');
    slow.open();
    t.equal((await running).variables.get('STAR64_ANSWER'), 'late');
    await server.resume();
    await server.resume();
    t.ok(await answered(port));
    t.same(await server.start(), { port });
  },
);

await t.test('drain: what runs is finished, nothing new begins', async (t) => {
  const slow = gate();
  const { server, port } = await serve(t, {
    slow: async (session) => {
      await slow.wait();
      await session.setVariable('STAR64_ANSWER', 'late');
    },
  });
  const running = call({ port, token, script: 'slow' });
  await slow.passed;
  const drained = server.drain(10_000);
  t.equal(await knock(port), 'ECONNREFUSED');
  slow.open();
  t.equal((await running).variables.get('STAR64_ANSWER'), 'late');
  t.equal(await drained, 0);
});

await t.test('drain: what does not finish in time is cut', async (t) => {
  const stuck = gate();
  const { server, port } = await serve(t, { stuck: stuck.wait });
  const running = call({ port, token, script: 'stuck' });
  await stuck.passed;
  t.equal(await server.drain(50), 1);
  t.equal((await running).variables.size, 0);
  stuck.open();
});

await t.test('close cuts everything now; a script hears it at its next command', async (t) => {
  const slow = gate();
  let code: unknown;
  const { server, port } = await serve(t, {
    slow: async (session) => {
      await slow.wait();
      await session.noop().catch((error: unknown) => (code = (error as { code: unknown }).code));
    },
  });
  const silent = once(await dial(t, port), 'close');
  const running = call({ port, token, script: 'slow' });
  await slow.passed;
  await server.close();
  await running;
  await silent;
  slow.open();
  t.equal(await server.drain(5_000), 0);
  t.equal(code, 'closed');
});

await t.test('what is wrong with the settings is said in words', async (t) => {
  const { port } = await serve(t, {});
  const silent = pino({ level: 'silent' });
  const start = (settings: object): Promise<unknown> =>
    Promise.resolve()
      .then(() => new AgiServer({ port: 0, token, ...settings }, new Map(), silent).start())
      .catch((error: unknown) => error);
  const cases: [object, string, RegExp][] = [
    [{ port }, 'conflict', /port is in use/],
    [{ port: 70_000 }, 'usage', /from 0 to 65535/],
    [{ host: '203.0.113.1' }, 'usage', /no address of this machine/],
    [{ token: 'short' }, 'usage', /at least 24/],
    [{ maxSessions: 0 }, 'usage', /maxSessions/],
    [{ scriptTimeoutMs: 1.5 }, 'usage', /scriptTimeoutMs/],
  ];
  for (const [settings, kind, message] of cases) {
    const error = await start(settings);
    t.ok(error instanceof Star64Error, JSON.stringify(settings));
    t.match(error, { kind, message });
    t.notMatch(error, { message: /short/ }, 'the token is not told');
  }
});

await t.test('a port that was taken can be had later', async (t) => {
  const first = await serve(t, {});
  const second = new AgiServer({ port: first.port, token }, new Map(), pino({ level: 'silent' }));
  t.teardown(() => second.close());
  await t.rejects(second.start(), Star64Error);
  await first.server.close();
  t.same(await second.start(), { port: first.port });
});
