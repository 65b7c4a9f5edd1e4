import { copyFile, mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import t from 'tap';
import { readStory } from '../../../domain/calls/records/story.js';
import { until } from '../../../domain/machine/processes.js';
import { setCallKey } from '../../../domain/provisioning/features/call-key.js';
import { addTeam } from '../../../domain/provisioning/team.js';
import { Caller } from '../../../lab/caller.js';
import type { Phone } from '../../../lab/phone.js';
import { crowd } from '../../../lab/provision.js';
import { isWhole, readSamples, toneIn } from '../../../lab/wav.js';
import { centreOf, dialAndHear } from '../../support/centre.js';
import { Voices } from '../../support/phones/in-call.js';
import { noWarnings } from '../../support/warnings.js';

const voices = await Voices.of(t, 'anna', 'bert', 'carl', 'customer', 'tune');
/** The music of the group is a tone, so that it is known from any other. */
const music = await mkdtemp(join(tmpdir(), 'star64-tune-'));
t.teardown(() => rm(music, { recursive: true, force: true }));
await copyFile(await voices.speak('tune'), join(music, 'tune.wav'));
const centre = await centreOf(
  t,
  crowd(3, {
    groups: [
      {
        name: 'support',
        number: '6000',
        wrapUp: 'off',
        missedLimit: 0,
        musicClass: 'tune',
        record: 'always',
      },
    ],
  }),
  {
    asterisk: {
      extra: {
        'musiconhold.conf': `[tune]\nmode = files\ndirectory = ${music}\n`,
        // What an operator has already stays as it was, and so does its section of the same name.
        'features.conf': '[applicationmap]\nown-feature => *99,self,NoOp,x\n',
      },
    },
    provision: async (db) => {
      // A team whose keys are others has a set of its own.
      await addTeam(db, 'other');
    },
  },
);
const { asterisk, db } = centre;
const [anna, bert, carl] = await Promise.all([
  centre.phone('5001', await voices.phoneOf('anna')),
  centre.phone('5002', await voices.phoneOf('bert')),
  centre.phone('5003', await voices.phoneOf('carl')),
]);
const customerIs = await voices.phoneOf('customer');
await dialAndHear(centre, anna, '*641001', 'agent-loginok');

async function pickUp(phone: Phone): Promise<void> {
  await phone.incoming();
  await phone.answer();
  await phone.established();
}

/** A customer whom Anna has answered. */
async function answered(): Promise<Phone> {
  const caller = await Caller.call({
    from: '4930555',
    to: '600100',
    server: asterisk.sip,
    ...customerIs,
  });
  centre.phones.push(caller.phone);
  await pickUp(anna);
  await voices.talk(['anna', anna], ['customer', caller.phone]);
  return caller.phone;
}

/** Presses keys, and waits for the sound by which they are answered. */
async function key(phone: Phone, keys: string, sound: string): Promise<void> {
  const from = await asterisk.verbose.mark();
  await phone.digits(keys);
  await asterisk.waitPlayed(phone.user, sound, from);
}

/** The same, where the sound is whispered by a channel of its own. */
async function keyWhispered(phone: Phone, keys: string, sound: string): Promise<void> {
  const from = await asterisk.verbose.mark();
  await phone.digits(keys);
  await asterisk.verbose.waitFor(new RegExp(`<Local/${sound}@star64-word-.*> Playing '${sound}\\.`), from);
}

const keysAt = (phone: Phone): string[] =>
  phone.events.flatMap(({ type, param }) => (type === 'CALL_DTMF_START' ? [param ?? ''] : []));

const noChannels = (): Promise<true> =>
  until('no channel of a call to be left', async () =>
    /^(?!Local\/watch@star64-watchdog)\S/m.test(await asterisk.console('core show channels concise'))
      ? undefined
      : true,
  );

/** What is told of the newest call, by key: so many things, which are written up to a second later than its end. */
const told = (count: number): Promise<string[]> =>
  until('the story to be told', async () => {
    const call = await db('calls')
      .orderBy('id', 'desc')
      .first<{ uniqueid: string; ended_at: Date | null } | undefined>();
    if (!call?.ended_at) return undefined;
    const says = (await readStory(db, 'astercc', call.uniqueid)).story.map(({ says }) => says);
    const keyed = says.filter((one) => one.includes('by key'));
    return says.some((one) => one.startsWith('over')) && keyed.length >= count ? keyed : undefined;
  });

/**
 * For how many moments, of a fifth of a second, somebody is not heard at most in the newest recording. Who presses a key says
 * nothing meanwhile.
 */
async function longestSilence(hertz: number): Promise<number> {
  const monitor = join(asterisk.dir, 'state/spool/monitor');
  const files = (await readdir(monitor, { recursive: true })).filter((name) => name.endsWith('.wav'));
  const newest = join(monitor, files.sort().at(-1) ?? '');
  // It is closed a moment after the call.
  await until('the end of the recording', async () => (await isWhole(newest)) || undefined);
  const samples = await readSamples(newest);
  if (samples.length < 3 * 1600) throw new Error('next to nothing is recorded');
  let [run, longest] = [0, 0];
  for (let at = 0; at + 1600 <= samples.length; at += 1600) {
    run = toneIn(samples.subarray(at, at + 1600), hertz) < 1500 ? run + 1 : 0;
    longest = Math.max(longest, run);
  }
  return longest;
}

await t.test('hold: the music of the group, until the same keys; no key reaches the customer', async (t) => {
  const customer = await answered();
  await key(anna, '*7', 'beep');
  await voices.hears(customer, 'tune');
  await anna.digits('2*9*0#');
  // Longer than Asterisk waits for a key.
  await asterisk.verbose.waitFor(/star64-hold:4\] GotoIf\(.*1\?look/, await asterisk.verbose.mark());
  await voices.hears(customer, 'tune');
  await key(anna, '*7', 'beep');
  await voices.talk(['anna', anna], ['customer', customer]);
  t.same(keysAt(customer), []);
  await anna.digits('5');
  await until('a key that is none to arrive', () => (keysAt(customer).length > 0 ? true : undefined));
  t.same(keysAt(customer), ['5']);

  // The customer's own keys are nothing.
  await customer.digits('*7*9*0');
  await voices.talk(['anna', anna], ['customer', customer]);
  t.same(keysAt(anna), ['*', '7', '*', '9', '*', '0']);

  // Nobody to come back to.
  await key(anna, '*7', 'beep');
  await voices.hears(customer, 'tune');
  await customer.hangup();
  await anna.closed();
  await noChannels();
});

await t.test('recording by rule: pauses, goes on; the end for all', async (t) => {
  const customer = await answered();
  await customer.mute();
  await voices.hears(anna, 'nothing');
  await key(anna, '*8', 'de-activated');
  await anna.mute();
  // Half a second each time, of which there is nothing in the recording.
  for (let times = 0; times < 12; times++) await voices.hears(customer, 'nothing');
  await anna.mute();
  await voices.hears(customer, 'anna');
  await key(anna, '*8', 'activated');
  await customer.mute();
  await voices.talk(['anna', anna], ['customer', customer]);
  await key(anna, '*0', 'beep');
  await Promise.all([customer.closed(), anna.closed()]);
  await noChannels();
  t.match(await told(3), [
    'the recording pauses, by key',
    'the recording goes on, by key',
    'ended for all, by key',
  ]);
  // A phone that stands still on a busy machine is silent, too, and not for that long.
  t.ok((await longestSilence(700)) < 25, 'nothing of the pause, in which Anna was silent for 6 s');
  t.ok((await longestSilence(2330)) >= 2, 'what was before it, when the customer was silent');
});

await t.test('a phone that calls: hold and recording of who is called', async (t) => {
  await anna.dial('5002');
  await pickUp(bert);
  await voices.talk(['anna', anna], ['bert', bert]);
  await keyWhispered(anna, '*8', 'activated');
  // Half a second each time.
  for (let times = 0; times < 8; times++) await voices.talk(['anna', anna], ['bert', bert]);
  await keyWhispered(anna, '*8', 'de-activated');
  await key(anna, '*7', 'beep');
  await voices.hears(bert, 'music');
  await bert.hangup();
  await anna.closed();
  await noChannels();
  t.ok((await longestSilence(1130)) < 18, 'Bert, who spoke for 4 s');
});

await t.test(
  'in a conference: the others talk on, the last one added is dropped, all are ended',
  async (t) => {
    const customer = await answered();
    await anna.digits('*25002');
    await pickUp(bert);
    await voices.talk(['anna', anna], ['bert', bert]);
    await anna.digits('*3');
    await voices.hears(customer, 'anna', 'bert');
    await anna.digits('*25003');
    await pickUp(carl);
    await voices.talk(['anna', anna], ['carl', carl]);
    await anna.digits('*3');
    await voices.hears(customer, 'anna', 'bert', 'carl');
    await key(anna, '*7', 'beep');
    await voices.hears(customer, 'bert', 'carl');
    await key(anna, '*7', 'beep');
    await voices.hears(customer, 'anna', 'bert', 'carl');
    await key(anna, '*9', 'beep');
    await carl.closed();
    await voices.hears(customer, 'anna', 'bert');
    await key(anna, '*9', 'beep');
    await bert.closed();
    await voices.talk(['anna', anna], ['customer', customer]);
    await key(anna, '*9', 'beeperr');
    await voices.talk(['anna', anna], ['customer', customer]);
    await anna.digits('*25002');
    await pickUp(bert);
    await voices.talk(['anna', anna], ['bert', bert]);
    await anna.digits('*3');
    await voices.hears(customer, 'anna', 'bert');
    await key(anna, '*0', 'beep');
    await Promise.all([customer.closed(), anna.closed(), bert.closed()]);
    await noChannels();
    t.match(await told(3), [/5003.* is dropped/, /5002.* is dropped/, 'ended for all, by key']);
  },
);

await t.test('keys that a team has changed; one that is disabled is an ordinary digit', async (t) => {
  await setCallKey(db, 'astercc', 'hold', { keys: '#1' });
  await setCallKey(db, 'astercc', 'record', { enabled: false });
  t.match(await centre.star64('apply'), /reloaded\tfeatures,dialplan|reloaded\tfeatures/);
  const customer = await answered();
  await key(anna, '#1', 'beep');
  await voices.hears(customer, 'tune');
  await key(anna, '#1', 'beep');
  await voices.talk(['anna', anna], ['customer', customer]);
  await anna.digits('*8');
  await until('both digits to arrive', () => (keysAt(customer).length === 2 ? true : undefined));
  await anna.hangup();
  await customer.closed();
  await noChannels();
});

await t.test('nothing of it is wrong to Asterisk', async (t) => {
  // A beep that came while a bridge changed its kind was tried again.
  await noWarnings(t, asterisk, /(Unable to open|Playback failed on .* for) beep\b/);
  t.match(await asterisk.console('features show'), /own-feature +no def +\*99/);
});
