import { once } from 'node:events';
import t from 'tap';
import { proofFor, type Script } from '../../agi/server.js';
import { call } from './fake-asterisk.js';
import { dial, gate, serve, token } from './serving.js';
import { environment } from './wire.js';

const answering: Script = async (session, args) => {
  await session.setVariable('STAR64_ANSWER', args.join('|'));
};

await t.test(
  'a question with the right proof is answered; the script sees the arguments after it',
  async (t) => {
    const { server, port } = await serve(t, { 'sign-in': answering });
    const { variables } = await call({ port, token, script: 'sign-in', args: ['astercc', '', 'a,b'] });
    t.equal(variables.get('STAR64_ANSWER'), 'astercc||a,b');
    t.match(server.counters, { active: 0, halfOpen: 0, served: 1, refused: 0, failed: 0 });
    t.match(server.counters.scripts.get('sign-in'), { served: 1, hungUp: 0, failed: 0 });
    t.match(
      [...(server.counters.scripts.get('sign-in')?.seconds.lines('s') ?? [])].at(-1),
      /^s_count 1$/m,
      'its time is known',
    );
  },
);

await t.test('the proof is the one that Asterisk computes', (t) => {
  // SHA1 of "1700000000.1:sign-in:secret" by another implementation.
  t.equal(proofFor('1700000000.1', 'sign-in', 'secret'), '358b69cc082d4282eec5261022f8839b0896cd09');
  t.end();
});

const right = proofFor('1700000000.1', 'sign-in', token);
const wrong: Record<string, Parameters<typeof call>[0]> = {
  'no argument at all': { port: 0, script: 'sign-in' },
  'the token itself': { port: 0, script: 'sign-in', proof: token },
  'an empty proof': { port: 0, script: 'sign-in', proof: '' },
  'one letter of it wrong': {
    port: 0,
    script: 'sign-in',
    proof: right.replace(/.$/, (c) => (c === '0' ? '1' : '0')),
  },
  'a part of it': { port: 0, script: 'sign-in', proof: right.slice(1) },
  'letters that are no ASCII': { port: 0, script: 'sign-in', proof: 'é'.repeat(20) },
  'the proof of another call': { port: 0, script: 'sign-in', proof: right, uniqueid: '1700000000.2' },
  'the proof of another script': { port: 0, script: 'ready', proof: right },
  'a unique id with a colon': { port: 0, script: 'sign-in', token, uniqueid: '1:2' },
  'an empty unique id': { port: 0, script: 'sign-in', token, uniqueid: '' },
  'a unique id of 151 letters': { port: 0, script: 'sign-in', token, uniqueid: '1'.repeat(151) },
};
for (const [what, options] of Object.entries(wrong)) {
  await t.test(`refused: ${what}`, async (t) => {
    let ran = false;
    const script: Script = () => {
      ran = true;
      return Promise.resolve();
    };
    const { server, port, log } = await serve(t, { 'sign-in': script, ready: script });
    const { commands } = await call({ ...options, port });
    t.same(commands, [], 'no command is sent');
    t.notOk(ran);
    t.equal(server.counters.refused, 1);
    t.equal(server.counters.scripts.size, 0, 'no name from outside is counted');
    t.match(log, [{ level: 40, reason: /^no valid proof: .*`star64 apply`/ }]);
    t.notOk(JSON.stringify(log).includes(token), 'the log does not tell the token');
  });
}

