import { join } from 'node:path';
import t from 'tap';
import { until } from '../../../domain/machine/processes.js';
import { addDid } from '../../../domain/provisioning/numbers/did.js';
import { showExtensionSecret } from '../../../domain/provisioning/numbers/extension.js';
import { setGroup } from '../../../domain/provisioning/people/group.js';
import { crowd } from '../../../lab/provision.js';
import { isWhole, readSamples, toneIn } from '../../../lab/wav.js';
import { centreOf, dialAndHear, waitState } from '../../support/centre.js';
import { ConsultingPhone } from '../../support/phones/consulting-phone.js';
import { Voices, waitJoined } from '../../support/phones/in-call.js';

/**
 * Asterisk as Debian builds it translates no packet whose RTP sequence number is below that of the one before
 * (docs/installation.md). Phones choose theirs by chance; here the customer's are low and the colleague's high. On an Asterisk
 * without that check nothing is lost, and this holds only that the keys do no harm.
 */
const groups = [
  { name: 'support', number: '6000', wrapUp: 'off', record: 'always' },
  { name: 'private', number: '6001', wrapUp: 'off' },
];
const centre = await centreOf(t, crowd(3, { groups }), {
  provision: async (db) => {
    await addDid(db, 'astercc', { number: '600101', to: 'group:private' });
    await setGroup(db, 'astercc', 'private', { administrators: { add: ['crowd'] } });
  },
});
const { asterisk, db } = centre;
const voices = await Voices.of(t, 'anna', 'bert', 'customer');
const anna = await centre.phone('5001', await voices.phoneOf('anna'));
const listener = await centre.phone('5003');
await dialAndHear(centre, anna, '*641001', 'agent-loginok');
const { secret } = await showExtensionSecret(db, 'astercc', '5002');
const bert = await ConsultingPhone.start('astercc-5002', secret ?? '', asterisk.sip, {
  sound: { hertz: voices.hertz('bert'), sequence: 20_000 },
});
t.teardown(() => bert.stop());

/** Anna has a customer. */
async function answered(did: string): Promise<ConsultingPhone> {
  const customer = await ConsultingPhone.start('4930555', '', asterisk.sip, {
    trunk: '127.0.0.99',
    sound: { hertz: voices.hertz('customer'), sequence: 100 },
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

/** She asks Bert, and goes back to the customer. */
async function toBertAndBack(customer: ConsultingPhone): Promise<void> {
  await anna.digits('*25002');
  await bert.called();
  await voices.talk(['anna', anna], ['bert', bert]);
  await anna.digits('*5');
  await voices.talk(['anna', anna], ['customer', customer]);
}

await t.test('everybody hears everybody, and *8 twice has the customer in the recording again', async (t) => {
  const customer = await answered('600100');
  await toBertAndBack(customer);
  await anna.digits('*3');
  await voices.hears(anna, 'bert', 'customer');
  await voices.hears(bert, 'anna', 'customer');
  await voices.hears(customer, 'anna', 'bert');
  await anna.digits('*9');
  await voices.talk(['anna', anna], ['customer', customer]);
  const path = await until('the recording to be known', async () => {
    const [file] = await db('recordings').orderBy('id', 'desc').limit(1).pluck<string[]>('file');
    return file === undefined ? undefined : join(asterisk.dir, 'state/spool/monitor', file);
  });
  const recorded = async (): Promise<Int16Array> => {
    await until('the recording', async () => (await isWhole(path).catch(() => false)) || undefined);
    return readSamples(path);
  };
  const key = async (says: string): Promise<void> => {
    const from = await asterisk.verbose.mark();
    await anna.digits('*8');
    await asterisk.waitPlayed(anna.user, says, from);
    await voices.talk(['anna', anna], ['customer', customer]);
  };
  await key('de-activated');
  const { length: before } = await recorded();
  await key('activated');
  await voices.talk(['anna', anna], ['customer', customer]);
  await anna.hangup();
  await waitState(centre, '1001', 'idle');
  const after = (await recorded()).subarray(before);
  // Whichever half a second: a phone that stands still on a busy machine leaves a hole.
  const both = Array.from({ length: Math.max(0, Math.floor((after.length - 3200) / 800)) }, (_, at) =>
    after.subarray(at * 800, at * 800 + 4000),
  ).some((part) => (['anna', 'customer'] as const).every((who) => toneIn(part, voices.hertz(who)) > 1000));
  t.ok(both, 'both, in what was recorded behind the pause');
});

await t.test('whoever listens hears both sides again when they key their way of listening', async (t) => {
  const customer = await answered('600101');
  const from = await asterisk.verbose.mark();
  await listener.dial('*715001');
  await asterisk.verbose.waitFor(/Spying on channel PJSIP\/astercc-5001-/, from);
  await voices.hears(listener, 'anna', 'customer');
  await toBertAndBack(customer);
  await listener.digits('4');
  await t.resolves(voices.hears(listener, 'anna', 'customer'));
  await anna.hangup();
  await listener.closed();
});
