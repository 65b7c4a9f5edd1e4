import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { pino } from 'pino';
import t from 'tap';
import { until } from '../../../domain/machine/processes.js';
import { addDid } from '../../../domain/provisioning/numbers/did.js';
import { showExtensionSecret } from '../../../domain/provisioning/numbers/extension.js';
import { setGroup } from '../../../domain/provisioning/people/group.js';
import { crowd } from '../../../lab/provision.js';
import { isWhole, readSamples, toneIn } from '../../../lab/wav.js';
import { Manager } from '../../../pbx/ami/manager.js';
import { centreOf, dialAndHear, waitState } from '../../support/centre.js';
import { ConsultingPhone } from '../../support/phones/consulting-phone.js';
import { Voices, waitJoined } from '../../support/phones/in-call.js';

/**
 * Asterisk as Debian builds it translates no packet whose RTP sequence number is below that of the one before
 * (docs/installation.md). Phones choose theirs by chance; here the customer's are low and the colleague's high, or lower still. On
 * an Asterisk without that check nothing is lost, and this holds only that the keys do no harm.
 */
const groups = [
  { name: 'support', number: '6000', wrapUp: 'off', record: 'always' },
  { name: 'private', number: '6001', wrapUp: 'off' },
];
/** Before which everything comes behind. */
const lowest = 100;
const centre = await centreOf(t, crowd(3, { groups }), {
  provision: async (db) => {
    await addDid(db, 'astercc', { number: '600101', to: 'group:private' });
    for (const group of ['support', 'private'])
      await setGroup(db, 'astercc', group, { administrators: { add: ['crowd'] } });
  },
});
const { asterisk, db } = centre;
const voices = await Voices.of(t, 'anna', 'bert', 'customer');
const anna = await centre.phone('5001', { speak: await voices.speak('anna') });
const listener = await centre.phone('5003');
await dialAndHear(centre, anna, '*641001', 'agent-loginok');
const { secret } = await showExtensionSecret(db, 'astercc', '5002');
const bert = await ConsultingPhone.start('astercc-5002', secret ?? '', asterisk.sip, {
  sound: { hertz: voices.hertz('bert'), sequence: 20_000 },
});
t.teardown(() => bert.stop());
const manager = new Manager(
  { ...asterisk.ami, events: false, eventClasses: ['user'] },
  pino({ enabled: false }),
);
manager.start();
t.teardown(() => manager.stop());
await manager.whenUp(30_000);

/** Anna has a customer. */
async function answered(did: string, sequence = lowest): Promise<ConsultingPhone> {
  const customer = await ConsultingPhone.start('4930555', '', asterisk.sip, {
    trunk: '127.0.0.99',
    sound: { hertz: voices.hertz('customer'), sequence },
  });
  t.teardown(() => customer.stop());
  const from = await asterisk.verbose.mark();
  await customer.call(did);
  await anna.incoming();
  await anna.answer();
  await waitJoined(centre, anna, from);
  await voices.talk(['anna', anna], ['customer', customer]);
  return customer;
}

/** She asks Bert, who answers. */
async function asksBert(): Promise<void> {
  await anna.digits('*25002');
  await bert.called();
  await voices.talk(['anna', anna], ['bert', bert]);
}

/** She asks Bert, and goes back to the customer while he waits. */
async function toBertAndBack(customer: ConsultingPhone): Promise<void> {
  await asksBert();
  await anna.digits('*5');
  await voices.talk(['anna', anna], ['customer', customer]);
}

/** She gives Bert up. */
async function givesUp(customer: ConsultingPhone): Promise<void> {
  await anna.digits('*4');
  await until('Bert to be hung up on', () => (bert.calls.length === 0 ? true : undefined));
  await voices.talk(['anna', anna], ['customer', customer]);
}

/** The file of the recording that began last. */
async function recording(): Promise<string> {
  const row = await until('a recording', async () =>
    db('recordings').orderBy('id', 'desc').first<{ file: string } | undefined>(),
  );
  return join(asterisk.dir, 'state/spool/monitor', row.file);
}

/** Waits until both are in half a second of the recording that is being made, or is over, and that was not there before. */
async function records(path: string, ...who: ('anna' | 'bert' | 'customer')[]): Promise<void> {
  const { length: before } = await readFile(path);
  await until(`${who.join(' and ')} in the recording`, async () => {
    const file = await readFile(path);
    if (file.length - before < 16_000) return undefined;
    const last = new Int16Array(new Uint8Array(file.subarray(file.length - 8000 - (file.length % 2))).buffer);
    return who.every((one) => toneIn(last, voices.hertz(one)) > 1000) ? true : undefined;
  });
}