for (const script of [
  'constructor',
  '__proto__',
  'toString',
  'sign-in?x=1',
  'Sign-In',
  'sign-in/',
  '',
  'x"\\\u0007',
]) {
  await t.test(`no script answers to ${JSON.stringify(script)}`, async (t) => {
    const { server, port, log } = await serve(t, { 'sign-in': answering });
    const { variables, verbose } = await call({ port, token, script });
    t.equal(variables.size, 0);
    t.match(verbose, [/^star64: there is no AGI script "/], 'the author of the dialplan sees why');
    t.match(log, [{ level: 40, script }]);
    t.match(server.counters, { refused: 1, served: 0 });
  });
}

const failing: Record<string, Script> = {
  rejects: () => Promise.reject(new Error('a mistake')),
  'throws before it returns a promise': () => {
    throw new Error('a mistake');
  },
  'fails after a command': async (session) => {
    await session.verbose('before');
    throw new Error('a mistake');
  },
  'throws no error object': () => {
    // eslint-disable-next-line @typescript-eslint/only-throw-error -- libraries do it
    throw 'a mistake';
  },
};
for (const [what, script] of Object.entries(failing)) {
  await t.test(`a script that ${what} is logged and leaves no answer`, async (t) => {
    const { server, port, log } = await serve(t, { bad: script, good: answering });
    const { variables } = await call({ port, token, script: 'bad', uniqueid: '17.5' });
    t.equal(variables.size, 0);
    t.match(log, [{ level: 50, uniqueid: '17.5', script: 'bad' }]);
    t.match(JSON.stringify(log), /a mistake/);
    t.match(server.counters, { failed: 1, served: 0, active: 0 });
    const next = await call({ port, token, script: 'good', args: ['x'] });
    t.equal(next.variables.get('STAR64_ANSWER'), 'x', 'the next call is served');
  });
}

await t.test('a refused command that the script does not catch is a failure of the script', async (t) => {
  const { server, port } = await serve(t, {
    play: async (session) => {
      await session.noop();
    },
  });
  await call({ port, token, script: 'play', answer: () => '510 Invalid or unknown command' });
  t.match(server.counters, { failed: 1 });
});

await t.test('a caller who hangs up is counted as that, not as a failure', async (t) => {
  const { server, port } = await serve(t, {
    ask: async (session) => {
      await session.getData('x', 1_000, 1);
    },
  });
  const answer = (): string => 'HANGUP\n511 Command Not Permitted on a dead channel or intercept routine';
  await call({ port, token, script: 'ask', answer });
  t.match(server.counters, { hungUp: 1, failed: 0 });
});

await t.test(
  'a script that goes on after its caller hung up loses the session, and the channel with it',
  async (t) => {
    const stuck = gate();
    const { server, port } = await serve(t, { stuck: stuck.wait }, { hangupGraceMs: 50, endGraceMs: 50 });
    const socket = await dial(t, port);
    socket.write(environment({ agi_network_script: 'stuck' }, [proofFor('1700000000.1', 'stuck', token)]));
    socket.write('HANGUP\n');
    await once(socket, 'end');
    t.equal(server.counters.active, 1, 'the script itself still runs');
    stuck.open();
  },
);

await t.test('a script that takes too long is cut', async (t) => {
  const forever = gate();
  const { server, port, log } = await serve(t, { forever: forever.wait }, { scriptTimeoutMs: 50 });
  const { commands } = await call({ port, token, script: 'forever' });
  t.same(commands, []);
  t.match(log, [{ level: 50, script: 'forever', err: { code: 'timeout' } }]);
  t.match(server.counters, { failed: 1, active: 0 });
  forever.open();
});

await t.test('a script that is cut hears why, whatever it waits for', async (t) => {
  let code: unknown;
  const script: Script = async (session) => {
    await session
      .getData('x', 60_000, 1)
      .catch((error: unknown) => (code = (error as { code: unknown }).code));
  };
  const { port } = await serve(t, { ask: script }, { scriptTimeoutMs: 50 });
  await call({ port, token, script: 'ask', answer: () => null });
  t.equal(code, 'timeout');
});

await t.test('a caller that resets the connection at any moment harms nobody', async (t) => {
  const { server, port } = await serve(t, { 'sign-in': answering });
  const block = environment({}, [right]);
  for (const bytes of ['', 'agi_network: yes\n', block, `${block}HANGUP\n`, `${block}200 result=1\n`]) {
    const socket = await dial(t, port);
    socket.write(bytes);
    await new Promise(setImmediate);
    socket.resetAndDestroy();
  }
  const { variables } = await call({ port, token, script: 'sign-in', args: ['x'] });
  t.equal(variables.get('STAR64_ANSWER'), 'x');
  t.equal(await server.drain(5_000), 0, 'and nothing of them is left');
});

await t.test('an answer that does not come is a failure, after the time that was set', async (t) => {
  const { server, port } = await serve(t, { 'sign-in': answering }, { commandTimeoutMs: 50 });
  await call({ port, token, script: 'sign-in', answer: () => null });
  t.match(server.counters, { failed: 1 });
});
