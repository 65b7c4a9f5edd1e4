import t from 'tap';
import { until } from '../../../domain/machine/processes.js';
import { showExtensionSecret } from '../../../domain/provisioning/numbers/extension.js';
import { crowd } from '../../../lab/provision.js';
import { centreOf, stateOf, waitState } from '../../support/centre.js';
import { ConsultingPhone, type Dialog } from '../../support/phones/consulting-phone.js';
import { Voices } from '../../support/phones/in-call.js';
import type { Sound } from '../../support/phones/rtp-voice.js';

/**
 * Whom an agent has joined hear each other, also where the colleague alone has another codec, and what the agent has sent has
 * higher RTP sequence numbers than what the customer sends (docs/installation.md: Asterisk as Debian builds it).
 */
const groups = [{ name: 'support', number: '6000', wrapUp: 'off', missedLimit: 0 }];
const centre = await centreOf(t, crowd(2, { groups }));
const { asterisk, db } = centre;
const voices = await Voices.of(t, 'anna', 'bert', 'customer');

async function phone(extension: string, sound: Sound): Promise<ConsultingPhone> {
  const { secret } = await showExtensionSecret(db, 'astercc', extension);
  const one = await ConsultingPhone.start(`astercc-${extension}`, secret ?? '', asterisk.sip, { sound });
  t.teardown(() => one.stop());
  return one;
}

interface Parties {
  anna: ConsultingPhone;
  bert: ConsultingPhone;
  /** Anna's call with the customer. */
  call: Dialog;
}
const ways = {
  async 'by the phone'({ anna, bert, call }: Parties): Promise<void> {
    await anna.hold(call);
    const asked = await anna.call('5002');
    await bert.called();
    const second = { user: anna.user, hearing: (samples: number) => anna.hearing(samples, asked) };
    await voices.talk(['anna', second], ['bert', bert]);
    await anna.join(call, asked);
  },
  async 'by keys, or a command'({ anna, bert, call }: Parties): Promise<void> {
    const { uniqueid } = await until('the call', () =>
      db('calls').whereNull('ended_at').orderBy('id', 'desc').first<{ uniqueid: string }>(),
    );
    await centre.star64('call', 'consult', uniqueid, '5002');
    await bert.called();
    await voices.talk(['anna', anna], ['bert', bert]);
    await anna.hangUp(call);
  },
};
for (const [way, join] of Object.entries(ways))
  await t.test(`customer and colleague hear each other once the agent has joined them ${way}`, async () => {
    const anna = await phone('5001', { hertz: voices.hertz('anna'), sequence: 30_000 });
    const bert = await phone('5002', { hertz: voices.hertz('bert'), sequence: 100, payload: 8 });
    if ((await stateOf(centre, '1001')) === 'signed-out') await anna.call('*641001');
    await waitState(centre, '1001', 'idle');
    await until('the call of the sign-in to be over', () => anna.calls.length === 0 || undefined);
    const customer = await ConsultingPhone.start('4930555', '', asterisk.sip, {
      trunk: '127.0.0.99',
      sound: { hertz: voices.hertz('customer'), sequence: 100 },
    });
    t.teardown(() => customer.stop());
    const dialled = await customer.call('600100');
    const call = await anna.called();
    await voices.talk(['anna', anna], ['customer', customer]);
    await join({ anna, bert, call });
    await voices.talk(['bert', bert], ['customer', customer]);
    await customer.hangUp(dialled);
    await waitState(centre, '1001', 'idle');
    // As long as a channel of a phone is there, nobody rings it.
    await until('the phones to be free', async () =>
      (await asterisk.console('core show channels concise')).includes('PJSIP/astercc-') ? undefined : true,
    );
    await Promise.all([anna.stop(), bert.stop(), customer.stop()]);
  });
