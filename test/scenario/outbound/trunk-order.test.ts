import { fileURLToPath } from 'node:url';
import t from 'tap';
import { nextOnUnlessSaid } from '../../../domain/calls/outbound/ways-out.js';
import { packageRoot } from '../../../domain/machine/package-root.js';
import { until } from '../../../domain/machine/processes.js';
import { LabAsterisk } from '../../../lab/asterisk.js';
import { crowd } from '../../../lab/caller.js';
import { Phone } from '../../../lab/phone.js';
import { readSamples, toneIn } from '../../../lab/wav.js';
import { needLab } from '../../support/centre.js';
import {
  Provider,
  toldIn,
  triesIn,
  type Behaviour,
  type ProviderCall,
} from '../../support/phones/providers.js';

await needLab(t);
const a = await Provider.start('provider.a', 91);
const b = await Provider.start('provider.b', 92);
t.teardown(() => Promise.all([a.stop(), b.stop()]));
const template = (name: string): string =>
  fileURLToPath(new URL(`dialplan-templates/${name}.conf`, packageRoot));
/** What is about the trunk, and not about who is called. */
const codes = nextOnUnlessSaid.join('.');
/** By the first digit of what is called; N is all of it. 9 is for trunks that do not reply, and numbers that ring. */
const steps = [
  `provider.a:+4930N:0:10:${codes}&provider.b:030N:0:10:${codes}`,
  'provider.a:N:0:10:486&provider.b:N:0:10:486',
  `provider.a:N:3:10:${codes}&provider.b:N:2:10:${codes}`,
  `provider.a:N:0:10:${codes}`,
  `provider.x:N:0:10:${codes}&provider.a:N:0:10:${codes}`,
  `provider.a:N:0:10:${codes}&provider.b:N:0:10:${codes}`,
  ...Array.from({ length: 2 }, () => `provider.a:N:5:10:${codes}`),
  `provider.a:N:0:4:${codes}&provider.b:N:0:4:${codes}`,
];
/** Of one who may not call, which is found out last. */
const hopeless = [...Array.from({ length: 12 }, (_, index) => `x${index}=99`), 'extension-5009=0'].join('&');
const asterisk = await LabAsterisk.start({
  extra: {
    'pjsip.conf': `${a.section({ settings: 'outbound_auth = wrong' })}${b.section()}
[wrong]
type = auth
username = us
password = wrong
[lab-caller]
type = endpoint
transport = lab-udp
context = calls
disallow = all
allow = ulaw
[lab-caller]
type = identify
endpoint = lab-caller
match = 127.0.0.95
`,
    'extensions.conf': `
[globals]
${steps.map((text, index) => `STEPS_${index + 1}=${text}`).join('\n')}
COUNTS_4=team=20&extension-5001=5
COUNTS_6=team=1&extension-5001=1
COUNTS_7=team=20
COUNTS_8=${hopeless}
[calls]
exten => 91,1,Dial(PJSIP/91@provider.a&PJSIP/91@provider.b,8,b(star64-trunk-leg^s^1(\${CHANNEL(name)}^^0^astercc^\${COUNTS_6}^)))
exten => _[1-9]X,1,Set(steps=\${STEPS_\${EXTEN:0:1}})
 same => n,Gosub(star64-trunks,s,1(\${STRREPLACE(steps,N,\${EXTEN})},\${COUNTS_\${EXTEN:0:1}},U(star64-picked-up),\${IF($[\${EXTEN} > 90]?8:60)},astercc))
 same => n,UserEvent(Test,Result: \${GOSUB_RETVAL},Cause: \${STAR64_CAUSE},Limit: \${STAR64_LIMIT},Number: \${EXTEN})
 same => n,Hangup(\${STAR64_CAUSE})
#include ${template('star64-out')}
#include ${template('star64-direct')}
#include ${template('star64-transfer')}
`,
  },
});
t.teardown(() => asterisk.stop());
t.teardown(async () => {
  if (!t.passing()) t.comment((await asterisk.logText()).slice(-3000));
});
for (const provider of [a, b]) await provider.reachable(asterisk);

/** Calls a number, and says what came of it: the tries in order, and the result with the cause for the caller's phone. */
async function call(number: string): Promise<{ tries: string[]; result: string }> {
  const from = await asterisk.verbose.mark();
  await asterisk.console(`channel originate Local/${number}@calls/n application Wait 60`);
  const ended = await until(
    `the end of the call to ${number}`,
    async () => (await toldIn(asterisk, 'Test', from))[0],
    60_000,
  );
  return { tries: await triesIn(asterisk, from), result: `${ended['Result'] ?? ''} ${ended['Cause'] ?? ''}` };
}
/** Nothing is set aside any more. */
async function forget(): Promise<void> {
  for (const { endpoint } of [a, b]) await asterisk.console(`dialplan set global STAR64_ASIDE_${endpoint} 0`);
}

