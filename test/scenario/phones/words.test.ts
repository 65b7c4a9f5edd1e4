import t from 'tap';
import { removeFeatureCode } from '../../../domain/provisioning/features/feature-code.js';
import { addPauseReason } from '../../../domain/provisioning/people/pause-reason.js';
import { Caller } from '../../../lab/caller.js';
import type { Phone } from '../../../lab/phone.js';
import { crowd } from '../../../lab/provision.js';
import { until } from '../../../domain/machine/processes.js';
import { callIn, waitWaiting } from '../../support/calls.js';
import { centreOf, dialled, logged, waitState } from '../../support/centre.js';
import { trunkSection } from '../../support/phones/telephone.js';

const wholeTrunk = '127.0.0.95';
const operators = '127.0.0.94';
const groups = [
  { name: 'support', number: '60', wrapUp: 'off', ringSeconds: 60 },
  { name: 'sales', number: '61' },
];
const centre = await centreOf(t, crowd(3, { groups }), {
  asterisk: {
    briefPrompts: ['cannot-complete-as-dialed', 'check-number-dial-again'],
    extra: {
      'pjsip.conf': [
        trunkSection('whole-trunk', wholeTrunk, 5060).replace('star64-inbound', 'star64-trunk'),
        trunkSection('office', operators, 5060).replace('star64-inbound', 'office'),
      ].join('\n'),
      // An operator who includes all that may be included, and only then what is theirs.
      'extensions.conf': `[office]
include => astercc-features
include => astercc-numbers
include => astercc-outbound
include => star64-inbound
include => office-own
[office-own]
exten => _X.,1,Playback(hello-world,noanswer)
exten => _[*#]X,1,Playback(beep,noanswer)
`,
    },
  },
  provision: async (db) => {
    await addPauseReason(db, 'astercc', { digit: '1', name: 'Lunch' });
    await removeFeatureCode(db, 'astercc', '*62');
  },
});
const { asterisk } = centre;
const [phone, other] = [await centre.phone('5001'), await centre.phone('5002')];
const noSuchNumber = ['cannot-complete-as-dialed', 'check-number-dial-again'];
const noSuchCode = ['feature-not-avail-line'];
const digits = (number: string): string[] => Array.from(number, (digit) => `digits/${digit}`);

/** What a phone hears in a call that nobody answers, and how it ended. */
async function refused(
  dialling: Phone,
  number: string,
): Promise<[sounds: string[], why: string | undefined]> {
  const events = dialling.events.length;
  const sounds = await dialled(centre, dialling, number);
  const seen = dialling.events.slice(events);
  if (seen.some(({ type }) => type === 'CALL_ESTABLISHED')) return [sounds, 'answered'];
  return [sounds, seen.find(({ type }) => type === 'CALL_CLOSED')?.param];
}

/** What a caller over a trunk hears, and how it ended. */
async function overTrunk(address: string, to: string): Promise<[sounds: string[], why: string]> {
  const mark = await asterisk.verbose.mark();
  const caller = await Caller.call({ from: '4930123', to, address, server: asterisk.sip });
  const why = await caller.ended(30_000);
  const endpoint = { [wholeTrunk]: 'whole-trunk', [operators]: 'office' }[address] ?? 'lab-trunk';
  await logged(centre);
  return [await asterisk.played(endpoint, mark), why];
}

await t.test('what nobody has is told by a voice, which costs nothing and says what it is', async (t) => {
  const notFound = '404 Not Found';
  const away = ['vm-theperson', ...digits('5003'), 'vm-isunavail'];
  await Promise.all([
    (async (): Promise<void> => {
      t.same(await refused(phone, '4711'), [noSuchNumber, notFound]);
      t.same(
        await asterisk.recognise(await phone.heard(), noSuchNumber),
        noSuchNumber,
        'it reaches the ear of who called, before any answer',
      );
      t.same(
        await refused(phone, '5003'),
        [away, '480 Temporarily Unavailable'],
        'an extension that is offline',
      );
    })(),
    (async (): Promise<void> => {
      t.same(await refused(other, '00491511234567'), [noSuchNumber, notFound], 'a number outside');
      t.same(await refused(other, '*621'), [noSuchCode, notFound], 'a code that the team has disabled');
      t.same(await refused(other, '#'), [noSuchCode, notFound]);
    })(),
  ]);
});