/** The one who listens hears these two. */
async function listens(): Promise<void> {
  const from = await asterisk.verbose.mark();
  await listener.dial('*715001');
  await asterisk.verbose.waitFor(/Spying on channel PJSIP\/astercc-5001-/, from);
  await voices.hears(listener, 'anna', 'customer');
}

/** The channel of Anna's phone. */
async function channelOfAnna(): Promise<string> {
  const channels = await manager.list('CoreShowChannels');
  const channel = channels
    .map(({ headers }) => headers.get('channel') ?? '')
    .find((name) => name.startsWith('PJSIP/astercc-5001-'));
  return channel ?? 'none';
}
const again = async (Channel: string): Promise<string> =>
  (await manager.action('Getvar', { Channel, Variable: 'STAR64_AGAIN' })).headers.get('value') ?? '';

/** Keys the recording, and waits for the answer. */
async function keysRecording(says: 'activated' | 'de-activated'): Promise<void> {
  const from = await asterisk.verbose.mark();
  await anna.digits('*8');
  await asterisk.waitPlayed(anna.user, says, from);
}

await t.test(
  'a recording has the customer again after *4 and *9, and everybody hears everybody',
  async (t) => {
    const customer = await answered('600100');
    const path = await recording();
    await records(path, 'anna', 'customer');
    await toBertAndBack(customer);
    await givesUp(customer);
    await t.resolves(records(path, 'anna', 'customer'), 'after *4');
    await asksBert();
    await anna.digits('*3');
    await voices.hears(anna, 'bert', 'customer');
    await voices.hears(bert, 'anna', 'customer');
    await voices.hears(customer, 'anna', 'bert');
    await anna.digits('*9');
    await voices.talk(['anna', anna], ['customer', customer]);
    await t.resolves(records(path, 'anna', 'customer'), 'after *9');
    await anna.hangup();
    await waitState(centre, '1001', 'idle');
    await until('the recording', async () => (await isWhole(path).catch(() => false)) || undefined);
    t.ok((await readSamples(path)).length > 0);
  },
);

await t.test('what is paused stays paused, also where a listener has both sides again', async (t) => {
  const customer = await answered('600100');
  const path = await recording();
  await listens();
  await keysRecording('de-activated');
  await voices.talk(['anna', anna], ['customer', customer]);
  const { length: before } = await readFile(path);
  // A server that has seen a recording, and comes too late.
  const channel = await channelOfAnna();
  await manager.action('Setvar', { Channel: channel, Variable: 'STAR64_AGAIN', Value: 'asked' });
  const pressed = { Channel: channel, Digit: 'D', Receive: true, Duration: 80 };
  await manager.action('PlayDTMF', pressed);
  await until('the key to be taken', async () => ((await again(channel)) === '' ? true : undefined));
  await toBertAndBack(customer);
  await t.resolves(voices.hears(listener, 'anna', 'customer'), 'after *5');
  await givesUp(customer);
  await t.resolves(voices.hears(listener, 'anna', 'customer'), 'after *4');
  t.equal((await readFile(path)).length, before, 'nothing of it is in the file');
  await keysRecording('activated');
  await voices.talk(['anna', anna], ['customer', customer]);
  await t.resolves(records(path, 'anna', 'customer'));
  await toBertAndBack(customer);
  await givesUp(customer);
  await t.resolves(voices.hears(listener, 'anna', 'customer'), 'recorded, too');
  await t.resolves(records(path, 'anna', 'customer'), 'listened to, too');
  await anna.hangup();
  await listener.closed();
  await waitState(centre, '1001', 'idle');
});

await t.test(
  'whoever listens hears both sides after *5, and whom the agent asks, in their way of listening',
  async (t) => {
    const customer = await answered('600101', 40_000);
    await listens();
    await asksBert();
    await t.resolves(voices.hears(listener, 'anna', 'bert'), 'whose numbers are lower');
    await anna.digits('*5');
    await t.resolves(voices.hears(listener, 'anna', 'customer'), 'whose numbers are higher');
    await listener.digits('5');
    await voices.hears(listener, 'anna', 'customer');
    await anna.digits('*5');
    await t.resolves(voices.hears(listener, 'anna', 'bert'), 'whispering');
    await anna.digits('*4');
    await voices.talk(['anna', anna], ['customer', customer]);
    await anna.hangup();
    await listener.closed();
    const { mode, bargedMs } = await until('the end of listening', async () => {
      const last = await db('supervisions')
        .orderBy('id', 'desc')
        .first<{ mode: string; bargedMs: number; over: Date | null }>(
          'mode',
          'barged_ms as bargedMs',
          'ended_at as over',
        );
      return last.over === null ? undefined : last;
    });
    t.same([mode, bargedMs], ['whisper', 0]);
  },
);