await t.test('the next trunk is called when one fails, and by no answer of who was called', async (t) => {
  for (const [does, then] of [
    [503, 'next'],
    [500, 'next'],
    [504, 'next'],
    [401, 'next'],
    [402, 'next'],
    [407, 'next'],
    [403, 'next'],
    [408, 'next'],
    [488, 'next'],
    [404, '1'],
    [410, '22'],
    [480, '19'],
    [484, '28'],
    [486, '17'],
    [600, '17'],
    [603, '16'],
    [604, '1'],
    [606, '19'],
    [302, '19'],
  ] as [Behaviour, string][]) {
    await forget();
    a.does(does);
    b.does(486);
    const { tries, result } = await call('11');
    t.same(
      [tries, result],
      then === 'next'
        ? [[`provider.a failed ${does}`, 'provider.b ended 486'], 'ended 17']
        : [[`provider.a ended ${does}`], `ended ${then}`],
      String(does),
    );
  }
  t.equal(a.numbers.at(-1), '+493011', 'each trunk has the number in its own form');
  t.equal(b.numbers.at(-1), '03011');
});

await t.test('the answers that a trunk lists for itself decide', async (t) => {
  await forget();
  a.does(486);
  b.does(503);
  t.same(await call('21'), { tries: ['provider.a failed 486', 'provider.b ended 503'], result: 'ended 34' });
});

await t.test('a trunk that says nothing: the next one is called after its seconds', async (t) => {
  await forget();
  a.does('silent');
  b.does(486);
  t.same(await call('92'), { tries: ['provider.a failed', 'provider.b ended 486'], result: 'ended 17' });
  await forget();
  a.does('trying');
  b.does('ring');
  t.same(
    await call('92'),
    { tries: ['provider.a failed 100', 'provider.b ended 180'], result: 'ended 19' },
    'and no other trunk is, however long the number rings',
  );
});

await t.test('trunks that are not there are passed over', async (t) => {
  await forget();
  b.does(486);
  a.die();
  await a.reachable(asterisk, false);
  t.same(await call('11'), { tries: ['provider.a unavailable', 'provider.b ended 486'], result: 'ended 17' });
  a.live();
  await a.reachable(asterisk);
  a.does(486);
  t.same(await call('51'), { tries: ['provider.x unavailable', 'provider.a ended 486'], result: 'ended 17' });
});

await t.test('a trunk that fails is set aside, and comes back by the first call that it takes', async (t) => {
  await forget();
  a.does(503);
  b.does(486);
  t.same((await call('11')).tries, ['provider.a failed 503', 'provider.b ended 486']);
  const seconds = async (): Promise<string | undefined> =>
    /STAR64_ASIDE_provider\.a=\d+:(\d+)/.exec(await asterisk.console('dialplan show globals'))?.[1];
  t.equal(await seconds(), '10');
  // However long the next calls take here.
  await asterisk.console('dialplan set global STAR64_ASIDE_provider.a 4000000000:10');
  t.same((await call('12')).tries, ['provider.a set-aside', 'provider.b ended 486']);
  b.does(503);
  t.same(
    await call('13'),
    {
      tries: ['provider.a set-aside', 'provider.b failed 503', 'provider.a failed 503'],
      result: 'failed 34',
    },
    'it is tried where nothing else takes the call',
  );
  t.equal(await seconds(), '10', 'a failure while it is set aside makes that no longer');
  await asterisk.console('dialplan set global STAR64_ASIDE_provider.a 1:10');
  await call('11');
  t.equal(await seconds(), '20', 'the next one twice as long');
  await asterisk.console('dialplan set global STAR64_ASIDE_provider.a 1:160');
  await call('11');
  t.equal(await seconds(), '300', 'and 300 s at most');
  await asterisk.console('dialplan set global STAR64_ASIDE_provider.a 1:300');
  a.does(486);
  t.same((await call('11')).tries, ['provider.a ended 486']);
  t.equal(await seconds(), undefined, 'one call that it took makes it forgotten');
});

