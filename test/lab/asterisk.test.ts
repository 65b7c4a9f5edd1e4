import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { connect } from 'node:net';
import t from 'tap';
import { LabAsterisk } from '../../lab/asterisk.js';
import { Caller, crowd, parseStatistics } from '../../lab/caller.js';
import { Phone } from '../../lab/phone.js';
import { childrenOf, processStart, until } from '../../domain/machine/processes.js';
import { requireLab } from '../support/lab.js';

const skip = await requireLab();

const account = (user: string): string => `
[${user}]
type = endpoint
context = phones
disallow = all
allow = ulaw
auth = ${user}
aors = ${user}
[${user}]
type = aor
max_contacts = 1
[${user}]
type = auth
username = ${user}
password = secret
`;
/** How a process was started; nothing once it is gone. */
const commandOf = (pid: number): string => {
  try {
    return readFileSync(`/proc/${pid}/cmdline`, 'utf8');
  } catch {
    return '';
  }
};
const extra = {
  'pjsip.conf': account('t1-5000') + account('t1-5001'),
  'extensions.conf': `
[phones]
exten => 600,1,Answer()
 same => n,Playback(agent-loginok)
 same => n,Read(NUMBER,agent-user,10)
 same => n,NoOp(number \${NUMBER})
 same => n,Playback(vm-goodbye)
 same => n,Hangup()
exten => _5XXX,1,Dial(PJSIP/t1-\${EXTEN})
[star64-inbound]
exten => 1,1,Ringing()
 same => n,Wait(60)
exten => 2,1,Hangup(17)
exten => 3,1,Answer()
 same => n,NoOp(caller \${CALLERID(all)})
 same => n,Wait(60)
`,
};