await t.test('what is dialled is never a place to go to', async (t) => {
  const mark = await asterisk.verbose.mark();
  const hostile = ['1:office-own,00,1', '1,00,1#', '1?office-own', '5${EPOCH}#', '5)#'];
  for (const number of hostile) {
    await asterisk.console(`channel originate Local/${number}@astercc-phones application Wait 1`);
  }
  const steps = await until('a voice for each', async () => {
    const executed = (await asterisk.verbose.lines())
      .slice(mark)
      .flatMap((line) => / Executing \[(.*:\d+)\] /.exec(line)?.[1] ?? []);
    return executed.filter((step) => step === 's@star64-no-such-number:3').length === hostile.length
      ? executed
      : undefined;
  });
  const wanted = hostile.flatMap((number) => [
    `${number}@astercc-phones:1`,
    `${number}@astercc-phones:2`,
    ...[1, 2, 3].map((step) => `s@star64-no-such-number:${step}`),
  ]);
  t.same(steps.filter((step) => !step.includes('star64-watch')).sort(), wanted.sort());
});

await t.test('a # at the end counts as nothing', async (t) => {
  t.same(await dialled(centre, phone, '*641001#'), ['agent-loginok']);
  t.same(await dialled(centre, phone, '*661##'), ['do-not-disturb', 'digits/1']);
  t.same(await dialled(centre, phone, '*67#'), ['activated']);
  t.same(await refused(phone, '*98#'), [noSuchCode, '404 Not Found']);
  await phone.dial('5002#');
  await other.incoming();
  await phone.hangup();
  await other.closed();
  await other.dial('60#');
  await phone.incoming();
  await other.hangup();
  await phone.closed();
  await waitState(centre, '1001', 'idle');
});

await t.test('numbers of an operator who includes ours before their own are theirs', async (t) => {
  t.same((await overTrunk(operators, '4711'))[0], ['hello-world']);
  t.same((await overTrunk(operators, '*9'))[0], ['beep']);
  const caller = await Caller.call({ from: '4930123', to: '60', address: operators, server: asterisk.sip });
  await phone.incoming();
  await caller.hangup();
  await phone.closed();
});

await t.test('a trunk that points to star64 alone hears that there is no such number', async (t) => {
  t.same(await overTrunk(wholeTrunk, '600999'), [['ss-noservice'], '404 Not Found']);
  t.same(await overTrunk('127.0.0.99', '600999'), [[], '404 Not Found'], 'one of star64-inbound goes on');
  const caller = await Caller.call({
    from: '4930123',
    to: '600100',
    address: wholeTrunk,
    server: asterisk.sip,
  });
  await phone.incoming();
  await caller.hangup();
  await phone.closed();
});

await t.test(
  'an agent who sends a caller on to a number that nobody has is told, and keeps them',
  async (t) => {
    const customer = await callIn(centre);
    await phone.incoming();
    await phone.answer();
    await waitState(centre, '1001', 'talking');
    const mark = await asterisk.verbose.mark();
    await phone.transfer('4711');
    // This phone hangs up by itself then.
    t.match(await phone.event(/TRANSFER_FAIL/), { param: '404 Not Found' });
    await customer.ended();
    t.same(await asterisk.played('lab-trunk', mark), [], 'the caller hears nothing of it');
    await waitState(centre, '1001', 'idle');
  },
);

await t.test('*69 says how many wait, and how long; *60 the most important first', async (t) => {
  await dialled(centre, phone, '*661');
  const waiting = [await callIn(centre), await callIn(centre)];
  await waitWaiting(centre, 'astercc-support', 2);
  await until('both in the database', async () => {
    const change = { joined_at: centre.db.raw(`now() - interval '121 seconds'`) };
    return (await centre.db('queue_visits').whereNull('left_at').update(change)) === 2 ? true : undefined;
  });
  await centre
    .db('agent_states')
    .whereNull('ended_at')
    .update({ started_at: centre.db.raw(`now() - interval '90 minutes'`) });
  const two = [
    'number',
    ...digits('60'),
    'call-waiting',
    'digits/2',
    'queue-reporthold',
    'digits/2',
    'minutes',
  ];
  const first = ['dictate/paused', 'digits/1', 'digits/1', 'hours', 'ascending-2tone', 'digits/2', 'beep'];
  const rest = ['spy-agent', ...digits('1001'), 'extension', ...digits('5001')];
  const groups = ['number', ...digits('60'), 'number', ...digits('61')];
  await Promise.all([
    (async (): Promise<void> => {
      const status = await dialled(centre, phone, '*60', ['beep', '5']);
      t.same(status.slice(0, first.length), first);
      t.same(status.slice(-rest.length - groups.length), [...rest, ...groups], 'the rest follows a key');
    })(),
    (async (): Promise<void> => {
      const asked = await dialled(centre, other, '*69', ['astcc-followed-by-the-pound-key', '60#']);
      t.same(asked.slice(-two.length), two, 'any phone may ask; with nobody signed in it asks for the queue');
    })(),
  ]);
  for (const caller of waiting) await caller.hangup();
});