await t.test('a call over the next trunk is the same call, however few may be made at a time', async (t) => {
  a.does(503);
  b.does(486);
  for (let round = 1; round <= 3; round++) {
    await forget();
    t.same(await call('61'), {
      tries: ['provider.a failed 503', 'provider.b ended 486'],
      result: 'ended 17',
    });
  }
  await forget();
  for (const provider of [a, b]) provider.does('ring');
  const legs = [a.calls.length, b.calls.length] as const;
  await asterisk.console('channel originate Local/91@calls/n application Wait 60');
  t.ok(await a.call(legs[0], 'invited'));
  t.ok(await b.call(legs[1], 'invited'), 'also while the leg before it is there');
  await b.call(legs[1], 'cancelled');
  await a.call(legs[0], 'cancelled');
  const before = a.calls.length;
  const from = await asterisk.verbose.mark();
  await asterisk.console('channel originate Local/62@calls/n application Wait 60');
  const rings = await a.call(before, 'invited');
  t.match(await call('63'), { result: 'limit 34' }, 'and another one is another');
  a.pickUp(rings);
  await a.call(before, 'answered');
  a.hangUp(rings);
  await until('its end', async () =>
    (await toldIn(asterisk, 'Test', from)).some(({ Number }) => Number === '62') ? true : undefined,
  );
});

// The last row fails without LOCK: those who may not call are counted for some milliseconds each, and keep others out.
await t.test('as many calls go out at one moment as may, and the others are told so', async (t) => {
  await forget();
  for (const [number, wanted, places] of [
    ['31', /^full$/, [3, 2]],
    ['41', /^limit$/, [5, 0]],
    // Who may not call at all may find the trunk full before that.
    [['81', '71', '82', '83'], /^(limit|full)$/, [5, 0]],
  ] as [string | string[], RegExp, [number, number]][]) {
    for (const provider of [a, b]) provider.does('ring');
    const before = [a.calls.length, b.calls.length] as const;
    const fresh = (): ProviderCall[][] => [a.calls.slice(before[0]), b.calls.slice(before[1])];
    const from = await asterisk.verbose.mark();
    // All have dialled before Asterisk, stopped meanwhile, reads any.
    asterisk.freeze();
    const calling = crowd({
      to: number,
      server: asterisk.sip,
      address: '127.0.0.95',
      rate: 100,
      total: 20,
      holdMs: 10,
    });
    await new Promise((resolve) => setTimeout(resolve, 1000));
    asterisk.thaw();
    const kept = async (): Promise<number> =>
      (await toldIn(asterisk, 'Test', from)).filter(({ Result = '' }) => wanted.test(Result)).length;
    await until('those that may not to be told', async () => ((await kept()) >= 15 ? true : undefined));
    await until('those that may to ring', () => (fresh().flat().length >= 5 ? true : undefined));
    for (const provider of [a, b])
      for (const one of fresh().flat()) if (provider.calls.includes(one)) provider.pickUp(one);
    const { successful, failed } = await calling;
    t.same([successful, failed], [5, 15], String(number));
    t.same(
      fresh().map(({ length }) => length),
      places,
      'no INVITE more has left',
    );
    t.equal(await kept(), 15);
    await until('nothing to be counted any more', async () =>
      (await asterisk.console('group show channels')).includes('0 active channels') ? true : undefined,
    );
  }
});

await t.test(
  'what a number lets callers hear before it answers, they hear; and its answer is told at once',
  async (t) => {
    await forget();
    a.does('early');
    const before = a.calls.length;
    const from = await asterisk.verbose.mark();
    const phone = await Phone.start({ user: '5001', address: '127.0.0.95', server: asterisk.sip });
    t.teardown(() => phone.stop());
    await phone.dial('42');
    const ringing = await a.call(before, 'invited');
    await a.playedOneSecond(ringing);
    t.notOk(
      phone.events.some(({ type }) => type === 'CALL_ESTABLISHED'),
      'unanswered, so unpaid',
    );
    a.pickUp(ringing);
    await phone.established();
    await until('the answer to be told', async () =>
      (await triesIn(asterisk, from)).length > 0 ? true : undefined,
    );
    t.same(await triesIn(asterisk, from), ['provider.a answered 200']);
    a.hangUp(ringing);
    await phone.closed();
    t.ok(toneIn(await readSamples(await phone.heard()), 440) > 2000, 'heard');
    const ended = await until('the end to be told', async () => (await toldIn(asterisk, 'Test', from))[0]);
    t.match(ended, { Result: 'answered' });
    t.same(await triesIn(asterisk, from), ['provider.a answered 200'], 'once');

    await phone.dial('43');
    const second = await a.call(before + 1, 'invited');
    await phone.hangup();
    await a.call(before + 1, 'cancelled');
    t.equal(second.number, '43');
    await until('the try to be told', async () =>
      (await triesIn(asterisk, from)).length > 1 ? true : undefined,
    );
    t.same((await triesIn(asterisk, from)).at(-1), 'provider.a ended 183', 'of a caller who gives up, too');
  },
);