await t.test('an Asterisk of its own', { skip }, async (t) => {
  const asterisk = await LabAsterisk.start({ extra });
  t.teardown(() => asterisk.stop());
  t.same(await asterisk.warnings(), [], 'a start without extras logs no warning');

  await t.test('two phones register, call each other, and press keys', async (t) => {
    const start = (user: string): Promise<Phone> =>
      Phone.start({ user, secret: 'secret', server: asterisk.sip });
    const [anna, bert] = await Promise.all([start('t1-5000'), start('t1-5001')]);
    t.teardown(() => Promise.all([anna.stop(), bert.stop()]));
    await anna.register();
    await bert.register();

    await anna.dial('600');
    await anna.established();
    await asterisk.waitPlayed('t1-5000', 'agent-user');
    await anna.digits('1001#');
    await anna.closed();
    await asterisk.verbose.waitFor(/number 1001"/);
    t.same(await asterisk.played('t1-5000'), ['agent-loginok', 'agent-user', 'vm-goodbye']);
    const prompts = ['vm-goodbye', 'agent-loginok', 'agent-loggedoff', 'beep', 'agent-pass'];
    const heard = await asterisk.recognise(await anna.heard(), prompts);
    t.same(heard, ['agent-loginok', 'vm-goodbye']);

    await anna.dial('5001');
    await bert.incoming();
    await bert.answer();
    await anna.established();
    await bert.hangup();
    await anna.closed();

    const from = anna.events.length;
    await anna.dial('5001');
    await bert.incoming();
    await bert.hangup();
    const refused = await anna.event(/^CALL_CLOSED$/, { from });
    t.match(refused.param, /486|603|Busy/);
  });

  await t.test('a phone registers anew as often as it likes, and calls and is called', async (t) => {
    // What is freed is overwritten and not given out again at once: who uses it dies of it each time, not now and then.
    const { MALLOC_PERTURB_, GLIBC_TUNABLES } = process.env;
    Object.assign(process.env, {
      MALLOC_PERTURB_: '165',
      GLIBC_TUNABLES: 'glibc.malloc.tcache_count=0',
    });
    const phone = await Phone.start({ user: 't1-5000', secret: 'secret', server: asterisk.sip });
    t.teardown(async () => {
      await phone.stop();
      for (const [name, value] of Object.entries({ MALLOC_PERTURB_, GLIBC_TUNABLES }))
        if (value === undefined) Reflect.deleteProperty(process.env, name);
        else process.env[name] = value;
    });
    for (let times = 0; times < 3; times++) {
      // A call before: or the memory of the account that goes is the very one that the next gets, and nothing is seen.
      await phone.dial('600');
      await phone.established();
      await phone.hangup();
      await phone.closed();
      await phone.register();
      t.match(await asterisk.console('pjsip show contacts'), /t1-5000\/sip/);
      await phone.dial('5000');
      await phone.incoming();
      await phone.hangup();
      await phone.closed();
      await phone.dial('600');
      await phone.established();
      await phone.hangup();
      await phone.unregister();
      t.notMatch(await asterisk.console('pjsip show contacts'), /t1-5000/, 'it is gone by then');
    }
  });

  await t.test('who waits for a phone whose program crashes learns that at once', async (t) => {
    const phone = await Phone.start({ user: 't1-5000', secret: 'secret', server: asterisk.sip });
    t.teardown(() => phone.stop());
    await phone.dial('600');
    await phone.established();
    const [program = 0, ...others] = childrenOf(process.pid).filter((pid) =>
      commandOf(pid).includes('/baresip'),
    );
    t.same(others, []);
    phone.freeze();
    const waiting: Promise<unknown>[] = [
      phone.closed(600_000),
      phone.event(/^CALL_INCOMING$/, { deadlineMs: 600_000 }),
      until('an event that never comes', () => phone.events.find(({ type }) => type === 'never'), 600_000),
      // A phone that stands still does not take the command: its answer is waited for.
      phone.hold(),
    ];
    const waits = waiting.map((wait) =>
      t.rejects(
        wait.then(() => undefined),
        { message: /phone t1-5000 was ended by SIGSEGV; it said last:\n/ },
      ),
    );
    process.kill(program, 'SIGSEGV');
    phone.thaw();
    await Promise.all(waits);
    await t.rejects(phone.hangup(), { message: /SIGSEGV/ });
    t.throws(() => phone.events, { message: /SIGSEGV/ });
  });

  await t.test('a phone that a test kills, or switches off, says so', async (t) => {
    const phone = await Phone.start({ user: 't1-5000', secret: 'secret', server: asterisk.sip });
    const waits = t.rejects(phone.incoming(600_000), { message: /t1-5000 has been killed/ });
    await phone.kill();
    await waits;
    t.same(phone.events, [], 'what was before can be looked at');
    await phone.stop();
    await phone.stop();
    const other = await Phone.start({ user: 't1-5001', secret: 'secret', server: asterisk.sip });
    await other.stop();
    await t.rejects(other.dial('600'), { message: /t1-5001 is switched off/ });
  });

  await t.test('a registration that nobody takes back is not taken for one that is', async (t) => {
    const phone = await Phone.start({ user: 't1-5000', secret: 'secret', server: asterisk.sip });
    t.teardown(() => phone.stop());
    await phone.register();
    asterisk.freeze();
    t.teardown(() => asterisk.thaw());
    await t.rejects(phone.unregister(1000), {
      message: /t1-5000 was to end, and was not answered within 1000 ms/,
    });
    asterisk.thaw();
  });

  await t.test('a wrong secret is refused', async (t) => {
    const phone = await Phone.start({ user: 't1-5000', secret: 'wrong', server: asterisk.sip });
    t.teardown(() => phone.stop());
    await t.rejects(phone.register(), { message: /cannot register.*40[13]/ });
  });

  await t.test('customers call over the trunk: one hangs up, one gives up, one is refused', async (t) => {
    const options = { from: '4930123', name: 'Zoë Müller', server: asterisk.sip };
    const talker = await Caller.call({ ...options, to: '3' });
    await talker.answered();
    await asterisk.verbose.waitFor(/caller "Zoë Müller" <4930123>/);
    await talker.hangup();
    const impatient = await Caller.call({ ...options, to: '1' });
    await impatient.ringing();
    await impatient.hangup();
    await asterisk.verbose.waitFor(/\(star64-inbound, 1, 2\) exited non-zero/);
    const refused = await Caller.call({ ...options, to: '2' });
    t.match(await refused.ended(), /486/);
  });

  await t.test('a crowd is counted by what became of each call', async (t) => {
    const options = { server: asterisk.sip, rate: 50, total: 20 };
    const answered = await crowd({ ...options, to: '12', address: '127.0.0.98' });
    t.match(answered, { successful: 20, failed: 0, responses: {} });
    const busy = await crowd({ ...options, to: '2' });
    t.match(busy, { successful: 0, failed: 20, responses: { '486': 20 }, timedOut: 0 });
    const unanswered = await crowd({ ...options, to: '1', patienceMs: 500 });
    t.match(unanswered, { successful: 0, failed: 20, timedOut: 20 });
  });

  await t.test('it comes back after a restart and after a crash, on the same ports', async (t) => {
    const { pid } = asterisk;
    await asterisk.console('database put lab key value');
    await asterisk.restart();
    t.not(asterisk.pid, pid);
    t.match(await asterisk.console('database get lab key'), /value/);
    await asterisk.kill();
    await asterisk.restart();
    const socket = connect(asterisk.ami.port, asterisk.ami.host);
    const [greeting] = (await once(socket, 'data')) as [Buffer];
    socket.destroy();
    t.match(greeting.toString(), /^Asterisk Call Manager/);
  });

  await t.test('a second one beside it has other ports and knows nothing of the first', async (t) => {
    const other = await LabAsterisk.start();
    t.teardown(() => other.stop());
    t.not(other.sip.port, asterisk.sip.port);
    t.match(await other.console('pjsip show endpoint t1-5000'), /Unable to find/);
    t.match(await asterisk.console('pjsip show endpoint t1-5000'), /t1-5000/);
  });
});

await t.test('when its parent is killed, Asterisk ends too', { skip }, async (t) => {
  const module = new URL('../../lab/asterisk.js', import.meta.url).href;
  const script = `import { LabAsterisk } from ${JSON.stringify(module)};
    const asterisk = await LabAsterisk.start(); console.log(asterisk.pid); setInterval(() => {}, 1000);`;
  const parent = spawn(process.execPath, ['--input-type=module', '-e', script], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  t.teardown(() => parent.kill('SIGKILL'));
  const [line] = (await once(parent.stdout, 'data')) as [Buffer];
  const pid = Number(line.toString());
  t.ok(await processStart(pid), 'it runs');
  parent.kill('SIGKILL');
  await until('Asterisk to end', async () => ((await processStart(pid)) === undefined ? true : undefined));
});

await t.test('a phone takes no text that would be syntax in its configuration', async (t) => {
  const server = { host: '127.0.0.1', port: 5060 };
  await t.rejects(Phone.start({ user: 'a>;x=', server }), { message: /lab phone|loopback/ });
  await t.rejects(Phone.start({ user: 'a', secret: 'x;y', server }), { message: /lab phone|loopback/ });
  await t.rejects(Phone.start({ user: 'a', name: 'x" <sip:b>', server }), { message: /lab phone|loopback/ });
  await t.rejects(Phone.start({ user: 'a', address: '192.0.2.1', server }), {
    message: /lab phone|loopback/,
  });
});

await t.test('statistics of another shape are an error, not a zero', (t) => {
  t.throws(() => parseStatistics('StartTime;\n'), { message: /have no/ });
  t.end();
});
