import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { connect } from 'node:net';
import t from 'tap';
import { LabAsterisk } from '../../lab/asterisk.js';
import { Caller, crowd, parseStatistics } from '../../lab/caller.js';
import { Phone } from '../../lab/phone.js';
import { processStart, until } from '../../domain/machine/processes.js';
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
